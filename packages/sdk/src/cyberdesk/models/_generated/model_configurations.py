# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

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
    """What people call the configuration, 1 to 255 characters."""

    provider: str
    """The model's provider as LangChain names it, such as `anthropic`; `steps` is the built-in model."""

    model: str | None = UNSET
    """The provider's name of the model, 1 to 255 characters; `model_id` is understood too."""

    description: str | None = UNSET
    """What the configuration is for, in words."""

    temperature: float | None = UNSET
    """How freely the model chooses its words, from 0; None leaves it to the provider."""

    max_tokens: int | None = UNSET
    """How many tokens one answer may have; None leaves it to the provider."""

    timeout_seconds: float | None = UNSET
    """How long one answer may take, in seconds, at most a day; None leaves it to the server."""

    max_retries: int | None = UNSET
    """How often a failed call is made again, at most 100; None leaves it to the server."""

    additional_params: Mapping[str, Any] | None = UNSET
    """What the provider is told besides, as it is."""

    agent_harness_version_string: str | None = UNSET
    """Which prompt and tools the agent uses; None means the newest."""

    is_computer_use_model: bool = False
    """True when the model can act on a screen; only such a model can be a main agent."""

    is_archived: bool = False
    """True: no new run may choose it."""

    api_key: str | None = field(default=UNSET, repr=masked)
    """The provider's key for this configuration alone; sealed, never shown again."""

    model_id: str | None = field(default=UNSET, kw_only=True)
    """Another name of `model`."""

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
    """What people call the configuration."""

    provider: str
    """The model's provider as LangChain names it, such as `anthropic`; `steps` is the built-in model."""

    model: str
    """The provider's name of the model."""

    id: UUID
    """The configuration's id."""

    is_system_default: bool
    """True when it came with the server: every organization sees it, none changes it."""

    created_at: datetime
    """When the configuration was made, in UTC."""

    updated_at: datetime
    """When the configuration last changed, in UTC."""

    description: str | None = UNSET
    """What the configuration is for, in words; None when nobody wrote it."""

    temperature: float | None = UNSET
    """How freely the model chooses its words; None leaves it to the provider."""

    max_tokens: int | None = UNSET
    """How many tokens one answer may have; None leaves it to the provider."""

    timeout_seconds: float | None = UNSET
    """How long one answer may take, in seconds; None leaves it to the server."""

    max_retries: int | None = UNSET
    """How often a failed call is made again; None leaves it to the server."""

    additional_params: dict[str, Any] | None = UNSET
    """What the provider is told besides, as it is."""

    agent_harness_version_string: str | None = UNSET
    """Which prompt and tools the agent uses; None means the newest."""

    is_computer_use_model: bool = False
    """True when the model can act on a screen; only such a model can be a main agent."""

    is_archived: bool = False
    """True: no new run may choose it."""

    organization_id: str | None = UNSET
    """The organization that owns it; None for a system default."""

    api_key_alias: str | None = UNSET
    """The name its own key is shown by; None when it has none."""

    _reads: ClassVar[Reads] = {"id": uuid, "created_at": moment, "updated_at": moment}


@define(on_setattr=given)
class ModelConfigurationUpdate(Model):
    """Sent by `PATCH /v1/model-configurations/{model_configuration_id}`.

    `model_id` is another name of `model`.
    """

    name: str | None = UNSET
    """What people call the configuration, 1 to 255 characters; None leaves it."""

    description: str | None = UNSET
    """What the configuration is for, in words."""

    provider: str | None = UNSET
    """The model's provider as LangChain names it, such as `anthropic`; `steps` is the built-in model."""

    model: str | None = UNSET
    """The provider's name of the model, 1 to 255 characters; `model_id` is understood too."""

    api_key: str | None = field(default=UNSET, repr=masked)
    """The new key of the provider; sealed, never shown again. None leaves the key as it is."""

    clear_api_key: bool | None = UNSET
    """True: the configuration has no key of its own any more."""

    temperature: float | None = UNSET
    """How freely the model chooses its words, from 0; None leaves it to the provider."""

    max_tokens: int | None = UNSET
    """How many tokens one answer may have; None leaves it to the provider."""

    timeout_seconds: float | None = UNSET
    """How long one answer may take, in seconds, at most a day; None leaves it to the server."""

    max_retries: int | None = UNSET
    """How often a failed call is made again, at most 100; None leaves it to the server."""

    additional_params: Mapping[str, Any] | None = UNSET
    """What the provider is told besides, as it is."""

    agent_harness_version_string: str | None = UNSET
    """Which prompt and tools the agent uses; None means the newest."""

    is_computer_use_model: bool | None = UNSET
    """True when the model can act on a screen; only such a model can be a main agent."""

    is_archived: bool | None = UNSET
    """True: no new run may choose it."""

    model_id: str | None = field(default=UNSET, kw_only=True)
    """Another name of `model`."""

    _other_names: ClassVar[Mapping[str, str]] = {"model_id": "model"}


