"""Files of runs, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from cyberdesk_server.domain.attachments import Attachment, AttachmentType, StoredFile
from cyberdesk_server.domain.ids import AttachmentId
from cyberdesk_server.domain.runs import Run
from cyberdesk_server.store import attachments
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_run, a_workflow, an_organization


async def some_runs(database: Database, count: int) -> list[Run]:
    async with database.transaction() as conn:
        workflow = await a_workflow(conn, await an_organization(conn))
        return [await a_run(conn, workflow) for _ in range(count)]


def an_attachment(run: Run, **fields: object) -> Attachment:
    attachment = Attachment(
        id=AttachmentId(uuid4()),
        organization_id=run.organization_id,
        run_id=run.id,
        type=AttachmentType.OUTPUT,
        filename="łóżko\n.txt",
        content_type="text/plain",
        size_bytes=3,
        blob_key=f"run-attachments/{uuid4()}",
        created_at=NOON,
    )
    return replace(attachment, **fields)  # type: ignore[arg-type]  # tests name fields of the attachment


def a_file(blob_key: str) -> StoredFile:
    return StoredFile("in.txt", "text/plain", 3, blob_key, "~/in/", cleanup_imports_after_run=True)


async def test_a_file_is_found_by_its_organization_run_and_type(database: Database) -> None:
    run, other_run = await some_runs(database, 2)
    output = an_attachment(run)
    input_ = an_attachment(run, type=AttachmentType.INPUT, created_at=NOON + timedelta(seconds=1))
    of_other = an_attachment(other_run, created_at=NOON + timedelta(seconds=2))
    async with database.transaction() as conn:
        stranger = await an_organization(conn, "org_stranger")
        for attachment in (output, input_, of_other):
            await attachments.add(conn, attachment)

        assert await attachments.get(conn, run.organization_id, output.id, now=NOON) == output
        assert await attachments.get(conn, stranger, output.id, now=NOON) is None
        everything = await attachments.find(conn, run.organization_id, now=NOON)
        second = await attachments.find(conn, run.organization_id, now=NOON, skip=1, limit=1)
        outputs = await attachments.find(
            conn, run.organization_id, run_id=run.id, type_=AttachmentType.OUTPUT, now=NOON
        )

    assert everything == ([output, input_, of_other], 3)
    assert second == ([input_], 3)
    assert outputs == ([output], 1)


async def test_a_file_whose_time_is_up_is_nowhere(database: Database) -> None:
    [run] = await some_runs(database, 1)
    expiring = an_attachment(run, type=AttachmentType.INPUT, expires_at=NOON + timedelta(minutes=1))
    later = NOON + timedelta(minutes=1)
    async with database.transaction() as conn:
        await attachments.add(conn, expiring)

        assert await attachments.inputs_of(conn, run.id, now=NOON) == (expiring,)
        assert await attachments.inputs_of(conn, run.id, now=later) == ()
        assert await attachments.get(conn, run.organization_id, expiring.id, now=later) is None
        assert await attachments.find(conn, run.organization_id, now=later) == ([], 0)
        assert await attachments.remove_expired(conn, now=NOON) == ()
        assert await attachments.remove_expired(conn, now=later) == (expiring.blob_key,)


async def test_runs_share_a_content_until_the_last_of_them_forgets_it(database: Database) -> None:
    first, second = await some_runs(database, 2)
    async with database.transaction() as conn:
        await attachments.add_inputs(
            conn, first.organization_id, [first.id, second.id], [a_file("shared")], now=NOON
        )

        assert await attachments.in_use(conn, ["shared", "other"]) == {"shared"}
        assert await attachments.forget_all(conn, first.id) == ()
        assert [file.blob_key for file in await attachments.inputs_of(conn, second.id, now=NOON)] == [
            "shared"
        ]
        assert await attachments.forget_all(conn, second.id) == ("shared",)
        assert await attachments.in_use(conn, ["shared"]) == frozenset()


async def test_new_inputs_replace_the_old_ones_and_leave_outputs_alone(database: Database) -> None:
    [run] = await some_runs(database, 1)
    output = an_attachment(run)
    async with database.transaction() as conn:
        await attachments.add(conn, output)
        await attachments.add_inputs(conn, run.organization_id, [run.id], [a_file("old")], now=NOON)

        orphans = await attachments.replace_inputs(
            conn, run.organization_id, run.id, [a_file("new")], now=NOON
        )

        [kept] = await attachments.inputs_of(conn, run.id, now=NOON)
        assert orphans == ("old",)
        assert (kept.blob_key, kept.target_path, kept.cleanup_imports_after_run) == ("new", "~/in/", True)
        assert await attachments.forget_outputs(conn, run.id) == (output.blob_key,)
        assert await attachments.inputs_of(conn, run.id, now=NOON) == (kept,)
