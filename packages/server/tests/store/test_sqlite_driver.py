"""SQLite in one trip for each statement: what transactions keep, whatever becomes of their statements."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from aiosqlite import Connection
from cyberdesk_server.store.database import Database
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

WAIT_SECONDS = 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "words.db"


@pytest.fixture
async def words(path: Path) -> AsyncIterator[Database]:
    """A database with one table of words, each of which is there once."""
    database = await Database.open(f"sqlite+aiosqlite:///{path}")
    async with database.transaction() as conn:
        await conn.execute(text("CREATE TABLE words (word TEXT PRIMARY KEY)"))
    yield database
    await database.close()


async def write(conn: AsyncConnection, *written: str) -> None:
    await conn.execute(text("INSERT INTO words VALUES (:word)"), [{"word": word} for word in written])


async def kept(database: Database) -> set[str]:
    async with database.read() as conn:
        return set((await conn.execute(text("SELECT word FROM words"))).scalars())


async def statements(database: Database) -> list[str]:
    """What the database is told to do from now on by those who write."""
    seen: list[str] = []
    async with database.transaction() as conn:
        await (await driver(conn)).set_trace_callback(seen.append)
    return seen


async def driver(conn: AsyncConnection) -> Any:
    return (await conn.get_raw_connection()).driver_connection


class Stay:
    """A statement that the database is inside of until it may leave."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.may_leave = threading.Event()
        self._loop = asyncio.get_running_loop()

    async def inside(self, conn: AsyncConnection, statement: str = "SELECT stay()") -> None:
        await (await driver(conn)).create_function("stay", 0, self._stay)
        await conn.execute(text(statement))

    def _stay(self) -> int:
        self._loop.call_soon_threadsafe(self.entered.set)
        return int(self.may_leave.wait(WAIT_SECONDS))


async def cancelled_inside(work: Callable[[Stay], Coroutine[Any, Any, None]]) -> None:
    """Cancel the work while the database is inside of its statement, which goes on for a while."""
    stay = Stay()
    task = asyncio.create_task(work(stay))
    async with asyncio.timeout(WAIT_SECONDS):
        await stay.entered.wait()
    task.cancel()
    asyncio.get_running_loop().call_later(0.05, stay.may_leave.set)
    with pytest.raises(asyncio.CancelledError):
        await task


def another_process(path: Path) -> "closing[sqlite3.Connection]":
    """A second writer, which never waits for its turn."""
    return closing(sqlite3.connect(path, timeout=0, isolation_level=None))


async def test_a_statement_answers_its_rows_and_how_many_it_changed(words: Database) -> None:
    async with words.transaction() as conn:
        await write(conn, "one", "two")
        found = await conn.execute(text("SELECT word, 1 AS number FROM words ORDER BY word"))
        changed = await conn.execute(text("UPDATE words SET word = word || '!'"))
        none = await conn.execute(text("SELECT word FROM words WHERE word = 'three'"))

        assert [dict(row) for row in found.mappings()] == [
            {"word": "one", "number": 1},
            {"word": "two", "number": 1},
        ]
        assert changed.rowcount == 2
        assert none.all() == []


async def test_a_transaction_begins_with_its_first_statement(words: Database) -> None:
    seen = await statements(words)

    async with words.transaction() as conn:
        assert seen == []
        await write(conn, "one")
        await write(conn, "two")

    assert seen == [
        "BEGIN IMMEDIATE",
        "INSERT INTO words VALUES ('one')",
        "INSERT INTO words VALUES ('two')",
        "COMMIT",
    ]


@pytest.mark.parametrize("is_kept", [True, False], ids=["kept", "undone"])
async def test_a_transaction_costs_a_trip_for_each_statement_and_one_for_its_end(
    words: Database, monkeypatch: pytest.MonkeyPatch, is_kept: bool
) -> None:
    trips = []
    travel = Connection._execute

    async def counted(connection: Connection, *task: Any) -> Any:
        trips.append(task)
        return await travel(connection, *task)

    monkeypatch.setattr(Connection, "_execute", counted)
    with suppress(ZeroDivisionError):
        async with words.transaction() as conn:
            await write(conn, "one")
            await write(conn, "two")
            _ = 1 / is_kept

    assert len(trips) == 3