@define(on_setattr=given)
class ProviderCredentialDisplayMetadata(Answered):
    """Part of other models."""

    key_last4: str | None = UNSET
    """The last four characters of the key; None when there is none, or it is too short to tell any."""

    project_id: str | None = UNSET
    """The service account's project; None for other credentials."""

    client_email: str | None = UNSET
    """The service account's name; None for other credentials."""

    aws_region: str | None = UNSET
    """The region whose models are called; None outside AWS."""

    access_key_id_last4: str | None = UNSET
    """The last four characters of the access key's id; None for other credentials."""


@define(on_setattr=given)
class ProviderCredentialResponse(Answered):
    """Answered by `GET /v1/provider-credentials`.

    Answered by `PUT /v1/provider-credentials/{slot}`.
    Answered by `DELETE /v1/provider-credentials/{slot}`.
    """

    slot: ProviderCredentialSlot
    """Which credential it is; an organization has one for each slot."""

    display_name: str
    """The slot's name, for people."""

    source: ProviderCredentialSource
    """Whose credential it is."""

    covered_providers: list[str]
    """Providers of model configurations that use it, as LangChain names them."""

    status: ProviderCredentialStatus | None = UNSET
    """Whether there is one, and whether the provider has refused it."""

    auth_type: ProviderCredentialAuthType | None = UNSET
    """Which kind of credential it is; None when there is none."""

    display_metadata: ProviderCredentialDisplayMetadata | None = UNSET
    """What may be shown of it."""

    last_error: str | None = UNSET
    """Why the last check did not succeed; None when it did."""

    activated_at: datetime | None = UNSET
    """When it was set, or last accepted after having been refused, in UTC."""

    last_validated_at: datetime | None = UNSET
    """When the provider last accepted or refused it, in UTC; None before the first check."""

    created_at: datetime | None = UNSET
    """When the slot first got a credential, in UTC; None when it has none."""

    updated_at: datetime | None = UNSET
    """When the credential last changed, in UTC; None when there is none."""

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
    """A key of the provider: of Anthropic, OpenAI, the Gemini API or Bedrock. Never shown again."""

    service_account_json: str | None = field(default=UNSET, repr=masked)
    """For `google`: the text of a service account's key file. Never shown again."""

    bedrock_auth_mode: BedrockAuthMode | None = UNSET
    """For `aws_bedrock`: which kind of credential is sent; None tells it by what is sent."""

    aws_access_key_id: str | None = UNSET
    """For `aws_bedrock` with `iam`: id of the access key."""

    aws_secret_access_key: str | None = field(default=UNSET, repr=masked)
    """For `aws_bedrock` with `iam`: the access key's secret. Never shown again."""

    aws_region: str | None = UNSET
    """For `aws_bedrock`: the region whose models are called."""

    _reads: ClassVar[Reads] = {"bedrock_auth_mode": word("BedrockAuthMode")}


@define(on_setattr=given)
class ProviderCredentialValidationCheck(Answered):
    """Part of other models."""

    check: str
    """What was asked of the provider, as a word for programs."""

    label: str
    """What was asked of the provider, for people."""

    ok: bool
    """True when the provider answered as it does to a good credential."""

    model: str | None = UNSET
    """The model that was asked for; None when none was."""

    location: str | None = UNSET
    """The region that was asked; None where there is only one."""

    error: str | None = UNSET
    """Why the check did not succeed; None when it did."""

    is_auth_error: bool = False
    """True when the provider refused the credential."""


@define(on_setattr=given)
class ProviderCredentialValidationResponse(Answered):
    """Answered by `POST /v1/provider-credentials/{slot}/validate`."""

    slot: ProviderCredentialSlot
    """Which credential was checked."""

    ok: bool
    """True when every check succeeded."""

    checks: list[ProviderCredentialValidationCheck]
    """What was asked, and what came of it."""

    credential: ProviderCredentialResponse
    """The credential as it is after the checks."""

    _reads: ClassVar[Reads] = {
        "slot": word("ProviderCredentialSlot"),
        "checks": each(nested("ProviderCredentialValidationCheck")),
        "credential": nested("ProviderCredentialResponse"),
    }
