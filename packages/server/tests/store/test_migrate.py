"""The migrations make the shape that `store.tables` describes, on both databases."""

import asyncio
import warnings
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from cyberdesk_server.store import keys
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.migrate import configuration, migrate
from cyberdesk_server.store.tables import metadata
from cyberdesk_server.testing.rows import PostgresqlForTests, an_organization
from sqlalchemy import inspect
from sqlalchemy.engine import Connection


async def test_a_migrated_database_has_the_shape_of_the_tables(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        # SQLite cannot tell what an index over an expression looks like.
        compared = {"include_object": _is_comparable} if connection.dialect.name == "sqlite" else {}
        context = MigrationContext.configure(connection, opts={"target_metadata": metadata, **compared})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return list(compare_metadata(context, metadata))

    async with database.transaction() as conn:
        found = await conn.run_sync(differences)

    assert found == []


def _is_comparable(_: object, name: str | None, *__: object) -> bool:
    return name not in ("ix_runs_waiting", "ix_openings_best")


async def test_every_index_exists(database: Database) -> None:
    def names(connection: Connection) -> set[str | None]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return {
                index["name"] for table in metadata.tables for index in inspect(connection).get_indexes(table)
            }

    async with database.transaction() as conn:
        if conn.dialect.name == "sqlite":
            rows = await conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index'")
            found = set(rows.scalars())
        else:
            found = await conn.run_sync(names)

    assert {index.name for table in metadata.tables.values() for index in table.indexes} <= found


async def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'twice.db'}"

    await migrate(url)
    await migrate(url)

    database = await Database.open(url)
    async with database.read() as conn:
        assert (await conn.exec_driver_sql("SELECT count(*) FROM alembic_version")).scalar_one() == 1
    await database.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
async def test_keys_of_old_last_as_long_as_they_were_to(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        if kind == "sqlite":
            database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / 'old.db'}")
            stack.push_async_callback(database.close)
        else:
            server: PostgresqlForTests = request.getfixturevalue("postgresql")
            database = await stack.enter_async_context(server.a_database(template="template0"))
        async with database.transaction() as conn:
            await conn.run_sync(lambda it: command.upgrade(configuration(it), "0016"))
            organization_id = await an_organization(conn)
            for name, end in (("for ever", "NULL"), ("for days", "'2030-01-31 00:00:00'")):
                await conn.exec_driver_sql(
                    "INSERT INTO api_keys (id, organization_id, name, hint, key_hash, created_at, expires_at)"
                    f" VALUES ('{uuid4()}', '{organization_id}', '{name}', 'hint', '{name}',"
                    f" '2030-01-01 00:00:00', {end})"
                )

        await migrate(database.url)

        async with database.read() as conn:
            assert {key.name: key.life for key in await keys.find(conn)} == {
                "for ever": None,
                "for days": timedelta(days=30),
            }


@pytest.mark.slow
async def test_processes_that_migrate_at_once_wait_for_each_other(postgresql: PostgresqlForTests) -> None:
    async with postgresql.a_database(template="template0") as database:
        await asyncio.gather(*(migrate(database.url) for _ in range(3)))

        async with database.read() as conn:
            versions = await conn.exec_driver_sql("SELECT version_num FROM alembic_version")
            newest = await conn.run_sync(newest_version)
        assert versions.scalars().all() == [newest]


def newest_version(connection: Connection) -> str | None:
    return ScriptDirectory.from_config(configuration(connection)).get_current_head()
