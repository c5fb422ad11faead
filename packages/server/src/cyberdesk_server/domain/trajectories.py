"""What a trajectory is: the steps of a run that went well, written down so that they can be done again.

A step, as callers read and write it:

    {"func_name": "click", "args": [], "kwargs": {"x": 850, "y": 450},
     "pre_check_snapshot": {"screenshot": "supabase://…", "last_agent_thought": "…", "target": [l, t, r, b],
                            "anchors": [[l, t, r, b]], "volatile": [[l, t, r, b]], "memo": "…",
                            "custom_cache_detection_instructions": null},
     "skip_cache_detection": false, "result": {…}}

The vendor's README writes a step as `{"action": "click", "x": 100, "y": 200}`; that is kept as it is, too.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cyberdesk_server.domain.addresses import SCHEME, is_history_image
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import OrganizationId, RunId, TrajectoryId, WorkflowId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompt_images import is_own_address
from cyberdesk_server.domain.steps import Step, StepState

TrajectoryData = tuple[JsonObject, ...]

_LONGEST_PLACE = 200
"""Characters of a memo that says where in a prompt a model was. A longer one is about that run alone."""

USUAL_SIZE = Size(1280, 800)
"""The display of a trajectory when neither its author nor a run tells it."""

_PICTURE_NAME = re.compile(r"/[0-9a-f]{32,64}\.png$")
_ADDRESS = re.compile(re.escape(SCHEME) + r"[^\s\"'<>]+")


@dataclass(frozen=True, slots=True)
class Misfit:
    """A recorded turn that did not fit the screen it would have been done on."""

    step: int
    """The number of its first step in the trajectory, from 0."""

    reason: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a replay would have met in a run that a model carried out."""

    compared: int
    """Recorded turns that were compared with the screen the model was asked on."""

    misfits: tuple[Misfit, ...]
    has_ended_as_recorded: bool
    """True when the run did all that is recorded, and nothing else."""

    def told(self, run_id: RunId, status: str, now: datetime) -> JsonObject:
        """As callers read it."""
        return {
            "run_id": str(run_id),
            "run_status": status,
            "ended_at": now.isoformat(),
            "compared": self.compared,
            "misfits": [{"step": one.step, "reason": one.reason} for one in self.misfits],
            "has_ended_as_recorded": self.has_ended_as_recorded,
        }


@dataclass(frozen=True, slots=True)
class Trajectory:
    id: TrajectoryId
    organization_id: OrganizationId
    workflow_id: WorkflowId
    trajectory_data: TrajectoryData
    dimensions: Mapping[str, int]
    """`width` and `height` of the display it was recorded on, in real pixels."""

    created_at: datetime
    updated_at: datetime
    run_id: RunId | None = None
    """The run it was recorded from, while that is there."""

    user_id: UUID | None = None
    name: str | None = None
    description: str | None = None
    original_input_values: JsonObject | None = None
    prompt_digest: str | None = None
    """Of the prompt it was recorded for (`recordings.prompt_digest`): no other prompt is done by it."""

    is_approved: bool = False
    """True: later runs may replay it."""

    has_been_approved: bool = False
    """True once it was approved, also when the approval was taken back."""

    is_generated: bool = False
    """True when the server made it from a run."""

    is_main: bool = False
    """True when it goes before others that match; one per workflow and display size."""

    is_on_trial: bool = False
    """True: the next run that a model carries out is compared with it, and does nothing of it."""

    trial: JsonObject | None = None
    """What the last trial said (`Trial.told`); None before there was one."""

    @property
    def calls_digest(self) -> str:
        """Equal for recordings that do the same on a display of the same size; waits do not count."""
        calls = [_call(step) for step in self.trajectory_data if step.get("func_name") != "wait"]
        told = json.dumps([dict(self.dimensions), calls], sort_keys=True, default=list)
        return hashlib.sha256(told.encode()).hexdigest()


def _call(step: JsonObject) -> JsonObject:
    return {name: value for name, value in step.items() if name not in _NOT_THE_CALL}


_NOT_THE_CALL = frozenset({"pre_check_snapshot", "skip_cache_detection", "result"})


def dimensions(size: Size) -> Mapping[str, int]:
    return {"width": size.width, "height": size.height}


def recorded(journal: Sequence[Step]) -> TrajectoryData:
    """The steps of a run, from its journal, as a trajectory keeps them.

    Calls that failed are left out, as are declarations and looks that read nothing: a replay looks by itself.
    Of a step that is made of steps only the whole is kept, for its parts are done live.
    Only the first call of a turn was decided on the screen of the turn. Those behind it were decided with it,
    without another look, and are to be replayed without one: they have no screenshot, and skip the detection.
    """
    return tuple(_recorded(journal))


