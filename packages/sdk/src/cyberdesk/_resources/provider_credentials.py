"""`client.provider_credentials`: the keys with which the server calls the makers of models."""

from __future__ import annotations

from typing import TypeAlias

from cyberdesk import models
from cyberdesk._answers import many, one
from cyberdesk._flow import Flow
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking

Slot: TypeAlias = "models.ProviderCredentialSlot | str"
ProviderCredentials: TypeAlias = "list[models.ProviderCredentialResponse]"


class ProviderCredentialsAPI(Resource):
    """Provider credentials: one slot for each provider. A slot that is none is a ValueError."""

    @asynchronous
    def list(self) -> Flow[ProviderCredentials]:
        """What is in each slot, without the secrets (`GET /v1/provider-credentials`)."""
        promise = many(models.ProviderCredentialResponse)
        return (yield from self._ask("GET", "/v1/provider-credentials", promise))

    list_sync = blocking(list)

    @asynchronous
    def upsert(
        self, slot: Slot, data: models.ProviderCredentialUpsert
    ) -> Flow[models.ProviderCredentialResponse]:
        """The slot with this credential in it (`PUT /v1/provider-credentials/{slot}`)."""
        promise = one(models.ProviderCredentialResponse)
        return (yield from self._ask("PUT", _path(slot), promise, body=data))

    upsert_sync = blocking(upsert)

    @asynchronous
    def delete(self, slot: Slot) -> Flow[models.ProviderCredentialResponse]:
        """The slot, now without a credential of yours (`DELETE /v1/provider-credentials/{slot}`)."""
        return (yield from self._ask("DELETE", _path(slot), one(models.ProviderCredentialResponse)))

    delete_sync = blocking(delete)

    @asynchronous
    def validate(self, slot: Slot) -> Flow[models.ProviderCredentialValidationResponse]:
        """What the provider says to the credential (`POST /v1/provider-credentials/{slot}/validate`)."""
        promise = one(models.ProviderCredentialValidationResponse)
        return (yield from self._ask("POST", f"{_path(slot)}/validate", promise))

    validate_sync = blocking(validate)


def _path(slot: Slot) -> str:
    return f"/v1/provider-credentials/{models.ProviderCredentialSlot(slot).value}"
