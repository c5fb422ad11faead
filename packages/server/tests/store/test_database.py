"""Transactions, on both databases."""

import asyncio
from contextlib import suppress

import pytest
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.organizations import Organization
from cyberdesk_server.store import database as database_module
from cyberdesk_server.store import organizations
from cyberdesk_server.store.database import Database, UnknownDatabase, is_away
from cyberdesk_server.testing.rows import NOON, PostgresqlForTests, a_postgresql, an_organization
from sqlalchemy.exc import DBAPIError, IntegrityError


async def names(database: Database) -> set[str]:
    async with database.read() as conn:
        return {organization.id for organization in await organizations.find(conn)}


async def test_a_transaction_is_kept_as_a_whole_or_not_at_all(database: Database) -> None:
    async with database.transaction() as conn:
        await an_organization(conn, "kept")

    with suppress(ZeroDivisionError):
        async with database.transaction() as conn:
            await an_organization(conn, "lost")
            _ = 1 / 0

    assert await names(database) == {"kept"}


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.read() as conn:
            await an_organization(conn)

    assert await names(database) == set()


async def test_writers_at_the_same_time_wait_for_each_other(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.transaction() as conn:
            before = len(await organizations.find(conn))
            await asyncio.sleep(0)
            await organizations.add(
                conn, Organization(OrganizationId(f"org_{number}"), f"{before} before", NOON)
            )

    await asyncio.gather(*(write(number) for number in range(20)))

    assert len(await names(database)) == 20


async def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    async with database.transaction() as conn:
        await an_organization(conn, "not yet")

        assert await names(database) == set()


@pytest.mark.parametrize("url", ["mysql+aiomysql://host/name", "oracle://x"])
async def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(UnknownDatabase, match="use sqlite"):
        await Database.open(url)


@pytest.mark.slow
async def test_a_database_that_is_killed_is_away_until_it_is_back() -> None:
    with a_postgresql() as server:
        async with server.a_database() as database:

            async def be_killed_in_a_transaction() -> None:
                async with database.transaction() as conn:
                    await an_organization(conn, "lost")
                    server.kill()
                    await organizations.find(conn)

            with pytest.raises(DBAPIError) as broken:
                await be_killed_in_a_transaction()
            with pytest.raises(DBAPIError) as refused:
                await names(database)
            server.start_again()

            assert [is_away(error.value) for error in (broken, refused)] == [True, True]
            assert await names(database) == set()


@pytest.mark.slow
async def test_a_transaction_that_stands_still_keeps_nobody_waiting(
    postgresql: PostgresqlForTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "STANDSTILL_SECONDS", 0.3)
    async with postgresql.a_database() as database:

        async def stand_still() -> None:
            async with database.transaction() as conn:
                await an_organization(conn, "the same")
                is_written.set()
                await is_over.wait()
                await organizations.find(conn)

        is_written, is_over = asyncio.Event(), asyncio.Event()
        frozen = asyncio.create_task(stand_still())
        await is_written.wait()
        async with asyncio.timeout(10), database.transaction() as conn:
            await an_organization(conn, "the same")  # waits for the other's lock

        is_over.set()
        with pytest.raises(DBAPIError) as broken:
            await frozen
        assert is_away(broken.value)
        assert await names(database) == {"the same"}


async def test_a_database_that_refuses_is_not_away(database: Database) -> None:
    async def add_twice() -> None:
        async with database.transaction() as conn:
            await an_organization(conn)
            await an_organization(conn)

    with pytest.raises(IntegrityError) as refused:
        await add_twice()

    assert not is_away(refused.value)
