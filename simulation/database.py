"""SQLite in the loop's own thread: each host has its own connections to one database file.

A statement takes simulated time, may fail, and waits in simulated time for a lock. What a host leaves open
when it dies, its system closes: a transaction that was not committed has not happened.
"""

import asyncio
import gc
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from cyberdesk_server.store.database import Database
from cyberdesk_server.store.migrate import migrate
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from simulation.chance import CALM
from simulation.loop import HOST, Host

LOCK_PAUSE_SECONDS = 0.05
LOCK_TIMEOUT_SECONDS = 10.0
STATEMENT_SECONDS = 0.001
SLOW_STATEMENT_SECONDS = 3.0
MOST_SERVERS = 4
"""Hosts that have a database at the same time."""


class Storage:
    """How well the database works in one seed."""

    def __init__(self, chance: Random) -> None:
        self.weather = CALM
        self.committed: Callable[[], None] = lambda: None
        """Called after every commit that took effect, before anybody hears of it."""

        self._chance = chance

    def happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability

    def seconds_of_a_statement(self) -> float:
        if self.happens(self.weather.slow_statement):
            return self._chance.random() * SLOW_STATEMENT_SECONDS
        return self._chance.random() * STATEMENT_SECONDS


class InlineConnection:
    """What `OneTripConnection` asks of a connection of aiosqlite, without a thread behind it."""

    def __init__(self, path: str, host: Host, storage: Storage) -> None:
        if host.is_dead:
            raise sqlite3.OperationalError("this host is no more")
        self._connection = self._conn = sqlite3.connect(path, check_same_thread=False)
        self._host = host
        self._storage = storage
        host.at_death.append(self._conn.close)

    @property
    def _tx(self) -> "InlineConnection":
        return self

    def put_nowait(self, order: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        future, work = order
        future.set_result(work())

    async def _execute(self, work: Callable[..., Any], *arguments: Any) -> Any:
        storage = self._storage
        await asyncio.sleep(storage.seconds_of_a_statement())
        if storage.happens(storage.weather.statement_fails):
            raise sqlite3.OperationalError("disk I/O error (simulated)")
        return await self._when_unlocked(work, *arguments)

    async def _when_unlocked(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """As SQLite waits for a lock by itself, but without sleeping in earnest."""
        tries_left = int(LOCK_TIMEOUT_SECONDS / LOCK_PAUSE_SECONDS)
        while True:
            try:
                return work(*arguments)
            except sqlite3.OperationalError as error:
                tries_left -= 1
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not tries_left:
                    raise
            await asyncio.sleep(LOCK_PAUSE_SECONDS)

    async def commit(self) -> None:
        storage = self._storage
        await asyncio.sleep(storage.seconds_of_a_statement())
        if storage.happens(storage.weather.commit_fails):
            raise sqlite3.OperationalError("disk full (simulated)")
        if self._conn.in_transaction:
            await self._when_unlocked(self._conn.commit)
            storage.committed()
        if storage.happens(storage.weather.commit_answer_lost):
            raise sqlite3.OperationalError("committed, but the answer is lost (simulated)")

    async def rollback(self) -> None:
        await asyncio.sleep(0)
        self._conn.rollback()

    async def close(self) -> None:
        self._conn.close()

    def stop(self) -> None:
        self._conn.close()

    def execute_now(self, statement: str) -> None:
        self._conn.execute(statement)

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        self._conn.create_function(*arguments, **options)


class Disk:
    """The database file, and the databases that are opened on it by one host after another.

    They outlive hosts and seeds: what SQLAlchemy has compiled once it need not compile again.
    """

    def __init__(self, path: Path) -> None:
        """`path` is that of a migrated database, to whose state every seed returns."""
        self.path = path
        self._empty = path.read_bytes()
        self._free: list[Database] = []
        self._storage = _nobodys()

    async def prepare(self) -> None:
        """Open the databases, so that none is opened for the first time inside a simulation."""
        host = Host("preparation")
        for _ in range(MOST_SERVERS):
            database = await Database.open(f"sqlite+aiosqlite:///{self.path}")
            for engine in (database._writer, database._reader):
                dialect: Any = engine.dialect
                dialect.connect = partial(self._connect, dialect.loaded_dbapi)
                event.listen(engine.sync_engine, "connect", _let_go_of_the_world)
            self._free.append(database)
            await host.spawn(_use(database))
        host.die()

    def erase(self, storage: Storage) -> None:
        """A new seed: the database is empty again."""
        self._storage = storage
        for leftover in self.path.parent.glob(f"{self.path.name}*"):
            leftover.unlink()
        self.path.write_bytes(self._empty)

    def forget(self) -> None:
        """The seed is over and its hosts are dead: keep nothing that leads to them."""
        self._storage = _nobodys()
        for database in self._free:
            _drop_connections(database)

    def database_for(self, host: Host) -> Database:
        """A database whose connections belong to this host; given back when it dies."""
        database = self._free.pop()
        _drop_connections(database)
        host.at_death.append(lambda: self._free.append(database))
        return database

    def _connect(self, dbapi: Any, path: str, **_: Any) -> Any:
        """In the place of the dialect's own: what `use_one_trip` takes apart."""
        connection: Any = InlineConnection(path, HOST.get(), self._storage)
        return AsyncAdapt_aiosqlite_connection(dbapi, connection)


def _nobodys() -> Storage:
    return Storage(Random(0))


def _drop_connections(database: Database) -> None:
    for engine in (database._writer, database._reader):
        engine.sync_engine.dispose(close=False)


def _let_go_of_the_world(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """No sleeping in earnest on a lock, no waiting for a disk. These are no statements of the server."""
    raw: Any = connection
    raw._connection.execute_now("PRAGMA busy_timeout = 0")
    raw._connection.execute_now("PRAGMA synchronous = OFF")


async def _use(database: Database) -> None:
    async with database.transaction(), database.read():
        return


@contextmanager
def a_disk() -> Iterator[Disk]:
    """In memory where the system has a folder that is."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(
        prefix="cyberdesk-simulation-", dir=memory if memory.is_dir() else None
    ) as folder:
        path = Path(folder) / "simulated.db"
        asyncio.run(migrate(f"sqlite+aiosqlite:///{path}"))
        disk = Disk(path)
        asyncio.run(disk.prepare())
        gc.freeze()  # the collection after each seed need not look at all that was imported
        yield disk
        gc.unfreeze()
