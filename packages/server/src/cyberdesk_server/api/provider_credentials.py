"""`/v1/provider-credentials`."""

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.schemas.provider_credentials import (
    ProviderCredentialResponse,
    ProviderCredentialUpsert,
    ProviderCredentialValidationResponse,
)
from cyberdesk_server.api.views import View
from cyberdesk_server.api.writes import Attempt, reach, write
from cyberdesk_server.domain.provider_credentials import (
    SLOTS,
    CredentialCheck,
    CredentialSource,
    CredentialStatus,
    ProviderCredential,
    ProviderSlot,
)
from cyberdesk_server.store import provider_credentials as store
from cyberdesk_server.usecases import provider_credentials

api = router(prefix="/v1/provider-credentials", tags=["provider_credentials"])


@api.get("", response_model=list[ProviderCredentialResponse])
async def list_provider_credentials(caller: Caller, parts: PartsOf) -> Response:
    """All slots; those without a credential are `missing`."""
    async with parts.database.read() as conn:
        found = {one.slot: one for one in await store.find(conn, caller.organization_id)}
    return JsonAnswer([slot_view(slot, found.get(slot)) for slot in SLOTS])


@api.put("/{slot}", response_model=ProviderCredentialResponse, openapi_extra=WRITES)
async def upsert_provider_credential(
    request: Request, slot: ProviderSlot, body: ProviderCredentialUpsert, caller: Caller, parts: PartsOf
) -> Response:
    """Set the credential of a slot. It is sealed, never shown again, and not checked yet: see `validate`."""

    async def work(conn: AsyncConnection) -> Response:
        credential = await provider_credentials.put(
            conn,
            caller.organization_id,
            slot,
            body.model_dump(),
            vault=parts.vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(slot_view(slot, credential))

    return await write(request, work)


@api.delete("/{slot}", response_model=ProviderCredentialResponse, openapi_extra=WRITES)
async def delete_provider_credential(
    request: Request, slot: ProviderSlot, caller: Caller, parts: PartsOf
) -> Response:
    """Forget the credential of a slot; what remains is the empty slot."""

    async def work(conn: AsyncConnection) -> Response:
        await provider_credentials.delete(conn, caller.organization_id, slot)
        return JsonAnswer(slot_view(slot))

    return await write(request, work)


@api.post("/{slot}/validate", response_model=ProviderCredentialValidationResponse, openapi_extra=WRITES)
async def validate_provider_credential(
    request: Request, slot: ProviderSlot, caller: Caller, parts: PartsOf
) -> Response:
    """Ask the provider whether it accepts the credential. One that it refuses becomes `invalid`."""

    async def work(_: Attempt) -> Response:
        credential, check = await provider_credentials.validate(
            parts.database,
            caller.organization_id,
            slot,
            providers=parts.providers,
            vault=parts.vault,
            now=parts.clock.now(),
        )
        checks = [_check_view(check)]
        view = slot_view(slot, credential)
        return JsonAnswer({"slot": slot, "ok": check.ok, "checks": checks, "credential": view})

    return await reach(request, work)


def slot_view(slot: ProviderSlot, credential: ProviderCredential | None = None) -> View:
    """A slot with its credential, or empty."""
    facts = SLOTS[slot]
    return {
        "slot": slot,
        "display_name": facts.display_name,
        "covered_providers": facts.covered_providers,
        "source": CredentialSource.ORGANIZATION if credential else CredentialSource.CYBERDESK,
        "status": credential.status if credential else CredentialStatus.MISSING,
        "auth_type": credential and credential.auth_type,
        "display_metadata": credential.display_metadata if credential else {},
        "last_error": credential and credential.last_error,
        "activated_at": credential and credential.activated_at,
        "last_validated_at": credential and credential.last_validated_at,
        "created_at": credential and credential.created_at,
        "updated_at": credential and credential.updated_at,
    }


def _check_view(check: CredentialCheck) -> View:
    return {
        "check": check.check,
        "label": check.label,
        "ok": check.ok,
        "model": None,
        "location": check.location,
        "error": check.error,
        "is_auth_error": check.is_auth_error,
    }
