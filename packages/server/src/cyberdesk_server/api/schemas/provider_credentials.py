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
    service_account_json: str | None = Field(default=None, repr=False)
    bedrock_auth_mode: BedrockAuthMode | None = None
    aws_access_key_id: str | None = Field(default=None, repr=False)
    aws_secret_access_key: str | None = Field(default=None, repr=False)
    aws_region: str | None = None


class ProviderCredentialDisplayMetadata(Model):
    key_last4: str | None = None
    project_id: str | None = None
    client_email: str | None = None
    aws_region: str | None = None
    access_key_id_last4: str | None = None


class ProviderCredentialResponse(Model):
    slot: ProviderSlot
    display_name: str
    source: CredentialSource
    covered_providers: list[str]
    status: CredentialStatus | None = None
    auth_type: AuthType | None = None
    display_metadata: ProviderCredentialDisplayMetadata = Field(
        default_factory=ProviderCredentialDisplayMetadata
    )
    last_error: str | None = None
    activated_at: datetime | None = None
    last_validated_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class ProviderCredentialValidationCheck(Model):
    check: str
    label: str
    ok: bool
    model: str | None = None
    location: str | None = None
    error: str | None = None
    is_auth_error: bool = False


class ProviderCredentialValidationResponse(Model):
    slot: ProviderSlot
    ok: bool
    checks: list[ProviderCredentialValidationCheck]
    credential: ProviderCredentialResponse
