"""Turning the secrets a caller sends into what the database may keep."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.ports import SecretContext, Vault
from cyberdesk_server.store.secrets import Sealed, SealedValue

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


async def seal(vault: Vault, organization_id: OrganizationId, values: Mapping[str, JsonValue]) -> Sealed:
    """Each value sealed, as JSON text, under a new id."""
    return {name: await seal_one(vault, organization_id, value) for name, value in values.items()}


async def seal_one(vault: Vault, organization_id: OrganizationId, value: JsonValue) -> SealedValue:
    """The value sealed, as JSON text, under a new id."""
    secret_id = SecretId(uuid4())
    plaintext = json.dumps(value, ensure_ascii=False)
    return secret_id, await vault.seal(plaintext, SecretContext(organization_id, secret_id))


async def open_one(vault: Vault, organization_id: OrganizationId, sealed: SealedValue) -> JsonValue:
    """What was sealed by `seal_one` for this organization; `SecretUnreadable` when it does not open."""
    secret_id, content = sealed
    value: JsonValue = json.loads(await vault.open(content, SecretContext(organization_id, secret_id)))
    return value


def aliases(sealed: Sealed) -> Mapping[str, str]:
    """What callers see in the place of each secret."""
    return {name: f"secret_{secret_id}" for name, (secret_id, _) in sealed.items()}


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
