"""Every store test runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import PostgresqlForTests, a_database, a_postgresql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlForTests]:
    with a_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        async with a_database(tmp_path) as fresh:
            yield fresh
    else:
        server: PostgresqlForTests = request.getfixturevalue("postgresql")
        async with server.a_database() as fresh:
            yield fresh
