"""Keys are looked up once in a while, and a revoked one soon opens nothing."""

from cyberdesk_server.api.auth import FRESH_SECONDS, KnownKeys
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.organizations import ApiKey
from cyberdesk_server.store import keys
from cyberdesk_server.testing.rows import NOON


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
    own = await known.owner(parts.database, "cd_own")
    assert own is not None
    await revoke(parts, own)

    at_once = await known.owner(parts.database, "cd_own")
    seconds.now += FRESH_SECONDS
    later = await known.owner(parts.database, "cd_own")

    assert (at_once, later) == (own, None)


async def test_keys_are_told_apart_and_unknown_ones_stay_unknown(parts: Parts) -> None:
    known = KnownKeys(Seconds())

    owners = [await known.owner(parts.database, key) for key in ("cd_own", "cd_foreign", "cd_own", "cd_x")]

    assert [owner.organization_id if owner else None for owner in owners] == [
        "org_own",
        "org_foreign",
        "org_own",
        None,
    ]