async def test_neither_keeping_nor_undoing_a_transaction_that_never_began_does_anything(
    words: Database,
) -> None:
    seen = await statements(words)

    async with words.transaction():
        pass
    with suppress(ZeroDivisionError):
        async with words.transaction():
            _ = 1 / 0
    assert seen == []

    async with words.transaction() as conn:
        await write(conn, "kept")
    assert await kept(words) == {"kept"}


async def test_a_failed_statement_leaves_the_transaction_and_the_connection_usable(words: Database) -> None:
    async with words.transaction() as conn:
        await write(conn, "before")
        with pytest.raises(IntegrityError):
            await write(conn, "before")
        await write(conn, "after")

    async with words.transaction() as conn:
        await write(conn, "next")

    assert await kept(words) == {"before", "after", "next"}


async def test_a_transaction_whose_first_statement_fails_is_undone(words: Database, path: Path) -> None:
    with pytest.raises(OperationalError, match="no such table"):
        async with words.transaction() as conn:
            await conn.execute(text("INSERT INTO nowhere VALUES (1)"))

    with another_process(path) as other:
        other.execute("INSERT INTO words VALUES ('theirs')")

    assert await kept(words) == {"theirs"}


async def test_a_cancelled_statement_does_not_reach_into_the_next_transaction(words: Database) -> None:
    async def write_and_stay(stay: Stay) -> None:
        async with words.transaction() as conn:
            await write(conn, "lost")
            await stay.inside(conn)

    await cancelled_inside(write_and_stay)

    async with asyncio.timeout(WAIT_SECONDS), words.transaction() as conn:
        await write(conn, "kept")
    assert await kept(words) == {"kept"}


async def test_a_transaction_that_is_cancelled_in_its_first_statement_is_undone(words: Database) -> None:
    async def stay_at_once(stay: Stay) -> None:
        async with words.transaction() as conn:
            await stay.inside(conn, "INSERT INTO words SELECT 'lost' || stay()")

    await cancelled_inside(stay_at_once)

    async with asyncio.timeout(WAIT_SECONDS), words.transaction() as conn:
        await write(conn, "kept")
    assert await kept(words) == {"kept"}


async def test_a_writer_has_the_database_to_itself_from_its_first_statement(
    words: Database, path: Path
) -> None:
    """`BEGIN IMMEDIATE`: what a transaction has read nobody changes before it writes."""
    async with words.transaction() as conn:
        await conn.execute(text("SELECT count(*) FROM words"))
        with another_process(path) as other, pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO words VALUES ('theirs')")
        await write(conn, "ours")

    with another_process(path) as other:
        other.execute("INSERT INTO words VALUES ('theirs')")
    assert await kept(words) == {"ours", "theirs"}


async def test_a_writer_that_does_not_get_its_turn_leaves_no_transaction_behind(
    words: Database, path: Path
) -> None:
    async def write_without_waiting() -> None:
        async with words.transaction() as conn:
            await (await driver(conn)).execute("PRAGMA busy_timeout = 0")
            await write(conn, "lost")

    with another_process(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            await write_without_waiting()
        other.execute("ROLLBACK")

    async with words.transaction() as conn:
        await write(conn, "kept")

    assert await kept(words) == {"kept"}


async def test_a_reader_sees_one_state_until_it_ends(words: Database) -> None:
    async with words.read() as reading:
        before = (await reading.execute(text("SELECT count(*) FROM words"))).scalar_one()
        async with words.transaction() as conn:
            await write(conn, "new")
        after = (await reading.execute(text("SELECT count(*) FROM words"))).scalar_one()

    assert (before, after) == (0, 0)
    assert await kept(words) == {"new"}
