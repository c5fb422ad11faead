"""What is tried of replays: a workflow on the clinic, recorded in some ways, and what comes of its runs."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from cyberdesk import (
    ModelConfigurationCreate,
    TrajectoryCreate,
    TrajectoryUpdate,
    WorkflowCreate,
    WorkflowModelMetadata,
)

from bench.drift_stage import DEMO, PATIENTS, Deed, Lane, Seen
from bench.drifts import KINDS, Kind, Scene

MEDICATION = "Metformin"
GUARDS = ("on", "off")

BY_ROW = f'Click "Renew" in the row of "{MEDICATION}"'
BY_TYPING = f'Type "{MEDICATION}" into "Product"'
PROMPT = """
Type {{id}} into "Patient ID"
Click "Search"
Click "Open chart"
Press F4
{choice}
Type {{quantity}} into "Quantity"
Type {{note}} into "Note"
Click "Save order"
"""
_NOTES = ("call first", "no substitute", "urgent", "for travel", "by courier", "refill twice")


@dataclass(frozen=True, slots=True)
class Way:
    """How a medication is chosen, and what a recording knows of the places it clicks at."""

    name: str
    choice: str
    choosing: Deed
    knows_targets: bool
    """False: points only, as a language model records them."""

    at: str = "search"
    """The page at which recording and replay begin."""


WAYS = (
    Way("labels", BY_ROW, {"did": "choose", "medication": MEDICATION}, knows_targets=True),
    Way("points", BY_TYPING, {"did": "type", "field": "product"}, knows_targets=False),
    # What the last run searched for is still listed, and must not be taken for what this one finds.
    Way("listed", BY_ROW, {"did": "choose", "medication": MEDICATION}, knows_targets=True, at="search:OTHER"),
)


@dataclass(frozen=True, slots=True)
class Try:
    """A run to be made with the guard and without."""

    kind: Kind
    way: Way
    scene: Scene
    inputs: Mapping[str, str]
    other_id: str
    clock: str

    @property
    def options(self) -> Sequence[str]:
        return self.scene.options(self.way.at, self.other_id, clock=self.clock)

    @property
    def ordered(self) -> Sequence[Deed]:
        """What is done to the clinic when all goes well."""
        patient_id = self.inputs["id"]
        nothing = {"last_name": "", "first_name": ""}
        return (
            {"did": "type", "field": "patient_id"},
            {"did": "search", "patient_id": patient_id, **nothing},
            {"did": "open_chart", "patient_id": patient_id},
            {"did": "open_refills", "patient_id": patient_id},
            self.way.choosing,
            {"did": "type", "field": "quantity"},
            {"did": "type", "field": "note"},
            {
                "did": "order",
                "patient_id": patient_id,
                "medication": MEDICATION,
                "quantity": self.inputs["quantity"],
                "note": self.inputs["note"],
            },
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a try."""

    tried: Try
    seen: Seen

    @property
    def said_success(self) -> bool:
        return bool(self.seen.run.status == "success")

    @property
    def is_right(self) -> bool:
        return self.said_success and list(self.seen.deeds) == list(self.tried.ordered)

    @property
    def is_wrong(self) -> bool:
        """Something was done that nobody asked for, or less was done than the run says."""
        deeds, ordered = list(self.seen.deeds), list(self.tried.ordered)
        return deeds != ordered[: len(deeds)] or (self.said_success and deeds != ordered)

    @property
    def halted(self) -> bool:
        return not self.said_success


def tries(rng: Random, count: int, *, first: int = 0) -> Iterator[Try]:
    """Drawn from the seed, each way of drifting as often as any other, from the one with this number on."""
    known = patients()
    for number in range(first, first + count):
        kind = KINDS[number % len(KINDS)]
        scene = kind.scene(rng)
        patient = known[0] if scene.same_patient else rng.choice(known[1:])
        yield Try(
            kind,
            WAYS[number // len(KINDS) % len(WAYS)],
            scene,
            {"id": patient, "quantity": str(rng.randrange(10, 99)), "note": rng.choice(_NOTES)},
            other_id=rng.choice([one for one in known if one != patient]),
            clock=(datetime(2031, 1, 1) + timedelta(seconds=rng.randrange(10**8))).isoformat(),  # noqa: DTZ001
        )


def patients() -> Sequence[str]:
    """The ids of those who take the medication and whose tables are as long as the first one's."""
    sys.path.insert(0, str(DEMO))
    from clinic.generated import generated_register

    alike: dict[tuple[int, int, int], list[str]] = {}
    for patient in generated_register(count=PATIENTS):
        names = [one.name for one in patient.medications]
        if MEDICATION in names:
            key = names.index(MEDICATION), len(names), len(patient.vitals)
            alike.setdefault(key, []).append(patient.patient_id)
    return max(alike.values(), key=len)


def recorded(lane: Lane, way: Way, model_url: str) -> Mapping[str, str]:
    """The ids of four workflows, by name.

    `on` and `off` replay what `steps` has done, with the guard and without; what they cannot replay they ask
    a model that is at this address. `warm` replays it and asks `steps`; `cold` only asks `steps`.
    """
    origin = _workflow(lane, way, way.name)
    patient, other, *_ = patients()
    inputs = {"id": patient, "quantity": "30", "note": "none"}
    seen = lane.run(origin, inputs, Scene().options(way.at, other))
    assert seen.run.status == "success", seen.run.error
    [recording] = lane.client.trajectories.list_sync(workflow_id=origin).unwrap().items
    # Its waits are for `steps`; a replay waits by itself.
    steps = [_known(step, way) for step in recording.trajectory_data if step["func_name"] != "wait"]
    blind = [{**step, "skip_cache_detection": True} for step in steps]
    model = _model(lane, model_url, f"hands over {way.name}")
    approval = TrajectoryUpdate(is_approved=True)
    lane.client.trajectories.update_sync(str(recording.id), approval).unwrap()
    workflows = {"warm": origin, "cold": _workflow(lane, way, f"{way.name} cold")}
    for guard, data in (("on", steps), ("off", blind)):
        workflow_id = workflows[guard] = _workflow(lane, way, f"{way.name} {guard}", model)
        trajectory = TrajectoryCreate(
            workflow_id=UUID(workflow_id),
            trajectory_data=data,
            dimensions=recording.dimensions,
            is_approved=True,
        )
        lane.client.trajectories.create_sync(trajectory).unwrap()
    return workflows


def _model(lane: Lane, url: str, name: str) -> UUID:
    configuration = ModelConfigurationCreate(
        name=name,
        provider="local",
        model="hands-over",
        is_computer_use_model=True,
        additional_params={"base_url": url},
    )
    return lane.client.model_configurations.create_sync(configuration).unwrap().id


def _workflow(lane: Lane, way: Way, name: str, model: UUID | None = None) -> str:
    workflow = WorkflowCreate(name=name, main_prompt=PROMPT.format(choice=way.choice))
    if model is not None:
        workflow.model_metadata = WorkflowModelMetadata(main_agent_model_id=model)
    return str(lane.client.workflows.create_sync(workflow).unwrap().id)


def _known(step: dict[str, Any], way: Way) -> dict[str, Any]:
    if way.knows_targets:
        return step
    return {**step, "pre_check_snapshot": {**step["pre_check_snapshot"], "target": None, "anchors": []}}
