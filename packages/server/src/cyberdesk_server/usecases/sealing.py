"""Turning the secrets a caller sends into what the database may keep.

Where secrets are kept outside of the database, they are brought there before the transaction that needs them,
under places that are written down before: `preparing`. A transaction waits for nobody but the database.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.ports import Clock, OutsideVault, SecretContext, Vault
from cyberdesk_server.store import places
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.secrets import Sealed, SealedValue

USED_WITHIN = timedelta(minutes=15)
"""After so long a place that no transaction has made use of is discarded: its server is gone."""

KEPT_AT_A_TIME = 16

SensitiveParameters = Mapping[str, str | None]
"""Secrets of a machine or a pool by name; in a change None removes one, and an empty mapping all."""


@dataclass(frozen=True, slots=True)
class SealedChange:
    """What a change of sensitive parameters does to those that are kept."""

    gone: Collection[str] | None
    """Names whose secrets go before the sealed ones come; None for all."""

    sealed: Sealed
    aliases: Mapping[str, str] | None
    """The aliases of all that are there afterwards; None when none is."""


@asynccontextmanager
async def preparing(
    database: Database,
    vault: Vault,
    organization_id: OrganizationId,
    values: Iterable[JsonValue],
    *,
    clock: Clock,
) -> AsyncIterator[Vault]:
    """A vault that seals these values, each as often as it is among them, and asks nobody for it.

    What no transaction has made use of when the block is left is discarded. Raises `VaultUnavailable`.
    """
    given = list(values)
    if not given or not isinstance(vault, OutsideVault):
        yield vault
        return
    due_at = clock.now() + USED_WITHIN
    kept = {vault.new_place(): _text(value) for value in given}
    async with database.transaction() as conn:
        await places.discard(conn, ((organization_id, place) for place in kept), due_at=due_at)
    try:
        await _keep(vault, organization_id, kept)
        yield _Prepared(vault, kept)
    finally:
        async with database.transaction() as conn:
            await places.hasten(conn, kept)


async def seal(vault: Vault, organization_id: OrganizationId, values: Mapping[str, JsonValue]) -> Sealed:
    """Each value sealed, as JSON text, under a new id."""
    return {name: await seal_one(vault, organization_id, value) for name, value in values.items()}


async def seal_one(vault: Vault, organization_id: OrganizationId, value: JsonValue) -> SealedValue:
    """The value sealed, as JSON text, under a new id."""
    secret_id = SecretId(uuid4())
    return secret_id, await vault.seal(_text(value), SecretContext(organization_id, secret_id))


async def open_one(vault: Vault, organization_id: OrganizationId, sealed: SealedValue) -> JsonValue:
    """What was sealed by `seal_one` for this organization; `SecretUnreadable` when it does not open."""
    secret_id, content = sealed
    value: JsonValue = json.loads(await vault.open(content, SecretContext(organization_id, secret_id)))
    return value


def aliases(sealed: Sealed) -> Mapping[str, str]:
    """What callers see in the place of each secret."""
    return {name: f"secret_{secret_id}" for name, (secret_id, _) in sealed.items()}


def set_values(values: SensitiveParameters | None) -> tuple[str, ...]:
    """What `seal_given` and `seal_change` seal of these."""
    return tuple(value for value in (values or {}).values() if value is not None)


async def seal_given(
    vault: Vault, organization_id: OrganizationId, values: SensitiveParameters | None
) -> Sealed:
    """The sensitive parameters of something new, sealed; what is None is not there."""
    given = {name: value for name, value in (values or {}).items() if value is not None}
    return await seal(vault, organization_id, given)


async def seal_change(
    vault: Vault,
    organization_id: OrganizationId,
    before: Mapping[str, str] | None,
    values: SensitiveParameters,
) -> SealedChange:
    """The change from the aliases `before`: `values` are added or replaced, those that are None removed."""
    if not values:
        return SealedChange(gone=None, sealed={}, aliases=None)
    sealed = await seal_given(vault, organization_id, values)
    kept = {name: alias for name, alias in (before or {}).items() if name not in values}
    return SealedChange(tuple(values), sealed, {**kept, **aliases(sealed)} or None)


async def _keep(vault: OutsideVault, organization_id: OrganizationId, kept: Mapping[bytes, str]) -> None:
    turns = asyncio.Semaphore(KEPT_AT_A_TIME)

    async def keep(place: bytes, text: str) -> None:
        async with turns:
            await vault.keep(place, text, organization_id)

    try:
        async with asyncio.TaskGroup() as group:
            for place, text in kept.items():
                group.create_task(keep(place, text))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


class _Prepared:
    """A `ports.Vault` for one request, whose secrets are kept elsewhere already."""

    def __init__(self, vault: Vault, kept: Mapping[bytes, str]) -> None:
        self._vault = vault
        self._places: dict[str, list[bytes]] = defaultdict(list)
        for place, text in kept.items():
            self._places[text].append(place)

    async def seal(self, plaintext: str, context: SecretContext) -> bytes:
        return self._places[plaintext].pop()  # an IndexError is a bug: `preparing` was told of too few

    async def open(self, sealed: bytes, context: SecretContext) -> str:
        return await self._vault.open(sealed, context)


def _text(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)
