"""The scheduler: how soon a run is claimed, how long a decision takes in a crowd, how many runs a second.

On SQLite and on PostgreSQL, each with its disk, through the claims and endings that workers use.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import PostgresqlForTests, a_database, a_postgresql

from bench import scheduler_decisions, scheduler_flow, scheduler_plot, scheduler_wakes

OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]


def measure() -> None:
    with TemporaryDirectory() as folder, a_postgresql(waits_for_disk=True) as postgresql:
        uvloop.run(_measure(Path(folder), postgresql))


async def _measure(folder: Path, postgresql: PostgresqlForTests) -> None:
    databases: dict[str, OpenDatabase] = {
        "sqlite": partial(a_database, folder),
        "postgresql": postgresql.a_database,
    }
    for name, a_fresh_database in databases.items():
        async with a_fresh_database() as database:
            await scheduler_wakes.measure(name, database)
    for name, a_fresh_database in databases.items():
        await scheduler_flow.measure(name, a_fresh_database)
    await scheduler_flow.compare(postgresql)
    found = {}
    for name, a_fresh_database in databases.items():
        async with a_fresh_database() as database:
            found[name] = await scheduler_decisions.measure(name, database)
    scheduler_plot.write(found)


if __name__ == "__main__":
    measure()
