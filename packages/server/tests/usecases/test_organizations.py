"""The first start, and organizations that the operator makes."""

import asyncio

from cyberdesk_server.domain.organizations import KeyScope
from cyberdesk_server.store import keys
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON
from cyberdesk_server.usecases import organizations
from cyberdesk_server.usecases.keys import list_keys


async def test_the_first_start_makes_an_organization_and_a_key_and_later_ones_nothing(
    any_database: Database,
) -> None:
    key = await organizations.first_start(any_database, now=NOON)
    again = await organizations.first_start(any_database, now=NOON)

    assert key is not None
    assert key.startswith("cd_")
    assert again is None
    [kept] = await list_keys(any_database)
    assert kept.scope is KeyScope.MANAGE
    async with any_database.read() as conn:
        assert await keys.authenticate(conn, key) == kept


async def test_servers_that_start_at_once_make_one_organization(database: Database) -> None:
    keys_made = await asyncio.gather(*(organizations.first_start(database, now=NOON) for _ in range(3)))

    assert len([key for key in keys_made if key is not None]) == 1
    assert len(await list_keys(database)) == 1


async def test_organizations_are_made_and_listed(any_database: Database) -> None:
    made = await organizations.create_organization(any_database, name="clinic", now=NOON)

    assert made.id.startswith("org_")
    assert await organizations.list_organizations(any_database) == (made,)
    assert await list_keys(any_database, made.id) == ()