def _recorded(journal: Sequence[Step]) -> Iterator[JsonObject]:
    thoughts = {step.turn: step.thought for step in reversed(journal) if step.thought}
    last_turn = 0
    for step in journal:
        if step.within is not None or step.state is not StepState.DONE or not _is_worth_repeating(step):
            continue
        is_first = step.turn != last_turn
        last_turn = step.turn
        target = step.call.target
        yield {
            "func_name": step.call.tool,
            "args": [],
            "kwargs": step.call.arguments,
            "pre_check_snapshot": {
                "screenshot": step.screen if is_first else None,
                "last_agent_thought": thoughts.get(step.turn) if is_first else None,
                "target": None if target is None else target.edges,
                "anchors": [anchor.edges for anchor in step.call.anchors],
                "volatile": [box.edges for box in step.volatile] if is_first else [],
                "memo": step.memo if is_first and len(step.memo or "") <= _LONGEST_PLACE else None,
                "custom_cache_detection_instructions": None,
            },
            "skip_cache_detection": not is_first,
            "result": step.result,
        }


def _is_worth_repeating(step: Step) -> bool:
    if step.call.tool == "screenshot":
        return bool(step.call.arguments.get("extract_prompt"))
    return not step.call.tool.startswith("declare_")


def screenshots(data: Sequence[JsonObject]) -> Iterator[str]:
    """The addresses of the screens before the steps, in order."""
    for step in data:
        match step:
            case {"pre_check_snapshot": {"screenshot": str(address)}}:
                yield address


def images(data: Sequence[JsonObject], organization_id: OrganizationId) -> tuple[str, ...]:
    """The addresses of all screenshots in the steps that are the organization's, each once."""
    found = (text for step in data for _, text in _texts(step, ()) if _is_picture(text, organization_id))
    return tuple(dict.fromkeys(found))


def _is_picture(text: str, organization_id: OrganizationId) -> bool:
    return is_history_image(text, organization_id) and _PICTURE_NAME.search(text) is not None


def readdressed(data: Sequence[JsonObject], new: Mapping[str, str]) -> TrajectoryData:
    """The steps with each address that is in `new` replaced, wherever it stands in a text."""
    return tuple(_readdressed_object(step, new) for step in data)


def _readdressed_object(value: JsonObject, new: Mapping[str, str]) -> JsonObject:
    return {name: _readdressed(item, new) for name, item in value.items()}


def _readdressed(value: JsonValue, new: Mapping[str, str]) -> JsonValue:
    match value:
        case str():
            return _ADDRESS.sub(lambda found: new.get(found[0], found[0]), value)
        case Mapping():
            return _readdressed_object(value, new)
        case Sequence():
            return [_readdressed(item, new) for item in value]
        case _:
            return value


Place = tuple[str | int, ...]
"""Where in the steps: index of the step, then names and indexes inside it."""

_MEMBERS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "func_name": (str, "a text"),
    "action": (str, "a text"),
    "args": ((list, tuple), "a list"),
    "kwargs": (Mapping, "an object"),
    "pre_check_snapshot": (Mapping, "an object"),
    "skip_cache_detection": (bool, "true or false"),
}
_SNAPSHOT_TEXTS = ("screenshot", "last_agent_thought", "custom_cache_detection_instructions")


def step_problems(data: Sequence[JsonObject], organization_id: OrganizationId) -> Iterator[tuple[Place, str]]:
    """What is wrong with steps that a caller wrote: where, and why. Members we do not know are kept."""
    for index, step in enumerate(data):
        if not (step.get("func_name") or step.get("action")):
            yield (index, "func_name"), "a step says which tool it calls"
        for name, (type_, words) in _MEMBERS.items():
            if step.get(name) is not None and not isinstance(step[name], type_):
                yield (index, name), f"must be {words}"
        snapshot = step.get("pre_check_snapshot")
        if isinstance(snapshot, Mapping):
            for name in _SNAPSHOT_TEXTS:
                if not isinstance(snapshot.get(name), str | None):
                    yield (index, "pre_check_snapshot", name), "must be a text"
        for place, text in _texts(step, (index,)):
            if text.startswith(SCHEME) and not _is_own(text, organization_id):
                yield place, "there is no such picture"


def _is_own(address: str, organization_id: OrganizationId) -> bool:
    return is_own_address(address, organization_id) or _is_picture(address, organization_id)


def _texts(value: JsonValue, place: Place) -> Iterator[tuple[Place, str]]:
    match value:
        case str():
            yield place, value
        case Mapping():
            for name, item in value.items():
                yield from _texts(item, (*place, name))
        case Sequence():
            for index, item in enumerate(value):
                yield from _texts(item, (*place, index))
