"""procrastinate, a task queue on PostgreSQL, doing jobs in which there is nothing to do."""

from importlib import import_module
from importlib.util import find_spec
from time import perf_counter
from typing import Any

from sqlalchemy import make_url


def is_installed() -> bool:
    return find_spec("procrastinate") is not None and find_spec("psycopg") is not None


async def prepare(url: str) -> None:
    """Make its tables in the database of this SQLAlchemy URL."""
    async with _app(url).open_async() as app:
        await app.schema_manager.apply_schema_async()


async def jobs_per_second(url: str, jobs: int, slots: int) -> float:
    """How many its worker does in a second, `slots` at a time, once they have been deferred."""
    async with _app(url).open_async() as app:

        @app.task(name="nothing")  # type: ignore[untyped-decorator]  # of a peer that may not be installed
        async def nothing() -> None:
            pass

        await nothing.batch_defer_async(*({} for _ in range(jobs)))
        began = perf_counter()
        await app.run_worker_async(concurrency=slots, wait=False, install_signal_handlers=False)
        return jobs / (perf_counter() - began)


def _app(url: str) -> Any:
    procrastinate = import_module("procrastinate")

    parsed = make_url(url)
    where = {"host": parsed.query["host"], "user": parsed.username, "dbname": parsed.database}
    connector = procrastinate.PsycopgConnector(kwargs=where)
    return procrastinate.App(connector=connector)
