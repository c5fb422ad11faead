# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from attrs import define, field

from cyberdesk.models._model import Answered, Model, given, masked
from cyberdesk.models._readers import Reads, each, moment, nested, uuid, word
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.enums import (
        BedrockAuthMode,
        ProviderCredentialAuthType,
        ProviderCredentialSlot,
        ProviderCredentialSource,
        ProviderCredentialStatus,
    )


@define(on_setattr=given)
class ModelConfigurationCreate(Model):
    """Sent by `POST /v1/model-configurations`.

    `model_id` is another name of `model`.
    """

    name: str
    provider: str
    model: str | None = UNSET
    description: str | None = UNSET
    temperature: float | None = UNSET
    max_tokens: int | None = UNSET
    timeout_seconds: float | None = UNSET
    max_retries: int | None = UNSET
    additional_params: Mapping[str, Any] | None = UNSET
    agent_harness_version_string: str | None = UNSET
    is_computer_use_model: bool = False
    is_archived: bool = False
    api_key: str | None = field(default=UNSET, repr=masked)
    model_id: str | None = field(default=UNSET, kw_only=True)

    _other_names: ClassVar[Mapping[str, str]] = {"model_id": "model"}

    _required: ClassVar[tuple[str, ...]] = ("model",)


@define(on_setattr=given)
class ModelConfigurationResponse(Answered):
    """Answered by `POST /v1/model-configurations`.

    Answered by `GET /v1/model-configurations`.
    Answered by `GET /v1/model-configurations/{model_configuration_id}`.
    Answered by `PATCH /v1/model-configurations/{model_configuration_id}`.
    """

    name: str
    provider: str
    model: str
    id: UUID
    is_system_default: bool
    created_at: datetime
    updated_at: datetime
    description: str | None = UNSET
    temperature: float | None = UNSET
    max_tokens: int | None = UNSET
    timeout_seconds: float | None = UNSET
    max_retries: int | None = UNSET
    additional_params: dict[str, Any] | None = UNSET
    agent_harness_version_string: str | None = UNSET
    is_computer_use_model: bool = False
    is_archived: bool = False
    organization_id: str | None = UNSET
    api_key_alias: str | None = UNSET

    _reads: ClassVar[Reads] = {"id": uuid, "created_at": moment, "updated_at": moment}


@define(on_setattr=given)
class ModelConfigurationUpdate(Model):
    """Sent by `PATCH /v1/model-configurations/{model_configuration_id}`.

    `model_id` is another name of `model`.
    """

    name: str | None = UNSET
    description: str | None = UNSET
    provider: str | None = UNSET
    model: str | None = UNSET
    api_key: str | None = field(default=UNSET, repr=masked)
    clear_api_key: bool | None = UNSET
    temperature: float | None = UNSET
    max_tokens: int | None = UNSET
    timeout_seconds: float | None = UNSET
    max_retries: int | None = UNSET
    additional_params: Mapping[str, Any] | None = UNSET
    agent_harness_version_string: str | None = UNSET
    is_computer_use_model: bool | None = UNSET
    is_archived: bool | None = UNSET
    model_id: str | None = field(default=UNSET, kw_only=True)

    _other_names: ClassVar[Mapping[str, str]] = {"model_id": "model"}


@define(on_setattr=given)
class ProviderCredentialDisplayMetadata(Answered):
    """Part of other models."""

    key_last4: str | None = UNSET
    project_id: str | None = UNSET
    client_email: str | None = UNSET
    aws_region: str | None = UNSET
    access_key_id_last4: str | None = UNSET


@define(on_setattr=given)
class ProviderCredentialResponse(Answered):
    """Answered by `GET /v1/provider-credentials`.

    Answered by `DELETE /v1/provider-credentials/{slot}`.
    Answered by `PUT /v1/provider-credentials/{slot}`.
    """

    slot: ProviderCredentialSlot
    display_name: str
    source: ProviderCredentialSource
    covered_providers: list[str]
    status: ProviderCredentialStatus | None = UNSET
    auth_type: ProviderCredentialAuthType | None = UNSET
    display_metadata: ProviderCredentialDisplayMetadata | None = UNSET
    last_error: str | None = UNSET
    activated_at: datetime | None = UNSET
    last_validated_at: datetime | None = UNSET
    created_at: datetime | None = UNSET
    updated_at: datetime | None = UNSET

    _reads: ClassVar[Reads] = {
        "slot": word("ProviderCredentialSlot"),
        "source": word("ProviderCredentialSource"),
        "status": word("ProviderCredentialStatus"),
        "auth_type": word("ProviderCredentialAuthType"),
        "display_metadata": nested("ProviderCredentialDisplayMetadata"),
        "activated_at": moment,
        "last_validated_at": moment,
        "created_at": moment,
        "updated_at": moment,
    }


@define(on_setattr=given)
class ProviderCredentialUpsert(Model):
    """Sent by `PUT /v1/provider-credentials/{slot}`."""

    api_key: str | None = field(default=UNSET, repr=masked)
    service_account_json: str | None = field(default=UNSET, repr=masked)
    bedrock_auth_mode: BedrockAuthMode | None = UNSET
    aws_access_key_id: str | None = UNSET
    aws_secret_access_key: str | None = field(default=UNSET, repr=masked)
    aws_region: str | None = UNSET

    _reads: ClassVar[Reads] = {"bedrock_auth_mode": word("BedrockAuthMode")}


@define(on_setattr=given)
class ProviderCredentialValidationCheck(Answered):
    """Part of other models."""

    check: str
    label: str
    ok: bool
    model: str | None = UNSET
    location: str | None = UNSET
    error: str | None = UNSET
    is_auth_error: bool = False


@define(on_setattr=given)
class ProviderCredentialValidationResponse(Answered):
    """Answered by `POST /v1/provider-credentials/{slot}/validate`."""

    slot: ProviderCredentialSlot
    ok: bool
    checks: list[ProviderCredentialValidationCheck]
    credential: ProviderCredentialResponse

    _reads: ClassVar[Reads] = {
        "slot": word("ProviderCredentialSlot"),
        "checks": each(nested("ProviderCredentialValidationCheck")),
        "credential": nested("ProviderCredentialResponse"),
    }
