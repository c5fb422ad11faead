"""The audit log on both databases: it grows, and nothing in it changes."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from cyberdesk_server.domain.audit import BEFORE_ALL, Entry, Head
from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.store import audit_log
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import audit_log as table
from cyberdesk_server.testing.rows import NOON, an_organization
from cyberdesk_server.usecases.audit_log import verify_chain
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

OWN, OTHER = OrganizationId("org_a"), OrganizationId("org_b")


@pytest.fixture
async def organizations(database: Database) -> None:
    async with database.transaction() as conn:
        for organization_id in (OWN, OTHER):
            await an_organization(conn, organization_id)


def an_entry(organization_id: OrganizationId = OWN, target: str = "t", minute: int = 0) -> Entry:
    at = NOON + timedelta(minutes=minute)
    return Entry(organization_id, at, ApiKeyId(uuid4()), "ci", "POST /v1/runs", (target,), 201, "r")


async def append(database: Database, *entries: Entry) -> None:
    async with database.transaction() as conn:
        await audit_log.append(conn, entries)


@pytest.mark.usefixtures("organizations")
async def test_entries_come_back_in_their_order_each_organization_for_itself(database: Database) -> None:
    own, other = [an_entry(target=str(n)) for n in range(3)], an_entry(OTHER)

    await append(database, own[0], other, own[1])
    await append(database, own[2])

    async with database.read() as conn:
        found = await audit_log.after(conn, OWN, 0, at_most=10)
        assert await audit_log.after(conn, OWN, 2, at_most=10) == found[2:]
        assert (await audit_log.head(conn, OTHER)).number == 1
    assert [(link.number, link.entry) for link in found] == list(enumerate(own, 1))
    assert await verify_chain(database, OWN) == Head(3, found[-1].hash)
    assert await verify_chain(database, OrganizationId("org_none")) == Head(0, BEFORE_ALL)


@pytest.mark.usefixtures("organizations")
async def test_writers_at_once_make_one_chain(database: Database) -> None:
    await asyncio.gather(*(append(database, an_entry(target=str(n)), an_entry()) for n in range(5)))

    head = await verify_chain(database, OWN)

    assert isinstance(head, Head)
    assert head.number == 10


@pytest.mark.usefixtures("organizations")
async def test_the_database_itself_refuses_changes(database: Database) -> None:
    await append(database, an_entry())

    for change in (update(table).values(status_code=404), delete(table)):
        with pytest.raises(DBAPIError, match="the audit log only grows"):
            async with database.transaction() as conn:
                await conn.execute(change)

    async with database.read() as conn:
        assert (await audit_log.head(conn, OWN)).number == 1


@pytest.mark.usefixtures("organizations")
async def test_what_no_database_keeps_does_not_break_the_chain(database: Database) -> None:
    await append(database, replace(an_entry(target="a\0b\ud800"), actor="\0"), an_entry(target="Ünï"))

    assert isinstance(await verify_chain(database, OWN), Head)


@pytest.mark.usefixtures("organizations")
async def test_pages_and_filters(database: Database) -> None:
    entries = [an_entry(target=str(n), minute=n) for n in range(4)]
    refused = replace(an_entry(target="50%", minute=4), status_code=403, operation="DELETE /v1/runs/{run_id}")
    await append(database, *entries, refused, an_entry(OTHER))

    async def found(**wanted: object) -> tuple[list[int], int]:
        async with database.read() as conn:
            links, total = await audit_log.find(conn, OWN, **wanted)  # type: ignore[arg-type]
        return [link.number for link in links], total

    assert await found() == ([5, 4, 3, 2, 1], 5)
    assert await found(skip=1, limit=2) == ([4, 3], 5)
    assert await found(api_key_id=entries[1].api_key_id) == ([2], 1)
    assert await found(operation="DELETE /v1/runs/{run_id}") == ([5], 1)
    assert await found(status_code=403) == ([5], 1)
    assert await found(target="2") == ([3], 1)
    assert await found(target="%") == ([], 0)
    assert await found(
        created_from=NOON + timedelta(minutes=1), created_until=NOON + timedelta(minutes=2)
    ) == (
        [3, 2],
        2,
    )
