"""SQLite with one trip to the connection's thread for each statement.

SQLAlchemy's adapter of aiosqlite crosses to that thread and back for the cursor, the statement, its rows
and the cursor's end, and once more for BEGIN. Here all of a statement happens in one trip, and BEGIN goes
along with the first one: a transaction costs its statements and its end.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
)
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine


def use_one_trip(engine: AsyncEngine, *, begin: str) -> None:
    """Let the connections of this aiosqlite engine be of this kind; transactions start with `begin`."""

    def connect(
        dialect: Any, _: Any, arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> "OneTripConnection":
        made = dialect.connect(*arguments, **options)
        return OneTripConnection(made.dbapi, made._connection)

    def begin_transaction(connection: Connection) -> None:
        raw: Any = connection.connection.dbapi_connection
        raw.begins_with = begin

    event.listen(engine.sync_engine, "do_connect", connect)
    event.listen(engine.sync_engine, "begin", begin_transaction)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a statement."""

    description: Sequence[Any] | None = None
    rows: Sequence[Any] = ()
    rowcount: int = -1
    lastrowid: int | None = None


class OneTripCursor(AsyncAdapt_aiosqlite_cursor):
    """Runs a statement and fetches its rows in one trip."""

    __slots__ = ("_outcome",)

    def __init__(self, adapt_connection: Any) -> None:
        # Not the parent's: that one asks the thread for a cursor.
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque()
        self._outcome = Outcome()

    @property
    def description(self) -> Any:
        return self._outcome.description

    @property
    def rowcount(self) -> int:
        return self._outcome.rowcount

    @property
    def lastrowid(self) -> Any:
        return self._outcome.lastrowid

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._run(lambda connection: connection.execute(operation, parameters or ()))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._run(lambda connection: connection.executemany(operation, seq_of_parameters))

    async def _run(self, statement: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> None:
        adapted: Any = self._adapt_connection
        connection: Any = self._connection
        async with adapted._execute_mutex:
            begin = adapted.take_begin()
            self._outcome = await connection._execute(_carry_out, connection._conn, begin, statement)
            self._rows = deque(self._outcome.rows)

    async def _async_soft_close(self) -> None:
        """Nothing is open: the rows are here."""

    def close(self) -> None:
        self._rows.clear()


class OneTripConnection(AsyncAdapt_aiosqlite_connection):
    """A connection that begins its transaction with the first statement in it, and ends it once."""

    __slots__ = ("_has_begun", "begins_with")

    _cursor_cls = OneTripCursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.begins_with: str | None = None
        """How the transaction begins that SQLAlchemy has begun and the database has not."""

        self._has_begun = False
        """From the moment BEGIN is on its way: a cancelled caller does not know whether it has arrived."""

    def take_begin(self) -> str | None:
        begin, self.begins_with = self.begins_with, None
        self._has_begun = self._has_begun or begin is not None
        return begin

    def commit(self) -> None:
        self.begins_with = None
        if self._has_begun:
            super().commit()
            self._has_begun = False

    def rollback(self) -> None:
        # The pool asks for it once more after each commit.
        self.begins_with = None
        if self._has_begun:
            super().rollback()
            self._has_begun = False


def _carry_out(
    connection: sqlite3.Connection,
    begin: str | None,
    statement: Callable[[sqlite3.Connection], sqlite3.Cursor],
) -> Outcome:
    """In the connection's thread."""
    if begin is not None:
        connection.execute(begin)
    cursor = statement(connection)
    try:
        rows = cursor.fetchall() if cursor.description else ()
        return Outcome(cursor.description, rows, cursor.rowcount, cursor.lastrowid)
    finally:
        cursor.close()
