"""Files of runs between the blob store and the database."""

import base64
from datetime import timedelta

import pytest
from cyberdesk_server.domain import attachments as domain
from cyberdesk_server.domain.base64_text import Base64Text
from cyberdesk_server.domain.refusals import InvalidFields, Problem
from cyberdesk_server.domain.runs import Run
from cyberdesk_server.store import attachments as stored_attachments
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import MemoryBlobs
from cyberdesk_server.testing.rows import NOON, a_run, a_workflow, an_organization
from cyberdesk_server.usecases import attachments
from cyberdesk_server.usecases.attachments import SentFile, uploading


def a_file(content: bytes = b"abc", **fields: str) -> SentFile:
    text = Base64Text(base64.b64encode(content))
    return SentFile(("body", "file_inputs", 0, "content"), fields.get("filename", "in.txt"), text)


async def a_run_of(database: Database) -> Run:
    async with database.transaction() as conn:
        return await a_run(conn, await a_workflow(conn, await an_organization(conn)))


async def test_a_content_that_a_file_came_to_have_stays(any_database: Database) -> None:
    blobs = MemoryBlobs()
    run = await a_run_of(any_database)

    async with (
        uploading(any_database, blobs, run.organization_id, [a_file(), a_file(b"")]) as files,
        any_database.transaction() as conn,
    ):
        await stored_attachments.add_inputs(conn, run.organization_id, [run.id], files, now=NOON)

    assert list(blobs.contents.values()) == [b"abc", b""]
    assert [(file.filename, file.content_type, file.size_bytes) for file in files] == [
        ("in.txt", "text/plain", 3),
        ("in.txt", "text/plain", 0),
    ]


async def test_a_content_that_no_file_came_to_have_is_deleted(any_database: Database) -> None:
    blobs = MemoryBlobs()
    run = await a_run_of(any_database)

    async with uploading(any_database, blobs, run.organization_id, [a_file()]):
        stored_meanwhile = len(blobs.contents)

    assert stored_meanwhile == 1
    assert blobs.contents == {}


@pytest.mark.parametrize(
    ("text", "type_"),
    [("QQ=!", "base64"), ("Q=Q=", "base64")],
)
async def test_what_is_no_base64_is_refused_and_nothing_is_kept(
    any_database: Database, text: str, type_: str
) -> None:
    blobs = MemoryBlobs()
    broken = SentFile(("body", "file_inputs", 1, "content"), "b", Base64Text(text))
    run = await a_run_of(any_database)

    with pytest.raises(InvalidFields) as refusal:
        async with uploading(any_database, blobs, run.organization_id, [a_file(), broken]):
            pass

    [problem] = refusal.value.problems
    assert (problem.location, problem.type) == (broken.location, type_)
    assert blobs.contents == {}


async def test_a_file_that_is_too_large_is_refused(
    any_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_FILE_BYTES", 5)
    run = await a_run_of(any_database)

    with pytest.raises(InvalidFields) as refusal:
        async with uploading(any_database, MemoryBlobs(), run.organization_id, [a_file(b"123456")]):
            pass

    location = ("body", "file_inputs", 0, "content")
    assert refusal.value.problems == (Problem(location, "has 6 bytes, more than 5", "too_large"),)
    assert domain.MAX_FILE_BYTES == 100 * 1024 * 1024


async def test_expired_files_are_removed_with_their_contents(any_database: Database) -> None:
    blobs = MemoryBlobs()
    later = NOON + timedelta(hours=1)
    run = await a_run_of(any_database)
    async with (
        uploading(any_database, blobs, run.organization_id, [a_file(), a_file(b"kept")]) as files,
        any_database.transaction() as conn,
    ):
        await stored_attachments.add_inputs(conn, run.organization_id, [run.id], files, now=NOON)
        expiring, kept = await stored_attachments.inputs_of(conn, run.id, now=NOON)
        await stored_attachments.set_expiry(conn, run.organization_id, expiring.id, later)

    await attachments.remove_expired(any_database, blobs, now=NOON)
    before = dict(blobs.contents)
    await attachments.remove_expired(any_database, blobs, now=later)

    assert set(before) == {expiring.blob_key, kept.blob_key}
    assert set(blobs.contents) == {kept.blob_key}
