"""Entries are written in the background, in batches, and a chain that was tampered with is found."""

import asyncio
from uuid import uuid4

import pytest
from cyberdesk_server.domain.audit import Broken, Entry, Head
from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, an_organization
from cyberdesk_server.usecases import audit_log
from cyberdesk_server.usecases.audit_log import Trail, verify_chain
from sqlalchemy import text

OWN = OrganizationId("org_a")
GUARDS = {"sqlite": "audit_log_refuses_delete", "postgresql": "audit_log_only_grows ON audit_log"}
"""What keeps entries from being deleted, by the kind of database."""


@pytest.fixture
async def database(any_database: Database) -> Database:
    async with any_database.transaction() as conn:
        await an_organization(conn, OWN)
    return any_database


def an_entry() -> Entry:
    return Entry(OWN, NOON, ApiKeyId(uuid4()), "ci", "POST /v1/runs", (), 201, "r")


async def written(database: Database) -> int:
    head = await verify_chain(database, OWN)
    assert isinstance(head, Head)
    return head.number


async def test_what_was_noted_is_written_at_the_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "BATCH", 2)
    monkeypatch.setattr(audit_log, "VERIFY_BATCH", 2)
    trail = Trail(database)
    for _ in range(5):
        trail.note(an_entry())
    assert await written(database) == 0

    trail.end()
    await trail.keep_written()

    assert await written(database) == 5


async def test_what_is_noted_is_written_soon(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "WRITE_SECONDS", 0.01)
    trail = Trail(database)
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        writing = group.create_task(trail.keep_written())
        trail.note(an_entry())

        while not await written(database):  # noqa: ASYNC110 - a row tells nobody
            await asyncio.sleep(0)

        trail.end()
        await writing


async def test_entries_wait_while_the_database_is_away_but_not_without_end(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "MAX_WAITING", 2)
    trail = Trail(database)
    async with database.transaction() as conn:
        await conn.execute(text("ALTER TABLE audit_log RENAME TO away"))
    for _ in range(3):
        trail.note(an_entry())
    await trail.write()
    async with database.transaction() as conn:
        await conn.execute(text("ALTER TABLE away RENAME TO audit_log"))

    await trail.write()

    assert await written(database) == 2


async def test_entries_that_were_tampered_with_are_found(database: Database) -> None:
    trail = Trail(database)
    for _ in range(3):
        trail.note(an_entry())
    await trail.write()
    head = await verify_chain(database, OWN)
    assert isinstance(head, Head)

    async with database.transaction() as conn:
        await conn.execute(text(f"DROP TRIGGER {GUARDS[conn.dialect.name]}"))
        await conn.execute(text("DELETE FROM audit_log WHERE number = 3"))
    cut_off = await verify_chain(database, OWN), await verify_chain(database, OWN, head)
    async with database.transaction() as conn:
        await conn.execute(text("DELETE FROM audit_log WHERE number = 1"))

    assert isinstance(cut_off[0], Head)  # nothing in the database tells of it
    assert cut_off[1] == Broken(3, "it is not the one that was noted")
    assert await verify_chain(database, OWN) == Broken(1, "it is missing: 2 comes next")
