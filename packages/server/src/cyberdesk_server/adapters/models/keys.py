"""The API keys of models: the configuration's own, else the organization's at the provider.

A key is looked up and opened for one call, and kept nowhere: one that was replaced counts from the next call.
"""

from typing import Any

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.model_configurations import ModelConfiguration
from cyberdesk_server.domain.provider_credentials import SLOTS, AuthType, ProviderSlot
from cyberdesk_server.ports import ModelUnavailable, SecretUnreadable, Vault
from cyberdesk_server.store import model_configurations, provider_credentials
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.secrets import SealedValue
from cyberdesk_server.usecases.sealing import open_one


class Keys:
    """Opens keys."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def has_one(self, organization_id: OrganizationId, configuration: ModelConfiguration) -> bool:
        return await self._sealed(organization_id, configuration) is not None

    async def open(self, organization_id: OrganizationId, configuration: ModelConfiguration) -> str | None:
        """The key; None when there is none. `ModelUnavailable` when it does not open."""
        sealed = await self._sealed(organization_id, configuration)
        if sealed is None:
            return None
        try:
            opened: Any = await open_one(self._vault, organization_id, sealed)
        except SecretUnreadable as error:
            raise ModelUnavailable(
                f"the API key of {configuration.name} cannot be opened with this server's master key"
            ) from error
        # A configuration's key is sealed as a text, a provider's credential as an object.
        return opened if isinstance(opened, str) else str(opened["key"])

    async def _sealed(
        self, organization_id: OrganizationId, configuration: ModelConfiguration
    ) -> SealedValue | None:
        async with self._database.read() as conn:
            own = await model_configurations.sealed_key(conn, organization_id, configuration.id)
            slot = _slot(configuration.provider)
            if own is not None or slot is None:
                return own
            found = await provider_credentials.sealed(conn, organization_id, slot)
        return found[1] if found is not None and found[0] is AuthType.API_KEY else None


def _slot(provider: str) -> ProviderSlot | None:
    return next((slot for slot, told in SLOTS.items() if provider in told.covered_providers), None)
