"""Who may join machines, and for how long: keys with the scope `driver` or `manage`, until they end."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from cyberdesk_server.domain.organizations import ApiKey, KeyScope
from cyberdesk_server.store import keys
from cyberdesk_server.testing.rows import an_api_key
from websockets.exceptions import InvalidStatus

from .conftest import ORGANIZATION, Site


async def a_key(site: Site, key: str, **fields: object) -> ApiKey:
    async with site.database.transaction() as conn:
        return await an_api_key(conn, ORGANIZATION, key, **fields)


@pytest.mark.parametrize("scope", [KeyScope.DRIVER, KeyScope.MANAGE])
async def test_keys_for_drivers_and_for_everything_join_machines(site: Site, scope: KeyScope) -> None:
    await a_key(site, "cd_own", scope=scope)

    async with site.driver(Authorization="Bearer cd_own") as (_, machine):
        assert machine.organization_id == ORGANIZATION


@pytest.mark.parametrize("scope", [KeyScope.READ, KeyScope.RUN])
async def test_other_keys_join_nothing(site: Site, scope: KeyScope) -> None:
    await a_key(site, "cd_own", scope=scope)

    with pytest.raises(InvalidStatus, match="403") as refused:
        async with site.dial(Authorization="Bearer cd_own"):
            pass

    assert f"machines join with the scope driver; this API key has {scope}".encode() in (
        refused.value.response.body
    )


async def test_an_expired_key_joins_nothing(site: Site) -> None:
    await a_key(site, "cd_old", expires_at=datetime.now(UTC) - timedelta(seconds=1))

    with pytest.raises(InvalidStatus, match="403"):
        async with site.dial(Authorization="Bearer cd_old"):
            pass


async def test_a_revoked_key_cuts_its_tunnels_and_no_others(site: Site) -> None:
    revoked = await a_key(site, "cd_gone", scope=KeyScope.DRIVER)
    async with site.driver(Authorization="Bearer cd_gone") as (gone, _), site.driver() as (stays, _):
        await site.gateway.check_keys()
        await (await gone.socket.ping())
        async with site.database.transaction() as conn:
            await keys.revoke(conn, revoked.id, now=datetime.now(UTC))

        await site.gateway.check_keys()

        async with asyncio.timeout(10):
            await gone.socket.wait_closed()
        await (await stays.socket.ping())
        assert gone.socket.close_code == 1008
        with pytest.raises(InvalidStatus, match="403"):
            async with site.dial(Authorization="Bearer cd_gone"):
                pass


async def test_a_tunnel_ends_with_the_life_of_its_key(site: Site) -> None:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    key = await a_key(site, "cd_short", expires_at=ends_at)
    async with site.driver(Authorization="Bearer cd_short") as (driver, _):
        async with site.database.transaction() as conn:
            await keys.expire(conn, key.id, at=datetime.now(UTC))

        await site.gateway.check_keys()

        async with asyncio.timeout(10):
            await driver.socket.wait_closed()


async def test_a_server_takes_only_so_many_machines(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.gateway, "_max_tunnels", 1)
    async with site.driver():
        with pytest.raises(InvalidStatus, match="503"):
            async with site.dial():
                pass
