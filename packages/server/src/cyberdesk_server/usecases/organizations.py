"""Organizations and their API keys: the first start, and the `keys` command. Each is a transaction."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.domain.organizations import ApiKey, Organization
from cyberdesk_server.store import keys, organizations
from cyberdesk_server.store.database import Database

KEY_PREFIX = "cd_"
"""For people who find a key somewhere; nothing checks it."""

KEY_BYTES = 32
HINT_LENGTH = 4


class NoOrganization(LookupError):
    """There is no organization yet; the server makes one when it starts for the first time."""

    def __str__(self) -> str:
        return "there is no organization yet; start the server once"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only moment it can be read."""

    api_key: ApiKey
    key: str = field(repr=False)


async def first_start(database: Database, *, now: datetime) -> str | None:
    """At the very first start an organization and its first key, which is answered; later None."""
    async with database.transaction() as conn:
        await organizations.one_at_a_time(conn)
        if await organizations.find(conn):
            return None
        organization = Organization(OrganizationId(f"org_{uuid4().hex}"), "default", now)
        await organizations.add(conn, organization)
        return (await _add_key(conn, organization.id, "first key", now)).key


async def create_key(database: Database, *, name: str, now: datetime) -> NewKey:
    """A new key of the oldest organization. Raises `NoOrganization` before the first start."""
    async with database.transaction() as conn:
        found = await organizations.find(conn)
        if not found:
            raise NoOrganization
        return await _add_key(conn, found[0].id, name, now)


async def list_keys(database: Database) -> Sequence[ApiKey]:
    """All keys, revoked ones included, oldest first."""
    async with database.read() as conn:
        return await keys.find(conn)


async def revoke_key(database: Database, key_id: ApiKeyId, *, now: datetime) -> bool:
    """From now on the key opens nothing. False when it is unknown or was revoked before."""
    async with database.transaction() as conn:
        return await keys.revoke(conn, key_id, now=now)


async def _add_key(
    conn: AsyncConnection, organization_id: OrganizationId, name: str, now: datetime
) -> NewKey:
    key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    api_key = ApiKey(ApiKeyId(uuid4()), organization_id, name, key[-HINT_LENGTH:], now)
    await keys.add(conn, api_key, key)
    return NewKey(api_key, key)
