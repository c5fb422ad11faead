"""Turning the secrets a caller sends into what the database may keep."""

import json
from collections.abc import Mapping
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.ports import SecretContext, Vault
from cyberdesk_server.store.secrets import Sealed, SealedValue


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
