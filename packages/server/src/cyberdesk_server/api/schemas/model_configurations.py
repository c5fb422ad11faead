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
    """What people call the configuration, 1 to 255 characters."""

    provider: Provider
    """The model's provider as LangChain names it, such as `anthropic`; `steps` is the built-in model."""

    model: ModelName = Field(validation_alias=MODEL_NAMES)
    """The provider's name of the model, 1 to 255 characters; `model_id` is understood too."""

    description: str | None = None
    """What the configuration is for, in words."""

    temperature: Temperature | None = None
    """How freely the model chooses its words, from 0; null leaves it to the provider."""

    max_tokens: MaxTokens | None = None
    """How many tokens one answer may have; null leaves it to the provider."""

    timeout_seconds: TimeoutSeconds | None = None
    """How long one answer may take, in seconds, at most a day; null leaves it to the server."""

    max_retries: MaxRetries | None = None
    """How often a failed call is made again, at most 100; null leaves it to the server."""

    additional_params: JsonDict | None = None
    """What the provider is told besides, as it is."""

    agent_harness_version_string: str | None = None
    """Which prompt and tools the agent uses; null means the newest."""

    is_computer_use_model: bool = False
    """True when the model can act on a screen; only such a model can be a main agent."""

    is_archived: bool = False
    """True: no new run may choose it."""

    api_key: ApiKey | None = Field(default=None, repr=False)
    """The provider's key for this configuration alone; sealed, never shown again."""


class ModelConfigurationUpdate(Model):
    name: Name | None = None
    """What people call the configuration, 1 to 255 characters; null leaves it."""

    description: str | None = None
    """What the configuration is for, in words."""

    provider: Provider | None = None
    """The model's provider as LangChain names it, such as `anthropic`; `steps` is the built-in model."""

    model: ModelName | None = Field(default=None, validation_alias=MODEL_NAMES)
    """The provider's name of the model, 1 to 255 characters; `model_id` is understood too."""

    api_key: ApiKey | None = Field(default=None, repr=False)
    """The new key of the provider; sealed, never shown again. Null leaves the key as it is."""

    clear_api_key: bool | None = None
    """True: the configuration has no key of its own any more."""

    temperature: Temperature | None = None
    """How freely the model chooses its words, from 0; null leaves it to the provider."""

    max_tokens: MaxTokens | None = None
    """How many tokens one answer may have; null leaves it to the provider."""

    timeout_seconds: TimeoutSeconds | None = None
    """How long one answer may take, in seconds, at most a day; null leaves it to the server."""

    max_retries: MaxRetries | None = None
    """How often a failed call is made again, at most 100; null leaves it to the server."""

    additional_params: JsonDict | None = None
    """What the provider is told besides, as it is."""

    agent_harness_version_string: str | None = None
    """Which prompt and tools the agent uses; null means the newest."""

    is_computer_use_model: bool | None = None
    """True when the model can act on a screen; only such a model can be a main agent."""

    is_archived: bool | None = None
    """True: no new run may choose it."""


class ModelConfigurationResponse(Model):
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

    description: str | None = None
    """What the configuration is for, in words; null when nobody wrote it."""

    temperature: float | None = None
    """How freely the model chooses its words; null leaves it to the provider."""

    max_tokens: int | None = None
    """How many tokens one answer may have; null leaves it to the provider."""

    timeout_seconds: float | None = None
    """How long one answer may take, in seconds; null leaves it to the server."""

    max_retries: int | None = None
    """How often a failed call is made again; null leaves it to the server."""

    additional_params: JsonDict | None = None
    """What the provider is told besides, as it is."""

    agent_harness_version_string: str | None = None
    """Which prompt and tools the agent uses; null means the newest."""

    is_computer_use_model: bool = False
    """True when the model can act on a screen; only such a model can be a main agent."""

    is_archived: bool = False
    """True: no new run may choose it."""

    organization_id: str | None = None
    """The organization that owns it; null for a system default."""

    api_key_alias: str | None = None
    """The name its own key is shown by; null when it has none."""
