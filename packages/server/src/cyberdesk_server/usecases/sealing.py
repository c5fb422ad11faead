"""Turning the secrets a caller sends into what the database may keep."""

import json
from collections.abc import Mapping
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.ports import SecretContext, Vault
from cyberdesk_server.store.secrets import Sealed


async def seal(vault: Vault, organization_id: OrganizationId, values: Mapping[str, JsonValue]) -> Sealed:
    """Each value sealed, as JSON text, under a new id."""
    sealed: dict[str, tuple[SecretId, bytes]] = {}
    for name, value in values.items():
        secret_id = SecretId(uuid4())
        plaintext = json.dumps(value, ensure_ascii=False)
        sealed[name] = secret_id, await vault.seal(plaintext, SecretContext(organization_id, secret_id))
    return sealed


def aliases(sealed: Sealed) -> Mapping[str, str]:
    """What callers see in the place of each secret."""
    return {name: f"secret_{secret_id}" for name, (secret_id, _) in sealed.items()}
