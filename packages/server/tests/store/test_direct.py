"""Statements that are awaited where they are say, write and refuse what SQLAlchemy's own way does."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from cyberdesk_server.store import direct
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import organizations
from cyberdesk_server.testing.rows import NOON, PostgresqlForTests
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

NAMES = ["first", "second", "third"]
ROWS = [{"id": f"org_{name}", "name": name, "created_at": NOON} for name in NAMES]
SLEEPING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE state = 'active' AND query LIKE '%pg_sleep(%' AND pid <> pg_backend_pid()"
)
BY_ID = organizations.c.id == bindparam("wanted")


@pytest.fixture(params=["direct", "SQLAlchemy's"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test is done in both ways: what holds in one holds in the other."""
    if request.param != "direct":
        monkeypatch.setattr(direct, "_context", lambda *_: None)
    return str(request.param)


@pytest.fixture
async def conn(database: Database, way: str) -> AsyncIterator[AsyncConnection]:
    async with database.transaction() as conn:
        yield conn


async def names(conn: AsyncConnection) -> list[str]:
    return list((await conn.execute(select(organizations.c.name).order_by(organizations.c.id))).scalars())


async def test_rows_come_back_with_their_types(conn: AsyncConnection) -> None:
    await conn.execute(organizations.insert(), ROWS[0])

    row = (await conn.execute(select(organizations).where(BY_ID), {"wanted": "org_first"})).one()

    assert (row.name, row.created_at, row.last_claim) == ("first", NOON, 0)
    assert row._mapping["id"] == "org_first"


async def test_several_rows_are_written_at_once(conn: AsyncConnection) -> None:
    await conn.execute(organizations.insert(), ROWS)

    assert await names(conn) == NAMES


async def test_several_rows_are_written_and_answered(conn: AsyncConnection) -> None:
    made = await conn.execute(organizations.insert().returning(organizations.c.name), ROWS)

    assert sorted(made.scalars()) == NAMES


async def test_a_change_tells_how_many_rows_it_met(conn: AsyncConnection) -> None:
    await conn.execute(organizations.insert(), ROWS)

    changed = await conn.execute(
        update(organizations).where(organizations.c.id != "org_first"), {"name": "x"}
    )

    assert changed.rowcount == 2
    assert await names(conn) == ["first", "x", "x"]


async def test_lists_of_any_length_are_looked_for(conn: AsyncConnection) -> None:
    await conn.execute(organizations.insert(), ROWS)
    among = select(func.count()).where(organizations.c.name.in_(bindparam("names", expanding=True)))

    found = [(await conn.execute(among, {"names": NAMES[:size]})).scalar_one() for size in range(4)]

    assert found == [0, 1, 2, 3]


async def test_what_the_database_refuses_is_told_as_by_sqlalchemy(database: Database, way: str) -> None:
    async def twice() -> None:
        async with database.transaction() as conn:
            await conn.execute(organizations.insert(), ROWS[0])
            await conn.execute(organizations.insert(), ROWS[0])

    with pytest.raises(IntegrityError) as refused:
        await twice()

    assert refused.value.statement is not None
    assert refused.value.statement.startswith("INSERT INTO organizations")
    async with database.read() as conn:
        assert await names(conn) == []


async def test_a_value_that_is_missing_is_told_as_by_sqlalchemy(conn: AsyncConnection) -> None:
    with pytest.raises(StatementError, match="value is required for bind parameter 'wanted'"):
        await conn.execute(select(organizations).where(BY_ID))


async def test_a_connection_that_was_given_back_refuses(database: Database, way: str) -> None:
    async with database.read() as conn:
        pass

    with pytest.raises(InvalidRequestError):
        await names(conn)


async def test_plain_sql_works_too(conn: AsyncConnection) -> None:
    assert (await conn.execute(text("SELECT :one"), {"one": "1"})).scalar_one() == "1"


async def test_every_usual_statement_goes_the_short_way(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise all of these tests would compare SQLAlchemy with itself."""

    async def never(*_: object, **__: object) -> None:
        raise AssertionError("the long way")

    monkeypatch.setattr(AsyncConnection, "execute", never)
    async with database.transaction() as conn:
        await conn.execute(organizations.insert(), ROWS)
        await conn.execute(update(organizations).where(BY_ID), {"wanted": "org_first", "name": "x"})

        assert await names(conn) == ["x", "second", "third"]


@pytest.mark.slow
async def test_a_statement_that_is_broken_off_takes_its_connection_with_it(
    postgresql: PostgresqlForTests, way: str
) -> None:
    async with postgresql.a_database() as database:

        async def write_and_sleep() -> None:
            async with database.transaction() as conn:
                await conn.execute(organizations.insert(), ROWS[0])
                is_written.set()
                await conn.execute(select(func.pg_sleep(60)))

        is_written = asyncio.Event()
        task = asyncio.create_task(write_and_sleep())
        await is_written.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        async with database.transaction() as conn:
            assert await names(conn) == []
            assert (await conn.execute(SLEEPING)).scalar_one() == 0


async def test_statements_that_are_gone_are_forgotten(database: Database) -> None:
    engine = database._writer
    async with database.transaction() as conn:
        for number in range(20):
            await conn.execute(select(text(str(number))))
        engine.sync_engine._compiled_cache.clear()
        gc.collect()

    assert len(engine.known) < 20


async def test_a_statement_that_fell_out_of_the_cache_is_put_together_anew(database: Database) -> None:
    engine = database._writer
    statement = select(func.count()).select_from(organizations)
    async with database.transaction() as conn:
        for _ in range(2):
            assert (await conn.execute(statement)).scalar_one() == 0
            engine.sync_engine._compiled_cache.clear()
            gc.collect()
