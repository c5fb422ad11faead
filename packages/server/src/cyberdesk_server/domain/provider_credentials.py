"""Credentials of an organization at the providers of models: one for each slot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonObject


class ProviderSlot(StrEnum):
    """Values of the contract's `ProviderCredentialSlot`."""

    ANTHROPIC = "anthropic"
    AWS_BEDROCK = "aws_bedrock"
    GOOGLE = "google"
    OPENAI = "openai"


class AuthType(StrEnum):
    """Values of the contract's `ProviderCredentialAuthType`."""

    API_KEY = "api_key"
    AWS_BEDROCK_API_KEY = "aws_bedrock_api_key"
    AWS_IAM = "aws_iam"
    SERVICE_ACCOUNT_JSON = "service_account_json"


class BedrockAuthMode(StrEnum):
    """Values of the contract's `BedrockAuthMode`."""

    API_KEY = "api_key"
    IAM = "iam"


class CredentialStatus(StrEnum):
    """Values of the contract's `ProviderCredentialStatus`."""

    ACTIVE = "active"
    INVALID = "invalid"
    """The provider has refused it."""
    MISSING = "missing"


class CredentialSource(StrEnum):
    """Values of the contract's `ProviderCredentialSource`."""

    CYBERDESK = "cyberdesk"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class Slot:
    """What is the same for every organization."""

    display_name: str
    covered_providers: tuple[str, ...]
    """Providers of model configurations that use the credential, as LangChain names them."""


SLOTS: Mapping[ProviderSlot, Slot] = {
    ProviderSlot.ANTHROPIC: Slot("Anthropic", ("anthropic",)),
    ProviderSlot.AWS_BEDROCK: Slot("AWS Bedrock", ("bedrock", "bedrock_converse", "anthropic_bedrock")),
    ProviderSlot.GOOGLE: Slot("Google", ("google_genai", "google_vertexai", "google_anthropic_vertex")),
    ProviderSlot.OPENAI: Slot("OpenAI", ("openai",)),
}


@dataclass(frozen=True, slots=True)
class ApiKey:
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BedrockApiKey:
    key: str = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True)
class AwsIam:
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A Google service account, as its JSON file tells it."""

    project_id: str
    client_email: str
    private_key: str = field(repr=False)
    """RSA, in PEM."""


Secret: TypeAlias = ApiKey | BedrockApiKey | AwsIam | ServiceAccount

SECRETS: Mapping[AuthType, type[Secret]] = {
    AuthType.API_KEY: ApiKey,
    AuthType.AWS_BEDROCK_API_KEY: BedrockApiKey,
    AuthType.AWS_IAM: AwsIam,
    AuthType.SERVICE_ACCOUNT_JSON: ServiceAccount,
}

SHORTEST_SHOWN = 12
"""Of a shorter key, four characters would tell too much."""


def auth_type_of(secret: Secret) -> AuthType:
    return next(auth_type for auth_type, kind in SECRETS.items() if isinstance(secret, kind))


def display_metadata(secret: Secret) -> JsonObject:
    """What may be shown of a secret, as the contract's `ProviderCredentialDisplayMetadata`."""
    shown = dict.fromkeys(("key_last4", "project_id", "client_email", "aws_region", "access_key_id_last4"))
    match secret:
        case ApiKey(key):
            return {**shown, "key_last4": _last4(key)}
        case BedrockApiKey(key, region):
            return {**shown, "key_last4": _last4(key), "aws_region": region}
        case AwsIam(access_key_id, _, region):
            return {**shown, "access_key_id_last4": _last4(access_key_id), "aws_region": region}
        case ServiceAccount(project_id, client_email):
            return {**shown, "project_id": project_id, "client_email": client_email}


def _last4(key: str) -> str | None:
    return key[-4:] if len(key) >= SHORTEST_SHOWN else None


@dataclass(frozen=True, slots=True)
class ProviderCredential:
    """A credential as it is kept: without its secret."""

    organization_id: OrganizationId
    slot: ProviderSlot
    auth_type: AuthType
    display_metadata: JsonObject
    status: CredentialStatus
    secret_id: SecretId
    """Under which id it is sealed; another one after every change."""

    created_at: datetime
    updated_at: datetime
    last_error: str | None = None
    """Why the last check did not succeed."""

    activated_at: datetime | None = None
    """When it was set, or last accepted by the provider after having been refused."""

    last_validated_at: datetime | None = None
    """When the provider last accepted or refused it."""


@dataclass(frozen=True, slots=True)
class CredentialCheck:
    """What came of asking a provider."""

    check: str
    """What was asked, as a word for programs."""

    label: str
    """The same for people."""

    location: str | None = None
    """The region that was asked, where there are several."""

    error: str | None = None
    """Why it did not succeed; never a part of the secret."""

    is_auth_error: bool = False
    """True when the provider refused the credential; otherwise nobody knows whether it is good."""

    @property
    def ok(self) -> bool:
        return self.error is None
