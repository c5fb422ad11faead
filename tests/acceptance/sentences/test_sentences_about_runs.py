"""What the vendor's two documents say of runs, files and retries, held against a real server and desktop.

The docstring of each test is the sentence it holds us to, word for word.
"""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from cyberdesk import (
    AttachmentType,
    Conflict,
    MachinePoolUpdate,
    MachineUpdate,
    RunAttachmentCreate,
    RunBulkCreate,
    RunField,
    RunRetry,
    RunStatus,
    RunUpdate,
)

from tests.acceptance.sentences.office import (
    CONTENT,
    PROMPT,
    RUN_SECONDS,
    Office,
    a_file,
    echo,
    in_no_document,
)

pytestmark = pytest.mark.slow


def test_every_sentence_stands_in_a_document() -> None:
    assert in_no_document(globals()) == []


# Creating and listing runs


def test_a_machine_decides_before_pools(office: Office) -> None:
    """If you provide a machine_id when creating a run, pool_ids are ignored."""
    machine = office.machine()

    run = office.run(machine_id=machine, pool_ids=[office.pool()])

    assert (str(run.machine_id), run.pool_ids) == (machine, None)


def test_a_machine_decides_before_pools_in_bulk(office: Office) -> None:
    """If you provide a machine_id in a bulk run request, pool_ids are ignored for those runs."""
    machine = office.machine()

    made = office.client.runs.bulk_create_sync(
        RunBulkCreate(workflow_id=office.workflow_id, count=2, machine_id=machine, pool_ids=[office.pool()])
    ).unwrap()

    assert [(str(run.machine_id), run.pool_ids) for run in made.created_runs] == [(machine, None)] * 2


def test_a_run_waits_for_a_machine_in_all_its_pools(office: Office, desktop: Any, until: Any) -> None:
    """Cyberdesk will only select machines that belong to ALL specified pools (intersection)."""
    one, other = office.pool(), office.pool()
    office.client.machines.update_pools_sync(desktop.id, MachinePoolUpdate([one])).unwrap()
    in_both = office.run(machine_id=None, pool_ids=[one, other])
    in_one = office.run(machine_id=None, pool_ids=[one])

    until(lambda: office.get(in_one).status == "success", seconds=RUN_SECONDS, what="the run of one pool")
    assert office.get(in_both).status == "scheduling"

    office.client.machines.update_pools_sync(desktop.id, MachinePoolUpdate([one, other])).unwrap()
    until(lambda: office.get(in_both).status == "success", seconds=RUN_SECONDS, what="the run of both pools")


def test_base_fields_are_always_there(office: Office) -> None:
    """Base fields always included: id, workflow_id, machine_id, status, created_at."""
    run = office.run()

    page = office.client.runs.list_sync(workflow_id=office.workflow_id, fields=[RunField.INPUT_VALUES])

    answer = next(one for one in json.loads(page.content)["items"] if one["id"] == str(run.id))
    assert set(answer) == {"id", "workflow_id", "machine_id", "status", "created_at", "input_values"}


def test_a_list_without_fields_has_everything(office: Office) -> None:
    """If you need full records (including run_message_history), call list() without fields."""
    run = office.ended()

    page = office.client.runs.list_sync(machine_id=run.machine_id).unwrap()

    assert [one.run_message_history for one in page.items] == [[{"role": "user"}]]


def test_the_machine_overrides_the_run(office: Office, desktop: Any, tmp_path: Path) -> None:
    """Desktop parameters automatically override run-level inputs and persist across runs."""
    said = tmp_path / "said"
    parameters = MachineUpdate(machine_parameters={"username": "of_the_machine"})
    office.client.machines.update_sync(desktop.id, parameters).unwrap()

    for _ in range(2):
        inputs = {"username": "of_the_run"}
        run = office.site.run(echo("{username}", said), desktop, input_values=inputs)
        assert (run.status, run.error) == ("success", None)

    office.client.machines.update_sync(desktop.id, MachineUpdate(machine_parameters={})).unwrap()
    assert said.read_text().split() == ["of_the_machine"] * 2


def test_prompts_reach_into_nested_inputs(office: Office, desktop: Any, tmp_path: Path) -> None:
    """Pass nested objects and access them in prompts with dot notation like {insurance.provider}."""
    said = tmp_path / "said"

    run = office.site.run(
        echo("{insurance.provider}", said), desktop, input_values={"insurance": {"provider": "Blue Cross"}}
    )

    assert (run.status, said.read_text()) == ("success", "Blue Cross\n")


def test_secrets_live_as_long_as_their_run(office: Office) -> None:
    """After the run completes, these sensitive values are deleted from the vault."""
    path = office.site.server.data_dir / "cyberdesk.sqlite3"

    def sealed() -> int:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            [[count]] = database.execute("SELECT count(*) FROM secrets WHERE run_id IS NOT NULL")
        return int(count)

    before = sealed()
    run = office.run(sensitive_input_values={"password": "s3cr3t"})
    assert sealed() == before + 1

    office.client.runs.update_sync(run.id, RunUpdate(status=RunStatus.SUCCESS)).unwrap()

    assert sealed() == before


