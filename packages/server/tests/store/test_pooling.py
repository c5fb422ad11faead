"""Connections to PostgreSQL that were lost while nobody used them."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from cyberdesk_server.store import pooling
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import PostgresqlForTests
from sqlalchemy import text

pytestmark = pytest.mark.slow

AT_ONCE = 3
END_OTHERS = text(
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
OWN_ID = text("SELECT pg_backend_pid()")


@pytest.fixture
async def database(postgresql: PostgresqlForTests) -> AsyncIterator[Database]:
    async with postgresql.a_database() as database:
        yield database


async def use(database: Database) -> set[int]:
    """Use some connections at the same time; the database's ids of them."""
    are_all_here = asyncio.Barrier(AT_ONCE)

    async def one() -> int:
        async with database.read() as conn:
            await are_all_here.wait()
            id_: int = (await conn.execute(OWN_ID)).scalar_one()
            return id_

    return set(await asyncio.gather(*(one() for _ in range(AT_ONCE))))


async def test_connections_are_used_again(database: Database) -> None:
    assert await use(database) == await use(database)


@pytest.mark.parametrize("rest_seconds", [3600.0, 0.0], ids=["it was told so", "it has to ask"])
async def test_a_connection_that_was_ended_is_replaced(
    database: Database, rest_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooling, "REST_SECONDS", rest_seconds)
    before = await use(database)

    async with database.read() as conn:
        own: int = (await conn.execute(OWN_ID)).scalar_one()
        assert (await conn.execute(END_OTHERS)).scalar_one() == AT_ONCE - 1
        if rest_seconds:
            await asyncio.sleep(0.2)  # the loop hears of it

    assert (await use(database)) & before == {own}


async def test_a_connection_that_is_used_is_not_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def count(connection: object) -> bool:
        nonlocal asked
        asked += 1
        return True

    monkeypatch.setattr(database._writer.dialect, "do_ping", count)
    await use(database)
    await use(database)
    assert asked == 0

    monkeypatch.setattr(pooling, "REST_SECONDS", -1.0)
    await use(database)
    assert asked == AT_ONCE
