"""Replays on the real clinic at 1920x1080: time per step and of the guard, model calls, `steps` beside it."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from cyberdesk import CyberdeskClient, RunCreate, RunResponse, TrajectoryUpdate, WorkflowCreate
from cyberdesk_server.testing.programs import ServerProgram, until
from cyberdriver.backends.base import Size

from bench.desktops import joined
from bench.goals import Floor, Goal, tell, tell_distribution

DEMO = Path(__file__).resolve().parent.parent / "demo"
SCREEN = Size(1920, 1080)
RUN_SECONDS = 180.0
PATIENT = """
Click "Clear"
Type {id} into "Patient ID"
Type {last_name} into "Last name"
Type {first_name} into "First name"
Click "Search"
Wait until "1 found" appears
Click "Open chart"
Wait until "Close chart" appears
Read the text right of "MRN" as mrn
Click "Close chart"
"""
PROMPT = PATIENT + 'Wait until "Patient ID" appears' + PATIENT
LOGIN = """
Type "clinic" into "User name"
Type "legacy" into "Password"
Click "Log in"
Wait until "Patient ID" appears
"""
PATIENTS = 6
IN_THE_MOMENT = frozenset({"click", "type"})
"""Steps to which the clinic reacts at once. The others wait for it, or read the screen anew."""

AGENT_STEP_SECONDS = 4.0
"""Of an agent that asks a language model for each step: the middle of the 3 to 5 s that screenshot, answer
and action were measured to take together (datarekha.com, "Computer-use latency engineering", 14 May 2026).
It is a low figure: OSWorld-Human (arXiv 2506.16042) finds that later steps take up to three times as long as
first ones."""

STEP = Goal("replay_step_p50_ms", 60)
GUARD = Goal("replay_guard_1080p_p95_ms", 30)
CALLS = Goal("replay_model_calls", 0)
FASTER = Floor("replay_times_faster_than_an_agent", 13)


def measure() -> None:
    with TemporaryDirectory() as text:
        folder = Path(text)
        server = ServerProgram(folder)
        clinic = [sys.executable, str(DEMO / "clinic")]
        with (
            server.up(),
            joined(server, SCREEN, clinic, folder),
            CyberdeskClient(server.api_key, base_url=server.base_url) as client,
        ):
            until(lambda: _connected(client), what="the machine")
            _measure(client)


def _measure(client: CyberdeskClient) -> None:
    _run(client, _workflow(client, LOGIN), {})
    workflow_id = _workflow(client, PROMPT)
    patients = _patients()
    by_steps = [_run(client, workflow_id, patients[0])]
    _approve(client, workflow_id)
    # In turns, because other work on the machine slows both down.
    replays: list[RunResponse] = []
    beside = _workflow(client, PROMPT)
    for patient in patients:
        replays.append(_run(client, workflow_id, patient))
        by_steps.append(_run(client, beside, patient))
    tell("replay_steps_in_a_run", len(_calls(replays[0])))
    tell("replay_run_seconds", median(map(_seconds, replays)))
    tell("replay_run_by_steps_seconds", median(map(_seconds, by_steps)))
    tell("replay_times_faster_than_steps", median(map(_seconds, by_steps)) / median(map(_seconds, replays)))
    agent_seconds = AGENT_STEP_SECONDS * len(_calls(replays[0]))
    tell("replay_run_by_an_agent_seconds", agent_seconds)
    steps = [milliseconds for run in replays for milliseconds in _step_milliseconds(run)]
    tell_distribution("replay_step", steps)
    guard = [milliseconds for run in replays for milliseconds in _guard_milliseconds(run)]
    tell_distribution("replay_guard_1080p", guard)
    STEP.tell(median(steps))
    GUARD.tell(sorted(guard)[int(0.95 * len(guard))])
    CALLS.tell(sum(map(_model_calls, replays)))
    FASTER.tell(agent_seconds / median(map(_seconds, replays)))
    # Tables with more or fewer rows push the rest of the page: what stands there is looked at by the model.
    others = [_run(client, workflow_id, patient) for patient in _patients(are_alike=False)]
    tell("replay_model_calls_a_run_with_other_tables", sum(map(_model_calls, others)) / len(others))


def _model_calls(run: RunResponse) -> int:
    return sum(kind == "agentic" for kind, *_ in _calls(run))


def _patients(*, are_alike: bool = True) -> list[dict[str, Any]]:
    """Patients whose chart has as many rows as the first one's, or those with more or fewer."""
    sys.path.insert(0, str(DEMO))
    from clinic.generated import generated_register

    register = list(generated_register())
    some = [one for one in register if (_rows(one) == _rows(register[0])) == are_alike]
    return [
        {"id": one.patient_id, "last_name": one.last_name, "first_name": one.first_name}
        for one in some[:PATIENTS]
    ]


def _rows(patient: Any) -> tuple[int, int]:
    return len(patient.medications), len(patient.vitals)


def _workflow(client: CyberdeskClient, prompt: str) -> str:
    made = client.workflows.create_sync(WorkflowCreate(name="bench", main_prompt=prompt)).data
    assert made is not None
    return str(made.id)


def _approve(client: CyberdeskClient, workflow_id: str) -> None:
    found = client.trajectories.list_sync(workflow_id=workflow_id).data
    assert found is not None
    [recording] = found.items
    assert (
        client.trajectories.update_sync(str(recording.id), TrajectoryUpdate(is_approved=True)).error is None
    )


def _run(client: CyberdeskClient, workflow_id: str, inputs: dict[str, Any]) -> RunResponse:
    made = client.runs.create_sync(RunCreate(workflow_id=workflow_id, input_values=inputs)).data
    assert made is not None
    run = client.runs.wait_sync(made.id, timeout_seconds=RUN_SECONDS).data
    assert run is not None
    assert run.status == "success", run.error
    return run


def _seconds(run: RunResponse) -> float:
    assert run.started_at is not None
    assert run.ended_at is not None
    return (run.ended_at - run.started_at).total_seconds()


def _calls(run: RunResponse) -> Sequence[tuple[str, str, datetime]]:
    """How each step was decided, its tool, and when it had ended."""
    tools = [
        (message["step_kind"], block["tool_name"])
        for message in run.run_message_history or []
        for block in message["content"]
        if block["type"] == "tool_use"
    ]
    ends = [
        datetime.fromisoformat(message["timestamp"])
        for message in run.run_message_history or []
        if any(block["type"] == "tool_result" for block in message["content"])
    ]
    return [(kind, tool, end) for (kind, tool), end in zip(tools, ends, strict=True)]


def _step_milliseconds(run: RunResponse) -> Iterator[float]:
    """From the end of the step before to the end of the step, for those that nobody waits for."""
    for (_, before, since), (kind, tool, end) in pairwise(_calls(run)):
        if kind == "cached" and {before, tool} <= IN_THE_MOMENT:
            yield (end - since).total_seconds() * 1000


def _guard_milliseconds(run: RunResponse) -> Iterator[float]:
    """Of the comparisons that the digest of the screen did not spare."""
    for message in run.run_message_history or []:
        told = message.get("cache_detection")
        if told and told["milliseconds"]:
            yield told["milliseconds"]


def _connected(client: CyberdeskClient) -> bool:
    machines = client.machines.list_sync().data
    return machines is not None and any(one.status == "connected" for one in machines.items)


if __name__ == "__main__":
    measure()
