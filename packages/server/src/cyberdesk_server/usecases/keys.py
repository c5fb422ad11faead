"""API keys: the `keys` command, and when each was used last. Each is a transaction.

What the operator does to a key is in the audit log of its organization.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.audit import Entry, by_operator
from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.domain.organizations import ApiKey, KeyScope
from cyberdesk_server.store import audit_log, keys, organizations
from cyberdesk_server.store.database import Database

KEY_PREFIX = "cd_"
"""For people who find a key somewhere; nothing checks it."""

KEY_BYTES = 32
HINT_LENGTH = 4


class NoOrganization(LookupError):
    """There is no organization yet; the server makes one when it starts for the first time."""

    def __str__(self) -> str:
        return "there is no organization yet; start the server once"


class UnknownOrganization(LookupError):
    """No organization has this id."""

    def __init__(self, organization_id: str) -> None:
        super().__init__(f"there is no organization {organization_id}; `organizations list` shows them")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only moment it can be read."""

    api_key: ApiKey
    key: str = field(repr=False)


async def create_key(
    database: Database,
    *,
    name: str,
    now: datetime,
    organization_id: OrganizationId | None = None,
    scope: KeyScope = KeyScope.MANAGE,
    life: timedelta | None = None,
) -> NewKey:
    """A new key of this organization, else of the oldest one, which expires after `life`.

    Raises `UnknownOrganization`, and `NoOrganization` before the first start.
    """
    async with database.transaction() as conn:
        found = [organization.id for organization in await organizations.find(conn)]
        if not found:
            raise NoOrganization
        if organization_id is not None and organization_id not in found:
            raise UnknownOrganization(organization_id)
        made = await add_key(
            conn,
            organization_id or found[0],
            name=name,
            scope=scope,
            now=now,
            life=life,
        )
        await _note(conn, made.api_key, "keys create", now)
        return made


async def list_keys(database: Database, organization_id: OrganizationId | None = None) -> Sequence[ApiKey]:
    """All keys, or those of one organization, revoked ones included, oldest first."""
    async with database.read() as conn:
        return await keys.find(conn, organization_id)


async def rotate_key(
    database: Database, key_id: ApiKeyId, *, overlap: timedelta, now: datetime
) -> NewKey | None:
    """A key that takes the place of this one, which opens nothing after `overlap`; None when it does not now.

    Name, scope and life are the same, however often the old key is rotated.
    """
    async with database.transaction() as conn:
        old = await keys.get(conn, key_id)
        if old is None or not old.is_valid(now):
            return None
        made = await add_key(
            conn,
            old.organization_id,
            name=old.name,
            scope=old.scope,
            now=now,
            life=old.life,
        )
        await keys.expire(conn, key_id, at=now + overlap)
        await _note(conn, old, "keys rotate", now, made.api_key)
        return made


async def revoke_key(database: Database, key_id: ApiKeyId, *, now: datetime) -> bool:
    """From now on the key opens nothing. False when it is unknown or was revoked before."""
    async with database.transaction() as conn:
        key = await keys.get(conn, key_id)
        if key is None or not await keys.revoke(conn, key_id, now=now):
            return False
        await _note(conn, key, "keys revoke", now)
        return True


async def add_key(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    name: str,
    scope: KeyScope,
    now: datetime,
    life: timedelta | None = None,
) -> NewKey:
    """A new key, within a transaction of the caller's."""
    key = KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)
    expires_at = None if life is None else now + life
    api_key = ApiKey(
        ApiKeyId(uuid4()), organization_id, name, key[-HINT_LENGTH:], now, scope, expires_at, life
    )
    await keys.add(conn, api_key, key)
    return NewKey(api_key, key)


async def _note(conn: AsyncConnection, key: ApiKey, operation: str, now: datetime, *also: ApiKey) -> None:
    targets = tuple(str(one.id) for one in (key, *also))
    entry: Entry = by_operator(key.organization_id, operation, targets, now)
    await audit_log.append(conn, [entry])


class KeyUses:
    """The keys that were used since it was last written down when."""

    def __init__(self) -> None:
        self._used: set[ApiKeyId] = set()

    def note(self, key_id: ApiKeyId) -> None:
        self._used.add(key_id)

    async def write(self, database: Database, *, now: datetime) -> None:
        """Write that they were used now; the next time again what the database does not take."""
        if not self._used:
            return
        used = frozenset(self._used)
        async with database.transaction() as conn:
            await keys.note_use(conn, used, now=now)
        self._used -= used
