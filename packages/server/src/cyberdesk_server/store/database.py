"""One database, SQLite or PostgreSQL, chosen by its URL."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Self

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from cyberdesk_server.store.direct import DirectEngine
from cyberdesk_server.store.pooling import ask_after_rest
from cyberdesk_server.store.sqlite_driver import use_one_trip
from cyberdesk_server.store.types import from_json, to_json

BUSY_TIMEOUT_MILLISECONDS = 10_000
"""How long SQLite waits for another process (a backup, a shell) before it gives up."""

POOL_TIMEOUT_SECONDS = 30
SQLITE_READERS = 4
POSTGRESQL_CONNECTIONS = 20
STANDSTILL_SECONDS = 3.0
"""After so long in which a transaction asks nothing PostgreSQL breaks it off: as long as a lease lasts. Its
server stands still, and others wait for what it has locked."""

PREPARED_STATEMENTS = 500
"""Of each connection to PostgreSQL; all that the server asks often is among them."""


class UnknownDatabase(ValueError):
    """The URL names no database this server can use."""


def is_away(error: Exception) -> bool:
    """True when the database could not be reached, broke off, or was too busy: the same may work later.

    False for what it refuses, which is a fault of ours.
    """
    is_refusal = isinstance(error, (IntegrityError, ProgrammingError, DataError, NotSupportedError))
    return isinstance(error, (DBAPIError, TimeoutError)) and not is_refusal


class Database:
    """Transactions on one database.

    SQLite has one writer: `transaction` waits its turn in a pool of one connection and begins with
    `BEGIN IMMEDIATE`, so it never fails half way for want of the lock. Readers see the last commit (WAL).
    """

    def __init__(self, url: str, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.url = url
        self._writer = writer
        self._reader = reader

    @classmethod
    async def open(cls, url: str) -> Self:
        """The database at `sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`.

        Raises `UnknownDatabase` for other URLs. The tables are `migrate`'s concern.
        """
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "sqlite":
                return cls(
                    url,
                    writer=_sqlite_engine(parsed, begin="BEGIN IMMEDIATE", connections=1),
                    reader=_sqlite_engine(parsed, begin="BEGIN", connections=SQLITE_READERS, is_reader=True),
                )
            case "postgresql":
                engine = create_async_engine(
                    parsed,
                    pool_size=POSTGRESQL_CONNECTIONS,
                    max_overflow=0,
                    pool_timeout=POOL_TIMEOUT_SECONDS,
                    pool_use_lifo=True,  # few connections are used as long as few are needed
                    connect_args={
                        "async_creator_fn": _connect,
                        "prepared_statement_cache_size": PREPARED_STATEMENTS,
                        "server_settings": {
                            "jit": "off",
                            "idle_in_transaction_session_timeout": f"{STANDSTILL_SECONDS * 1000:.0f}",
                        },
                    },
                    json_serializer=to_json,
                    json_deserializer=from_json,
                )
                ask_after_rest(engine)
                reading = engine.sync_engine.execution_options(postgresql_readonly=True)
                return cls(url, DirectEngine(engine.sync_engine), DirectEngine(reading))
            case other:
                raise UnknownDatabase(f"{other} is not supported; use sqlite+aiosqlite or postgresql+asyncpg")

    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection whose writes are committed at the end, or undone when an error leaves the block."""
        return self._writer.begin()

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection that can only read, and sees one state of the database."""
        return self._reader.connect()

    async def close(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()


async def _connect(*args: Any, **kwargs: Any) -> Any:
    """asyncpg's `connect`. That nobody listens is an error of the database, as everything else it raises."""
    import asyncpg

    try:
        return await asyncpg.connect(*args, **kwargs)
    except OSError as error:
        raise asyncpg.CannotConnectNowError(str(error)) from error


def _sqlite_engine(url: URL, *, begin: str, connections: int, is_reader: bool = False) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        json_serializer=to_json,
        json_deserializer=from_json,
    )

    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # Python's driver would begin transactions by its own rules; with None they are ours.
        raw: Any = connection
        raw.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        # With NORMAL a power cut could take back a run that was answered with 201, or the journal of a click.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        if is_reader:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    event.listen(engine.sync_engine, "connect", prepare)
    use_one_trip(engine, begin=begin)
    return DirectEngine(engine.sync_engine)
