"""Setting, checking and forgetting an organization's credentials at the providers of models."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.provider_credentials import (
    SECRETS,
    ApiKey,
    AwsIam,
    BedrockApiKey,
    BedrockAuthMode,
    CredentialCheck,
    CredentialStatus,
    ProviderCredential,
    ProviderSlot,
    Secret,
    ServiceAccount,
    auth_type_of,
    display_metadata,
)
from cyberdesk_server.domain.refusals import (
    InvalidFields,
    Problem,
    ProviderCredentialReplaced,
    Unknown,
    invalid,
)
from cyberdesk_server.ports import SecretUnreadable, Vault
from cyberdesk_server.store import provider_credentials as store
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases.sealing import open_one, seal_one

NOUN = "provider credential"
IN_A_HEADER = re.compile(r"[\x21-\x7e]{1,10000}")
"""What every provider's keys are made of, and can be sent as."""

REGION = re.compile(r"[a-z]{2}(-[a-z]{2,20}){1,2}-[0-9]{1,2}")
"""Becomes a part of a host name, so nothing else may be in it."""


class Providers(Protocol):
    """Asks a provider whether it accepts a secret."""

    async def check(self, slot: ProviderSlot, secret: Secret) -> CredentialCheck:
        """What it says. Does not raise: a provider that cannot be asked is an answer, too."""
        ...


async def put(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    slot: ProviderSlot,
    fields: Mapping[str, Any],
    *,
    vault: Vault,
    now: datetime,
) -> ProviderCredential:
    """The organization's credential in this slot, which takes the place of the one before; not checked yet.

    `fields` are members of the contract's `ProviderCredentialUpsert`. Raises `InvalidFields` for those that
    are missing, malformed, or of another slot.
    """
    secret = read(slot, fields)
    before = await store.get(conn, organization_id, slot)
    secret_id, sealed = await seal_one(vault, organization_id, asdict(secret))
    credential = ProviderCredential(
        organization_id=organization_id,
        slot=slot,
        auth_type=auth_type_of(secret),
        display_metadata=display_metadata(secret),
        status=CredentialStatus.ACTIVE,
        secret_id=secret_id,
        activated_at=now,
        created_at=now if before is None else before.created_at,
        updated_at=now,
    )
    await store.put(conn, credential, sealed)
    return credential


async def delete(conn: AsyncConnection, organization_id: OrganizationId, slot: ProviderSlot) -> None:
    """Forget the credential. Raises `Unknown` when there is none."""
    if not await store.delete(conn, organization_id, slot):
        raise Unknown(NOUN, slot)


async def validate(
    database: Database,
    organization_id: OrganizationId,
    slot: ProviderSlot,
    *,
    providers: Providers,
    vault: Vault,
    now: datetime,
) -> tuple[ProviderCredential, CredentialCheck]:
    """Ask the provider, and keep what it said. No transaction is open while it is asked.

    A refused credential becomes `invalid`, an accepted one `active`; when the provider could not tell, only
    the error is kept. Raises `Unknown` when there is no credential, and `ProviderCredentialReplaced` when it
    was changed in the meantime.
    """
    async with database.read() as conn:
        before = await store.get(conn, organization_id, slot)
        sealed = await store.sealed(conn, organization_id, slot)
    if before is None or sealed is None:
        raise Unknown(NOUN, slot)
    auth_type, content = sealed
    try:
        opened: Any = await open_one(vault, organization_id, content)
    except SecretUnreadable:
        error = "cannot be opened with this server's master key; send it again"
        check = CredentialCheck("open", "Open the credential", error=error, is_auth_error=True)
    else:
        check = await providers.check(slot, SECRETS[auth_type](**opened))
    after = judged(before, check, now=now)
    async with database.transaction() as conn:
        if not await store.replace(conn, after):
            raise ProviderCredentialReplaced(slot)
    return after, check


def judged(credential: ProviderCredential, check: CredentialCheck, *, now: datetime) -> ProviderCredential:
    """The credential after this check."""
    if check.ok:
        was_active = credential.status is CredentialStatus.ACTIVE
        return replace(
            credential,
            status=CredentialStatus.ACTIVE,
            last_error=None,
            activated_at=credential.activated_at if was_active else now,
            last_validated_at=now,
        )
    if check.is_auth_error:
        return replace(
            credential,
            status=CredentialStatus.INVALID,
            last_error=check.error,
            activated_at=None,
            last_validated_at=now,
        )
    return replace(credential, last_error=check.error)


def read(slot: ProviderSlot, fields: Mapping[str, Any]) -> Secret:
    """The secret that the members of an upsert make for this slot; those that are None count as not sent."""
    sent = {name: value for name, value in fields.items() if value is not None}
    match slot:
        case ProviderSlot.AWS_BEDROCK:
            return _bedrock(sent)
        case ProviderSlot.GOOGLE if "service_account_json" in sent:
            _only(sent, "service_account_json")
            return _service_account(sent["service_account_json"])
        case _:
            also = ("service_account_json",) if slot is ProviderSlot.GOOGLE else ()
            _only(sent, "api_key", alternatives=also)
            return ApiKey(sent["api_key"])


def _bedrock(sent: Mapping[str, Any]) -> Secret:
    usual = BedrockAuthMode.IAM if "aws_access_key_id" in sent else BedrockAuthMode.API_KEY
    credential = {name: value for name, value in sent.items() if name != "bedrock_auth_mode"}
    if sent.get("bedrock_auth_mode", usual) is BedrockAuthMode.IAM:
        _only(credential, "aws_access_key_id", "aws_secret_access_key", "aws_region")
        secret: Secret = AwsIam(sent["aws_access_key_id"], sent["aws_secret_access_key"], sent["aws_region"])
    else:
        _only(credential, "api_key", "aws_region")
        secret = BedrockApiKey(sent["api_key"], sent["aws_region"])
    if not REGION.fullmatch(sent["aws_region"]):
        raise invalid(("body", "aws_region"), "is no region, such as us-east-1")
    return secret


def _only(sent: Mapping[str, Any], *names: str, alternatives: tuple[str, ...] = ()) -> None:
    """Refuse what is missing of `names`, what is none of them, and what cannot be sent to a provider."""
    or_else = "".join(f", or {name}" for name in alternatives)
    problems = [
        *(Problem(("body", name), f"is needed{or_else}", "missing") for name in names if name not in sent),
        *(
            Problem(("body", name), "does not belong to this kind of credential")
            for name in sent
            if name not in names
        ),
        *(
            Problem(("body", name), "must be printable ASCII without spaces")
            for name in names
            if name in sent and name != "service_account_json" and not IN_A_HEADER.fullmatch(sent[name])
        ),
    ]
    if problems:
        raise InvalidFields(tuple(problems))


def _service_account(text: str) -> ServiceAccount:
    where = ("body", "service_account_json")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid(where, "is not JSON", "json_invalid") from None
    if not isinstance(told, dict) or told.get("type") != "service_account":
        raise invalid(where, "must be the key file of a service account")
    names = ("project_id", "client_email", "private_key")
    missing = [name for name in names if not isinstance(told.get(name), str) or not told[name]]
    if missing:
        raise invalid(where, f"lacks {', '.join(missing)}")
    return ServiceAccount(*(told[name] for name in names))