# Retrying


def test_a_run_under_way_is_not_retried(office: Office) -> None:
    """Retry is allowed only for terminal runs: success, task_failed, error, or cancelled."""
    refused = office.client.runs.retry_sync(office.run().id, RunRetry())

    assert isinstance(refused.error, Conflict)
    for status in ("success", "task_failed", "error", "cancelled"):
        assert office.retried(office.ended(RunStatus(status))).status == "scheduling"


def test_a_retry_clears_what_came_of_the_run(office: Office) -> None:
    """Outputs, history, and output attachments are always cleared."""
    run = office.ended()
    output = RunAttachmentCreate(run.id, "out.txt", CONTENT, "text/plain", AttachmentType.OUTPUT)
    office.client.run_attachments.create_sync(output).unwrap()

    again = office.retried(run)

    assert (again.output_data, again.error, again.ended_at) == (None, None, None)
    assert (again.run_message_history or [], again.output_attachment_ids or []) == ([], [])
    assert office.attachments(run.id, AttachmentType.OUTPUT) == []


def test_a_retry_keeps_input_files_or_replaces_them(office: Office) -> None:
    """Prior input attachments are kept unless you provide file_inputs (then they are replaced)."""
    run = office.ended(file_inputs=[a_file("old.txt")])

    def names() -> list[str]:
        return [one.filename for one in office.attachments(run.id, AttachmentType.INPUT)]

    office.retried(run)
    kept = names()
    office.client.runs.update_sync(run.id, RunUpdate(status=RunStatus.CANCELLED)).unwrap()
    office.retried(run, file_inputs=[a_file("new.txt")])

    assert (kept, names()) == (["old.txt"], ["new.txt"])


def test_a_retry_has_its_own_secrets(office: Office) -> None:
    """If you provide sensitive_input_values, new secrets are created; otherwise sensitive aliases are
    cleared."""
    first, second = (office.ended(sensitive_input_values={"old": "s3cr3t"}) for _ in range(2))

    without = office.retried(first)
    with_new = office.retried(second, sensitive_input_values={"new": "s3cr3t"})

    assert without.sensitive_input_aliases in (None, {})
    assert list(with_new.sensitive_input_aliases) == ["new"]


def test_a_retry_keeps_inputs(office: Office) -> None:
    """only send input_values if you want to change them; otherwise the previous ones are reused."""
    run = office.ended(input_values={"patient_id": "12345"})

    assert office.retried(run).input_values == {"patient_id": "12345"}


def test_pools_decide_before_a_machine_on_retry(office: Office) -> None:
    """if both are present, pool_ids take precedence."""
    pool = office.pool()

    again = office.retried(office.ended(), machine_id=office.machine(), pool_ids=[pool])

    assert (again.machine_id, [str(one) for one in again.pool_ids]) == (None, [pool])


def test_a_retry_keeps_its_session(office: Office) -> None:
    """default: keep existing session"""
    first = office.ended(start_session=True)
    second = office.ended(start_session=True)

    kept = office.retried(first)
    left = office.retried(second, reuse_session=False)

    assert (kept.session_id, left.session_id) == (first.session_id, None)


# Files


def test_files_go_to_the_transfer_folder_unless_told(office: Office) -> None:
    """If not provided, it defaults to ~/CyberdeskTransfers/."""
    run = office.run(file_inputs=[a_file()])

    [attachment] = office.attachments(run.id, AttachmentType.INPUT)

    assert attachment.target_path == "~/CyberdeskTransfers/"


@pytest.mark.parametrize(("prompt", "status"), [(PROMPT, "success"), ('Fail with "no"', "task_failed")])
def test_files_are_cleaned_up(
    office: Office, desktop: Any, until: Any, tmp_path: Path, prompt: str, status: str
) -> None:
    """the file will be deleted from the remote machine after the run completes (whether it succeeds or
    fails)."""
    target = tmp_path / "in here" / "a.txt"
    seen = tmp_path / "seen"
    copy = f"Run the command \"cp '{target}' '{seen}'\"\n{prompt}"
    order = a_file(target_path=str(target), cleanup_imports_after_run=True)

    run = office.site.run(copy, desktop, file_inputs=[order])

    assert (run.status, seen.read_bytes()) == (status, b"Dear reader")
    until(lambda: not target.exists(), seconds=10, what="the file removed")


def test_a_download_link_saves_a_file(office: Office) -> None:
    """Get a signed URL that triggers automatic download when accessed."""
    run = office.run()
    order = RunAttachmentCreate(run.id, "out.txt", CONTENT, "text/plain", AttachmentType.OUTPUT)
    attachment = office.client.run_attachments.create_sync(order).unwrap()
    link = office.client.run_attachments.get_download_url_sync(attachment.id).unwrap()

    answer = httpx.get(link.url)

    assert (answer.content, link.expires_in) == (b"Dear reader", 300)
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
