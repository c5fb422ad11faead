"""A workflow drives a legacy clinic program: two patients are read from their charts, a third does not exist.

python demo/run_demo.py            # or: make demo
python demo/run_demo.py --keep     # leaves server and desktop running until ctrl-C
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import report
from cyberdesk import CyberdeskClient, MachineResponse, MachineStatus, RunCreate, RunResponse, WorkflowCreate
from stage import MACHINE_NAME, Stage, StageError, stage
from story import Step, Story, steps_of

DEMO = Path(__file__).resolve().parent
WORKFLOW_NAME = "Patient lookup"
CLINIC_USER, CLINIC_PASSWORD = "clinic", "legacy"
PROGRAM = (sys.executable, str(DEMO / "clinic"))
_GOING_ON = ("scheduling", "running", "running_checks")
_POLL_SECONDS = 0.25
_MACHINE_SECONDS = 30
_RUN_SECONDS = 120
_READ_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Patient:
    """Who is looked up, and how the run is expected to end."""

    patient_id: str
    first_name: str
    last_name: str
    expected: str = "success"


PATIENTS = (
    Patient("12345", "John", "Doe"),
    Patient("11026", "Fatima", "Santos"),
    Patient("99999", "Nobody", "Known", expected="task_failed"),
)


say = partial(print, flush=True)


class DemoError(Exception):
    """The demo cannot go on; the text is for the person who watches."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the demo. Exit status 0 when every run ended as expected, 1 when not, 130 after ctrl-C."""
    options = _options(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    began = time.monotonic()
    try:
        if find_spec("_tkinter") is None:
            raise DemoError("this Python has no Tk: install the package python3-tk")
        with stage(PROGRAM, {"CLINIC_PASSWORD": CLINIC_PASSWORD}) as here:
            say(f"The server is up at {here.base_url}")
            with CyberdeskClient(here.api_key, base_url=here.base_url) as client:
                machine = _connected_machine(client, here)
                say(f"Machine {machine.name!r} is connected")
                is_as_expected = _play(client, machine, options.pages)
            say(f"\nThree runs in {time.monotonic() - began:.0f} s, start of server and desktop included")
            if options.keep:
                _wait_for_the_visitor(here, machine)
        return 0 if is_as_expected else 1
    except KeyboardInterrupt:
        say("\nStopped; nothing is left running", file=sys.stderr)
        return 130
    except (DemoError, StageError) as problem:
        say(f"demo: {problem}", file=sys.stderr)
        return 1


def _play(client: CyberdeskClient, machine: MachineResponse, pages: Path) -> bool:
    """Make the workflow and run it for every patient; true if every run ended as expected."""
    prompt = (DEMO / "workflow.txt").read_text(encoding="utf-8")
    workflow = _answer(client.workflows.create_sync(WorkflowCreate(name=WORKFLOW_NAME, main_prompt=prompt)))
    outcomes = [_look_up(client, str(workflow.id), str(machine.id), patient, pages) for patient in PATIENTS]
    return all(outcomes)


def _look_up(
    client: CyberdeskClient, workflow_id: str, machine_id: str, patient: Patient, pages: Path
) -> bool:
    """Run the workflow for one patient and show what came out; true if it ended as expected."""
    say(f"\n{patient.first_name} {patient.last_name} ({patient.patient_id})")
    run_data = RunCreate(
        workflow_id=workflow_id,
        machine_id=machine_id,
        input_values={
            "patient_id": patient.patient_id,
            "patient_first_name": patient.first_name,
            "patient_last_name": patient.last_name,
            "username": CLINIC_USER,
        },
        sensitive_input_values={"password": CLINIC_PASSWORD},
    )
    run = _watched(client, _answer(client.runs.create_sync(run_data)))
    if run.status == "success":
        _print_patient(run.output_data or {})
    else:
        say(f"  {run.status}: {', '.join(run.error or [])}")
    story = _story(run)
    path = report.write(story, _images(client, story), pages / f"{patient.patient_id}.html")
    say(f"  Step by step: {path.as_uri()}")
    return bool(run.status == patient.expected)


def _watched(client: CyberdeskClient, run: RunResponse) -> RunResponse:
    """Print each step as it is done, until the run has ended."""
    printed = 0
    deadline = time.monotonic() + _RUN_SECONDS
    while True:
        is_over = run.status not in _GOING_ON
        steps = steps_of(run.run_message_history or [])
        done = [step for step in steps if is_over or step.ended_at is not None]
        for number, step in enumerate(done[printed:], start=printed + 1):
            _print_step(number, step)
        printed = max(printed, len(done))
        if is_over:
            return run
        if time.monotonic() > deadline:
            raise DemoError(f"run {run.id} has not ended within {_RUN_SECONDS} s")
        time.sleep(_POLL_SECONDS)
        run = _answer(client.runs.get_sync(str(run.id)))


def _print_step(number: int, step: Step) -> None:
    took = f"{step.seconds:4.1f} s" if step.seconds is not None else " " * 6
    title = step.title.splitlines()[0] if step.title else ""
    read = f"  ->  {_one_line(step.answers[0])}" if step.tool == "screenshot" and step.answers else ""
    say(f"  {number:3}  {took}  {title}{read}")


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _READ_CHARACTERS else f"{line[: _READ_CHARACTERS - 1]}…"


def _print_patient(output: dict[str, Any]) -> None:
    for name in ("demographics", "medications", "recentVitals", "lastUpdated"):
        value = output.get(name)
        if isinstance(value, dict):
            value = [value]
        if isinstance(value, list):
            say(f"  {name}")
            for row in value:
                say("      " + "   ".join(f"{key}: {text}" for key, text in row.items()))
        else:
            say(f"  {name}: {value}")


def _story(run: RunResponse) -> Story:
    return Story(
        run_id=str(run.id),
        status=str(run.status),
        workflow=WORKFLOW_NAME,
        inputs=run.input_values or {},
        output=run.output_data,
        errors=tuple(run.error or ()),
        started_at=run.started_at,
        ended_at=run.ended_at,
        steps=steps_of(run.run_message_history or []),
    )


def _images(client: CyberdeskClient, story: Story) -> dict[str, bytes]:
    """The screenshots of a run, by their addresses in its history."""
    images = {}
    for address in story.screens:
        link = _answer(client.runs.get_image_signed_url_sync(story.run_id, image_url=address))
        answer = httpx.get(link.signed_url, timeout=10)
        answer.raise_for_status()
        images[address] = answer.content
    return images


def _connected_machine(client: CyberdeskClient, here: Stage) -> MachineResponse:
    deadline = time.monotonic() + _MACHINE_SECONDS
    while time.monotonic() < deadline:
        here.check()
        machines: list[MachineResponse] = _answer(
            client.machines.list_sync(status=MachineStatus.CONNECTED)
        ).items
        for machine in machines:
            if machine.name == MACHINE_NAME:
                return machine
        time.sleep(_POLL_SECONDS)
    raise DemoError(f"the desktop has not joined within {_MACHINE_SECONDS} s")


def _answer(response: Any) -> Any:
    """What the SDK answered, or a `DemoError` with its reason."""
    if response.error:
        raise DemoError(str(response.error))
    return response.data


def _wait_for_the_visitor(here: Stage, machine: MachineResponse) -> None:
    say(f"""
Server  {here.base_url}   (what it can do: {here.base_url}/docs)
API key {here.api_key}
Logs    {here.folder}
Machine {machine.id}

ctrl-C ends everything""")
    while True:
        here.check()
        time.sleep(1)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Watch a workflow drive a legacy clinic program.")
    parser.add_argument("--keep", action="store_true", help="leave server and desktop running until ctrl-C")
    parser.add_argument(
        "--pages",
        type=Path,
        default=DEMO.parent / "var" / "demo",
        metavar="FOLDER",
        help="where the pages that show the runs are written; default: %(default)s",
    )
    return parser.parse_args(arguments)


def _leave(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
