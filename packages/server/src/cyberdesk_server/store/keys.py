"""API keys. A key is 256 random bits, so its SHA-256 is as hard to guess as the key itself: a slow
password hash would protect nothing and cost every request its time. Keys are found by that hash and never
compared themselves, so how long a look-up takes tells nobody anything about a key."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.domain.organizations import ApiKey, KeyScope
from cyberdesk_server.store.tables import api_keys

__all__ = ["ApiKey", "add", "authenticate", "expire", "find", "get", "invalid", "note_use", "revoke"]


async def authenticate(conn: AsyncConnection, key: str) -> ApiKey | None:
    """Whose key this is, even if it has expired; None for an unknown or revoked one."""
    row = (await conn.execute(_BY_HASH, {"key_hash": _hash(key)})).one_or_none()
    return None if row is None else _api_key(row)


async def add(conn: AsyncConnection, api_key: ApiKey, key: str) -> None:
    """Keep the hash of `key`; the key itself is gone when the caller forgets it."""
    await conn.execute(
        api_keys.insert().values(
            id=api_key.id,
            organization_id=api_key.organization_id,
            name=api_key.name,
            hint=api_key.hint,
            key_hash=_hash(key),
            created_at=api_key.created_at,
            scope=api_key.scope,
            expires_at=api_key.expires_at,
            life_seconds=None if api_key.life is None else api_key.life.total_seconds(),
        )
    )


async def get(conn: AsyncConnection, key_id: ApiKeyId) -> ApiKey | None:
    """The key with this id, revoked or not."""
    row = (await conn.execute(select(api_keys).where(api_keys.c.id == key_id))).one_or_none()
    return None if row is None else _api_key(row)


async def find(conn: AsyncConnection, organization_id: OrganizationId | None = None) -> Sequence[ApiKey]:
    """All keys, or those of one organization, revoked ones included, oldest first."""
    query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
    if organization_id is not None:
        query = query.where(api_keys.c.organization_id == organization_id)
    return tuple(_api_key(row) for row in await conn.execute(query))


async def revoke(conn: AsyncConnection, key_id: ApiKeyId, *, now: datetime) -> bool:
    """From now on the key opens nothing. False when it is unknown or was revoked before."""
    revoked = await conn.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return revoked.rowcount == 1


async def expire(conn: AsyncConnection, key_id: ApiKeyId, *, at: datetime) -> None:
    """From then on the key opens nothing, if not sooner."""
    await conn.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > at))
        .values(expires_at=at)
    )


async def invalid(conn: AsyncConnection, *, now: datetime) -> frozenset[ApiKeyId]:
    """All keys that open nothing any more: revoked, or expired."""
    found = await conn.execute(
        select(api_keys.c.id).where(or_(api_keys.c.revoked_at.is_not(None), api_keys.c.expires_at <= now))
    )
    return frozenset(map(ApiKeyId, found.scalars()))


async def note_use(conn: AsyncConnection, key_ids: Collection[ApiKeyId], *, now: datetime) -> None:
    """These keys were used just now."""
    await conn.execute(update(api_keys).where(api_keys.c.id.in_(key_ids)).values(last_used_at=now))


_BY_HASH = select(api_keys).where(
    api_keys.c.key_hash == bindparam("key_hash"), api_keys.c.revoked_at.is_(None)
)


def _hash(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _api_key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        organization_id=row.organization_id,
        name=row.name,
        hint=row.hint,
        created_at=row.created_at,
        scope=KeyScope(row.scope),
        expires_at=row.expires_at,
        life=None if row.life_seconds is None else timedelta(seconds=row.life_seconds),
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )
