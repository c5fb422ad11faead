"""What the vendor's two documents say in words, held against a real server and a real desktop.

The docstring of each test is the sentence it holds us to, word for word.
"""

import asyncio
import base64
import io
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cyberdesk import (
    AttachmentType,
    Conflict,
    FileInput,
    HTTPValidationError,
    MachinePoolAssignment,
    MachinePoolUpdate,
    MachineUpdate,
    PoolCreate,
    RunAttachmentCreate,
    RunBulkCreate,
    RunCreate,
    RunField,
    RunRetry,
    RunStatus,
    RunUpdate,
    WorkflowChainCreate,
)
from PIL import Image

pytestmark = pytest.mark.slow

DOCUMENTS = Path(__file__).resolve().parents[2] / "packages" / "sdk" / "tests" / "documents"
PROGRAMS = Path(__file__).resolve().parent / "programs"
PROMPT = 'Succeed with "done"'
CONTENT = base64.b64encode(b"Dear reader").decode()
RUN_SECONDS = 90


class Office:
    """What the tests have on the server; its machines never connect, so that their runs wait."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.client = site.client
        self.workflow_id = site.workflow(PROMPT)

    def machine(self) -> str:
        machine_id: str = self.site.spare_machine()
        return machine_id

    def pool(self) -> str:
        return str(self.client.pools.create_sync(PoolCreate(name=f"pool {uuid4()}")).unwrap().id)

    def run(self, **fields: Any) -> Any:
        fields = {"workflow_id": self.workflow_id, "machine_id": self.machine(), **fields}
        return self.client.runs.create_sync(RunCreate(**fields)).unwrap()

    def ended(self, status: RunStatus = RunStatus.SUCCESS, **fields: Any) -> Any:
        """A run that was ended with output."""
        update = RunUpdate(status=status, output_data={"result": 1}, run_message_history=[{"role": "user"}])
        return self.client.runs.update_sync(self.run(**fields).id, update).unwrap()

    def retried(self, run: Any, **fields: Any) -> Any:
        return self.client.runs.retry_sync(run.id, RunRetry(**fields)).unwrap()

    def attachments(self, run_id: Any, kind: AttachmentType) -> list[Any]:
        page = self.client.run_attachments.list_sync(run_id=run_id, attachment_type=kind).unwrap()
        return list(page.items)

    def chain(self, *steps: dict[str, Any], **fields: Any) -> list[Any]:
        """The runs of a new chain, by its own order."""
        order = WorkflowChainCreate.from_dict({**fields, "steps": list(steps)})
        made = self.client.runs.chain_sync(order).unwrap()
        return [self.client.runs.get_sync(run_id).unwrap() for run_id in made.run_ids]

    def get(self, run: Any) -> Any:
        return self.client.runs.get_sync(run.id).unwrap()

    def tag(self, **fields: Any) -> Any:
        return self.client.workflow_tags.create_sync(name=f"tag {uuid4()}", **fields).unwrap()

    def group(self) -> Any:
        return self.client.workflow_tag_groups.create_sync(name=f"group {uuid4()}").unwrap()

    def tags_of(self, workflow_id: str) -> list[Any]:
        found = self.client.workflow_tags.get_for_workflow_sync(workflow_id).unwrap()
        return [tag.id for tag in found]


@pytest.fixture(scope="module")
def office(site: Any) -> Office:
    return Office(site)


@pytest.fixture(scope="module")
def desktop(site: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with site.machines(tmp_path_factory.mktemp("desktop")) as machine_for:
        yield machine_for("xterm", name="desktop of the sentences")


def a_file(name: str = "a.txt", **fields: Any) -> FileInput:
    return FileInput(filename=name, content=CONTENT, **fields)


def echo(text: str, file: Path) -> str:
    """A prompt that writes the text into the file."""
    return f"Run the command \"echo '{text}' >> '{file}'\""


def plain(text: str) -> str:
    """Without markup, in one line."""
    return " ".join(re.sub(r"</?code>|[`*\\]", "", text).split())


def test_every_sentence_stands_in_a_document() -> None:
    documents = plain(" ".join(path.read_text(encoding="utf-8") for path in DOCUMENTS.glob("*.md")))
    sentences = [
        plain(test.__doc__ or test.__name__)
        for name, test in globals().items()
        if name.startswith("test_") and name != "test_every_sentence_stands_in_a_document"
    ]

    assert [sentence for sentence in sentences if sentence not in documents] == []


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


# Sessions and chains


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


# Prompt images, pools and tags


def test_a_prompt_image_is_found_on_the_screen(office: Office, desktop: Any, tmp_path: Path) -> None:
    """Cyberdesk automatically resolves these URLs when running workflows"""
    screen = Image.open(io.BytesIO(office.client.computer.screenshot_sync(desktop.id).unwrap()))
    places = [(x, y, x + 120, y + 40) for x in range(0, 1160, 40) for y in range(0, 760, 20)]
    busiest = max(places, key=lambda box: screen.crop(box).convert("L").entropy())
    screen.crop(busiest).save(tmp_path / "part.png")
    image = office.client.workflows.upload_prompt_image_sync(file_path=str(tmp_path / "part.png")).unwrap()

    run = office.site.run(f'<p>Click <img src="{image.supabase_url}" alt="part"></p>', desktop)

    place = office.client.computer.mouse_position_sync(desktop.id).unwrap()
    left, top, right, bottom = busiest
    assert (run.status, run.error) == ("success", None)
    assert left <= place.x <= right
    assert top <= place.y <= bottom


def test_a_pool_tells_its_machines_when_asked(office: Office) -> None:
    """Get a pool (with optional machine list)"""
    pool, machine = office.pool(), office.machine()
    office.client.pools.add_machines_sync(pool, MachinePoolAssignment([machine])).unwrap()

    asked = office.client.pools.get_sync(pool, include_machines=True).unwrap()

    assert [str(one.id) for one in asked.machines] == [machine]
    assert not office.client.pools.get_sync(pool).unwrap().machines


def test_a_workflow_has_one_tag_of_a_group(office: Office) -> None:
    """adding it to a workflow automatically removes any other tag from the same group."""
    group, workflow = office.group(), office.site.workflow(PROMPT)
    draft, published, other = office.tag(group_id=group.id), office.tag(group_id=group.id), office.tag()
    office.client.workflow_tags.add_to_workflow_sync(workflow, [draft.id, other.id]).unwrap()

    office.client.workflow_tags.add_to_workflow_sync(workflow, [published.id]).unwrap()

    assert set(office.tags_of(workflow)) == {other.id, published.id}


def test_an_archived_tag_stays_where_it_is(office: Office) -> None:
    """Archive a tag (soft delete - keeps on existing workflows)"""
    tag, workflow = office.tag(), office.site.workflow(PROMPT)
    office.client.workflow_tags.add_to_workflow_sync(workflow, [tag.id]).unwrap()

    office.client.workflow_tags.archive_sync(tag.id).unwrap()

    assert office.tags_of(workflow) == [tag.id]


def test_tags_outlive_their_group(office: Office) -> None:
    """Delete a group (tags become ungrouped, not deleted)"""
    group = office.group()
    tag = office.tag(group_id=group.id)

    office.client.workflow_tag_groups.delete_sync(group.id)

    assert office.client.workflow_tags.get_sync(tag.id).unwrap().group_id is None


# Models, usage, errors


def test_models_of_the_system_are_listed_too(office: Office) -> None:
    """List all model configurations (system defaults + org-owned)"""
    listed = office.client.model_configurations.list_sync().unwrap()

    assert any(one.is_system_default for one in listed)


def test_usage_of_a_range_is_added_up(office: Office, desktop: Any) -> None:
    """Aggregate usage data for a date range"""
    begun = datetime.now(UTC)
    office.site.run(PROMPT, desktop)

    usage = office.client.usage.aggregate_sync(
        from_date=begun, to_date=datetime.now(UTC) + timedelta(minutes=1)
    ).unwrap()
    before = office.client.usage.aggregate_sync(from_date=begun - timedelta(days=9), to_date=begun)

    assert usage.runs_counted >= 1
    assert usage.total_agentic_steps + usage.total_cached_steps >= 1
    assert before.unwrap().period_end <= begun


def test_validation_errors_are_data(office: Office) -> None:
    """returned in response.data.detail, not response.error."""
    refused = [
        office.client.runs.create_sync(RunCreate(workflow_id="no id")),
        office.client.runs.list_sync(limit=-1),
        office.client.workflow_tags.reorder_sync(["no id"]),
    ]

    assert [(answer.error, bool(answer.data.detail)) for answer in refused] == [(None, True)] * 3


def test_sync_methods_work_where_a_loop_runs(office: Office) -> None:
    """The SDK works seamlessly in Jupyter notebooks:"""

    async def cell() -> Any:
        sync = office.client.runs.list_sync(limit=1)
        return sync.unwrap(), (await office.client.runs.list(limit=1)).unwrap()

    assert all(page.items for page in asyncio.run(cell()))
