"""Model configurations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AliasChoices, Field

from cyberdesk_server.api.schemas.common import JsonDict, Model

MAX_INTEGER = 2**31 - 1

Name = Annotated[str, Field(min_length=1, max_length=255)]
Provider = Annotated[str, Field(min_length=1, max_length=50)]
ModelName = Annotated[str, Field(min_length=1, max_length=255)]
MODEL_NAMES = AliasChoices("model", "model_id")
"""The guides say `model_id` where the contract says `model`."""

ApiKey = Annotated[str, Field(min_length=1, max_length=10_000)]
Temperature = Annotated[float, Field(ge=0)]
MaxTokens = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
TimeoutSeconds = Annotated[float, Field(gt=0, le=24 * 3600)]
MaxRetries = Annotated[int, Field(ge=0, le=100)]


class ModelConfigurationCreate(Model):
    name: Name
    provider: Provider
    model: ModelName = Field(validation_alias=MODEL_NAMES)
    description: str | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    timeout_seconds: TimeoutSeconds | None = None
    max_retries: MaxRetries | None = None
    additional_params: JsonDict | None = None
    agent_harness_version_string: str | None = None
    is_computer_use_model: bool = False
    is_archived: bool = False
    api_key: ApiKey | None = Field(default=None, repr=False)


class ModelConfigurationUpdate(Model):
    name: Name | None = None
    description: str | None = None
    provider: Provider | None = None
    model: ModelName | None = Field(default=None, validation_alias=MODEL_NAMES)
    api_key: ApiKey | None = Field(default=None, repr=False)
    clear_api_key: bool | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    timeout_seconds: TimeoutSeconds | None = None
    max_retries: MaxRetries | None = None
    additional_params: JsonDict | None = None
    agent_harness_version_string: str | None = None
    is_computer_use_model: bool | None = None
    is_archived: bool | None = None


class ModelConfigurationResponse(Model):
    name: str
    provider: str
    model: str
    id: UUID
    is_system_default: bool
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    timeout_seconds: float | None = None
    max_retries: int | None = None
    additional_params: JsonDict | None = None
    agent_harness_version_string: str | None = None
    is_computer_use_model: bool = False
    is_archived: bool = False
    organization_id: str | None = None
    api_key_alias: str | None = None
