"""The first start and the keys."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import ApiKeyId
from cyberdesk_server.store import keys
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_database
from cyberdesk_server.usecases import organizations
from cyberdesk_server.usecases.organizations import NoOrganization


async def test_the_first_start_makes_an_organization_and_a_key_and_later_ones_nothing(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        key = await organizations.first_start(database, now=NOON)
        again = await organizations.first_start(database, now=NOON)

        assert key is not None
        assert key.startswith("cd_")
        assert again is None
        async with database.read() as conn:
            assert await keys.authenticate(conn, key) == (await organizations.list_keys(database))[0]


async def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        await organizations.first_start(database, now=NOON)

        made = await organizations.create_key(database, name="laptop", now=NOON)

        assert made.key not in repr(made)
        assert made.api_key.hint == made.key[-4:]
        assert made.api_key in await organizations.list_keys(database)
        assert await organizations.revoke_key(database, made.api_key.id, now=NOON)
        assert not await organizations.revoke_key(database, ApiKeyId(uuid4()), now=NOON)
        async with database.read() as conn:
            assert await keys.authenticate(conn, made.key) is None


async def test_before_the_first_start_there_are_no_keys(tmp_path: Path) -> None:
    async with a_database(tmp_path) as database:
        with pytest.raises(NoOrganization, match="start the server once"):
            await organizations.create_key(database, name="laptop", now=NOON)


async def test_servers_that_start_at_once_make_one_organization(database: Database) -> None:
    keys_made = await asyncio.gather(*(organizations.first_start(database, now=NOON) for _ in range(3)))

    assert len([key for key in keys_made if key is not None]) == 1
    assert len(await organizations.list_keys(database)) == 1
