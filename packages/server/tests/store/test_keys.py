"""API keys, on both databases."""

from uuid import uuid4

from cyberdesk_server.domain.ids import ApiKeyId
from cyberdesk_server.store import keys
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import api_keys
from cyberdesk_server.testing.rows import NOON, an_api_key, an_organization
from sqlalchemy import select


async def test_a_key_opens_its_organization_until_it_is_revoked(database: Database) -> None:
    async with database.transaction() as conn:
        api_key = await an_api_key(conn, await an_organization(conn), "cd_secret")

        assert await keys.authenticate(conn, "cd_secret") == api_key
        assert await keys.authenticate(conn, "cd_other") is None
        assert await keys.authenticate(conn, "\ud800\0") is None
        assert await keys.revoke(conn, api_key.id, now=NOON)
        assert await keys.authenticate(conn, "cd_secret") is None
        assert not await keys.revoke(conn, api_key.id, now=NOON)
        assert not await keys.revoke(conn, ApiKeyId(uuid4()), now=NOON)


async def test_keys_are_listed_per_organization(database: Database) -> None:
    async with database.transaction() as conn:
        own = await an_api_key(conn, await an_organization(conn, "org_a"), "cd_a")
        other = await an_api_key(conn, await an_organization(conn, "org_b"), "cd_b")

        assert await keys.find(conn, own.organization_id) == (own,)
        assert set(await keys.find(conn)) == {own, other}


async def test_the_key_itself_is_not_kept(database: Database) -> None:
    async with database.transaction() as conn:
        await an_api_key(conn, await an_organization(conn), "cd_secret")

        row = (await conn.execute(select(api_keys))).one()

    assert "cd_secret" not in str(row)
