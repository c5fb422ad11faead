"""What the vendor's two documents say of sessions and chains, held against a real server and desktop.

The docstring of each test is the sentence it holds us to, word for word.
"""

import sys
from pathlib import Path
from typing import Any

import pytest
from cyberdesk import (
    AttachmentType,
    HTTPValidationError,
    RunCreate,
    RunStatus,
)

from tests.acceptance.sentences.office import RUN_SECONDS, Office, a_file, echo, in_no_document

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"


def test_every_sentence_stands_in_a_document() -> None:
    assert in_no_document(globals()) == []


def test_a_step_overrides_what_is_shared(office: Office) -> None:
    """shared_inputs are merged into each step, and step-level inputs override shared values when the same
    key appears in both places."""
    workflow = office.site.workflow('Type "{topic} {place}"')

    first, second = office.chain(
        {"workflow_id": workflow},
        {"workflow_id": workflow, "inputs": {"topic": "own"}},
        machine_id=office.machine(),
        shared_inputs={"topic": "shared", "place": "zoo"},
    )

    assert first.input_values == {"topic": "shared", "place": "zoo"}
    assert second.input_values == {"topic": "own", "place": "zoo"}


def test_secrets_of_a_chain_reach_every_step(office: Office) -> None:
    """shared_sensitive_inputs are available to all steps in the chain."""
    runs = office.chain(
        {"workflow_id": office.workflow_id},
        {"workflow_id": office.workflow_id, "sensitive_inputs": {"token": "t"}},
        machine_id=office.machine(),
        shared_sensitive_inputs={"api_key": "k"},
    )

    assert [sorted(run.sensitive_input_aliases) for run in runs] == [["api_key"], ["api_key", "token"]]


def test_files_of_a_chain_go_to_its_first_run(office: Office) -> None:
    """shared_file_inputs (if provided) are attached to the first run in the chain."""
    step = {"workflow_id": office.workflow_id}

    runs = office.chain(
        step, step, machine_id=office.machine(), shared_file_inputs=[a_file("a.txt").to_dict()]
    )

    files = [[one.filename for one in office.attachments(run.id, AttachmentType.INPUT)] for run in runs]
    assert files == [["a.txt"], []]


def test_the_runs_of_a_chain_are_in_order(office: Office) -> None:
    """The chain API returns run_ids in creation order"""
    steps = [{"workflow_id": office.workflow_id, "session_alias": f"step{number}"} for number in range(5)]

    runs = office.chain(*steps, machine_id=office.machine())

    assert [run.session_alias for run in runs] == [f"step{number}" for number in range(5)]
    assert sorted(runs, key=lambda run: run.created_at) == runs


@pytest.mark.parametrize(("keep", "flag"), [(False, True), (True, False)])
def test_the_last_run_of_a_chain_releases_its_session(office: Office, keep: bool, flag: bool) -> None:
    """A chain completes with keep_session_after_completion=False (the last run gets this flag)"""
    step = {"workflow_id": office.workflow_id}

    runs = office.chain(step, step, machine_id=office.machine(), keep_session_after_completion=keep)

    assert [bool(run.release_session_after) for run in runs] == [False, flag]


@pytest.mark.parametrize("status", ["success", "task_failed", "error", "cancelled"])
def test_a_session_is_released_whatever_happens(office: Office, status: str) -> None:
    """The session is released when the run completes, whether it succeeds, fails, or is cancelled."""
    run = office.ended(RunStatus(status), start_session=True, release_session_after=True)

    late = office.client.runs.create_sync(
        RunCreate(workflow_id=office.workflow_id, session_id=run.session_id)
    )

    assert run.release_session_after is True
    assert late.error is not None or isinstance(late.data, HTTPValidationError)


def test_a_run_that_breaks_a_chain_says_that_it_released_the_session(office: Office, desktop: Any) -> None:
    """A run errors, task-fails, or is cancelled and causes the session to be released"""
    breaking = office.site.workflow('Fail with "no"')

    first, second = office.chain(
        {"workflow_id": breaking}, {"workflow_id": office.workflow_id}, machine_id=desktop.id
    )

    first, second = (office.site.ended(str(run.id), seconds=RUN_SECONDS) for run in (first, second))
    assert (first.status, first.release_session_after) == ("task_failed", True)
    assert second.status == "cancelled"


@pytest.mark.parametrize("status", ["error", "task_failed", "cancelled"])
def test_a_last_run_that_fails_says_that_it_released_the_session(office: Office, status: str) -> None:
    """A run errors, task-fails, or is cancelled and causes the session to be released"""
    run = office.ended(RunStatus(status), start_session=True)

    assert run.release_session_after is True


def test_a_session_has_its_machine_alone(office: Office, desktop: Any) -> None:
    """While a session is active, that machine is dedicated to your session only — no unrelated runs will be
    scheduled onto it."""
    here = {"machine_id": desktop.id}
    first = office.run(**here, start_session=True)
    office.site.ended(str(first.id), seconds=RUN_SECONDS)
    stranger = office.run(**here)
    last = office.run(machine_id=None, session_id=first.session_id, release_session_after=True)

    last = office.site.ended(str(last.id), seconds=RUN_SECONDS)
    stranger = office.site.ended(str(stranger.id), seconds=RUN_SECONDS)

    assert (last.status, stranger.status) == ("success", "success")
    assert stranger.created_at < last.created_at <= last.ended_at <= stranger.started_at


def test_a_kept_session_goes_on_with_another_chain(office: Office, desktop: Any) -> None:
    """Later you can start another chain with session_id to continue work on the same machine."""
    step = {"workflow_id": office.workflow_id}
    [first] = office.chain(step, machine_id=desktop.id, keep_session_after_completion=True)
    office.site.ended(str(first.id), seconds=RUN_SECONDS)

    [second] = office.chain(step, session_id=str(first.session_id))

    second = office.site.ended(str(second.id), seconds=RUN_SECONDS)
    assert (second.status, str(second.machine_id)) == ("success", desktop.id)


def test_a_step_gets_what_an_earlier_one_found(office: Office, desktop: Any, tmp_path: Path) -> None:
    """simply reference a previous step's output using a JSON object:"""
    said = tmp_path / "said"
    finds = office.site.workflow('Check whether "nothing of this kind" is visible as found')

    runs = office.chain(
        {"workflow_id": finds, "session_alias": "step1"},
        {
            "workflow_id": office.site.workflow(echo("{it}", said)),
            "inputs": {"it": {"$ref": "step1.outputs.found"}},
        },
        machine_id=desktop.id,
    )

    assert [office.site.ended(str(run.id)).status for run in runs] == ["success", "success"]
    assert said.read_text().strip().lower() == "false"


def test_a_step_overrides_a_shared_secret(
    office: Office, machine_for: Any, until: Any, tmp_path: Path
) -> None:
    """If the same key exists in both, the step-specific value takes precedence."""
    typed = tmp_path / "typed.bin"
    recorder = (sys.executable, str(PROGRAMS / "byte_recorder.py"), str(typed))
    machine = machine_for("xterm", "-wf", "-e", *recorder, name="typed secrets")  # -wf: first the window
    until(typed.exists, what="the recorder")
    types = office.site.workflow("Wait 1 second\nType {$token}")

    runs = office.chain(
        {"workflow_id": types, "sensitive_inputs": {"token": "own"}},
        {"workflow_id": types},
        machine_id=machine.id,
        shared_sensitive_inputs={"token": "shared"},
    )

    assert [office.site.ended(str(run.id)).status for run in runs] == ["success", "success"]
    assert typed.read_bytes() == b"ownshared"
