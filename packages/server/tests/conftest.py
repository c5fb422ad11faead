"""What every test of the server relies on, and databases of both kinds for those who need one."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import PostgresqlForTests, a_database, a_postgresql


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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A fresh one of each kind: what is asked of the database itself is asked of both."""
    if request.param == "sqlite":
        async with a_database(tmp_path) as fresh:
            yield fresh
    else:
        server: PostgresqlForTests = request.getfixturevalue("postgresql")
        async with server.a_database() as fresh:
            yield fresh
