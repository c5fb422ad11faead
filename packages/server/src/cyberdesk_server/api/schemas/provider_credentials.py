"""Provider credentials."""

from datetime import datetime

from pydantic import ConfigDict, Field

from cyberdesk_server.api.schemas.common import Model
from cyberdesk_server.domain.provider_credentials import (
    AuthType,
    BedrockAuthMode,
    CredentialSource,
    CredentialStatus,
    ProviderSlot,
)


class ProviderCredentialUpsert(Model):
    # A misspelt member would leave a credential out without a word.
    model_config = ConfigDict(extra="forbid")

    api_key: str | None = Field(default=None, repr=False)
    """A key of the provider: of Anthropic, OpenAI, the Gemini API or Bedrock. Never shown again."""

    service_account_json: str | None = Field(default=None, repr=False)
    """For `google`: the text of a service account's key file. Never shown again."""

    bedrock_auth_mode: BedrockAuthMode | None = None
    """For `aws_bedrock`: which kind of credential is sent; null tells it by what is sent."""

    aws_access_key_id: str | None = Field(default=None, repr=False)
    """For `aws_bedrock` with `iam`: id of the access key."""

    aws_secret_access_key: str | None = Field(default=None, repr=False)
    """For `aws_bedrock` with `iam`: the access key's secret. Never shown again."""

    aws_region: str | None = None
    """For `aws_bedrock`: the region whose models are called."""


class ProviderCredentialDisplayMetadata(Model):
    key_last4: str | None = None
    """The last four characters of the key; null when there is none, or it is too short to tell any."""

    project_id: str | None = None
    """The service account's project; null for other credentials."""

    client_email: str | None = None
    """The service account's name; null for other credentials."""

    aws_region: str | None = None
    """The region whose models are called; null outside AWS."""

    access_key_id_last4: str | None = None
    """The last four characters of the access key's id; null for other credentials."""


class ProviderCredentialResponse(Model):
    slot: ProviderSlot
    """Which credential it is; an organization has one for each slot."""

    display_name: str
    """The slot's name, for people."""

    source: CredentialSource
    """Whose credential it is."""

    covered_providers: list[str]
    """Providers of model configurations that use it, as LangChain names them."""

    status: CredentialStatus | None = None
    """Whether there is one, and whether the provider has refused it."""

    auth_type: AuthType | None = None
    """Which kind of credential it is; null when there is none."""

    display_metadata: ProviderCredentialDisplayMetadata = Field(
        default_factory=ProviderCredentialDisplayMetadata
    )
    """What may be shown of it."""

    last_error: str | None = None
    """Why the last check did not succeed; null when it did."""

    activated_at: datetime | None = None
    """When it was set, or last accepted after having been refused, in UTC."""

    last_validated_at: datetime | None = None
    """When the provider last accepted or refused it, in UTC; null before the first check."""

    created_at: datetime | None = None
    """When the slot first got a credential, in UTC; null when it has none."""

    updated_at: datetime | None = None
    """When the credential last changed, in UTC; null when there is none."""


class ProviderCredentialValidationCheck(Model):
    check: str
    """What was asked of the provider, as a word for programs."""

    label: str
    """What was asked of the provider, for people."""

    ok: bool
    """True when the provider answered as it does to a good credential."""

    model: str | None = None
    """The model that was asked for; null when none was."""

    location: str | None = None
    """The region that was asked; null where there is only one."""

    error: str | None = None
    """Why the check did not succeed; null when it did."""

    is_auth_error: bool = False
    """True when the provider refused the credential."""


class ProviderCredentialValidationResponse(Model):
    slot: ProviderSlot
    """Which credential was checked."""

    ok: bool
    """True when every check succeeded."""

    checks: list[ProviderCredentialValidationCheck]
    """What was asked, and what came of it."""

    credential: ProviderCredentialResponse
    """The credential as it is after the checks."""
