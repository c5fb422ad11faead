"""Keys are looked up once in a while, and a revoked one soon opens nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
from cyberdesk_server.api.auth import FRESH_SECONDS, KnownKeys
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.organizations import ApiKey
from cyberdesk_server.store import keys
from cyberdesk_server.testing.rows import NOON, an_api_key

OWN = OrganizationId("org_own")


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def revoke(parts: Parts, api_key: ApiKey) -> None:
    async with parts.database.transaction() as conn:
        await keys.revoke(conn, api_key.id, now=NOON)


async def test_a_revoked_key_opens_nothing_after_a_moment(parts: Parts) -> None:
    seconds = Seconds()
    known = KnownKeys(seconds)
    own = await known.owner(parts, "cd_own")
    assert own is not None
    await revoke(parts, own)

    at_once = await known.owner(parts, "cd_own")
    seconds.now += FRESH_SECONDS
    later = await known.owner(parts, "cd_own")

    assert (at_once, later) == (own, None)


async def test_an_expired_key_opens_nothing_at_once(
    parts: Parts, clock: Any, connect: Callable[[str | None], httpx.AsyncClient]
) -> None:
    async with parts.database.transaction() as conn:
        await an_api_key(conn, OWN, "cd_ending", expires_at=clock.time + timedelta(hours=1))

    async with connect("cd_ending") as client:
        before = await client.get("/v1/machines")
        clock.time += timedelta(hours=1)
        after = await client.get("/v1/machines")

    assert before.status_code == 200
    assert (after.status_code, after.json()) == (401, {"detail": "the API key has expired"})


async def test_a_use_is_noted_for_the_next_writing(parts: Parts, client: httpx.AsyncClient) -> None:
    assert await last_use(parts) is None
    await client.get("/v1/machines")
    assert await last_use(parts) is None  # a request writes nothing of it

    await parts.key_uses.write(parts.database, now=NOON)

    assert await last_use(parts) == NOON


async def last_use(parts: Parts) -> datetime | None:
    async with parts.database.read() as conn:
        [key] = await keys.find(conn, OWN)
    return key.last_used_at


async def test_keys_are_told_apart_and_unknown_ones_stay_unknown(parts: Parts) -> None:
    known = KnownKeys(Seconds())

    owners = [await known.owner(parts, key) for key in ("cd_own", "cd_foreign", "cd_own", "cd_x")]

    assert [owner.organization_id if owner else None for owner in owners] == [
        "org_own",
        "org_foreign",
        "org_own",
        None,
    ]
