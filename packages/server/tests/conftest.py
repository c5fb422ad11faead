"""What every test of the server relies on, and databases of both kinds for those who need one."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import structlog
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import PostgresqlForTests, a_database, a_postgresql

DatabaseOf = Callable[[str], AbstractAsyncContextManager[Database]]
"""Opens a fresh database of this kind, `sqlite` or `postgresql`."""


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A test that configures the log, as every command does, leaves no trace in the next one."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlForTests]:
    """The server that tests share; each makes databases of its own in it."""
    with a_postgresql() as server:
        yield server


@pytest.fixture
def database_of(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseOf:
    def open_one(kind: str) -> AbstractAsyncContextManager[Database]:
        if kind == "sqlite":
            return a_database(tmp_path)
        server: PostgresqlForTests = request.getfixturevalue("postgresql")
        return server.a_database()

    return open_one


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
async def database(request: pytest.FixtureRequest, database_of: DatabaseOf) -> AsyncIterator[Database]:
    """A fresh one of each kind: what is asked of the database itself is asked of both."""
    async with database_of(request.param) as fresh:
        yield fresh


@pytest.fixture
async def any_database(request: pytest.FixtureRequest, database_of: DatabaseOf) -> AsyncIterator[Database]:
    """A fresh one for those to whom its kind is the same: of SQLite, or as `--database` says."""
    async with database_of(request.config.getoption("--database")) as fresh:
        yield fresh
