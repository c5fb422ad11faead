"""Which models runs may use: those that come with the server, and those an organization has configured."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cyberdesk_server.domain.ids import ModelConfigurationId, OrganizationId, SecretId
from cyberdesk_server.domain.json import JsonObject


@dataclass(frozen=True, slots=True)
class ModelConfiguration:
    """A model and how to ask it. Its API key is kept beside it, sealed."""

    id: ModelConfigurationId
    organization_id: OrganizationId | None
    """None: a system default, which every organization sees and none changes."""

    name: str
    provider: str
    """As LangChain names it: `anthropic`, `openai`, `google_genai`; `steps` is the built-in model."""

    model: str
    """The provider's name of the model."""

    created_at: datetime
    updated_at: datetime
    description: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    timeout_seconds: float | None = None
    """Of one answer; None leaves it to the server's setting."""

    max_retries: int | None = None
    additional_params: JsonObject | None = None
    """What the provider is told besides, as it is."""

    agent_harness_version_string: str | None = None
    is_computer_use_model: bool = False
    """True when it can act on a screen; only such a model can be the main agent of a run."""

    is_archived: bool = False
    """True: no new run may choose it."""

    secret_id: SecretId | None = None
    """Under which id its API key is sealed; None when it has no key of its own."""

    @property
    def is_system_default(self) -> bool:
        return self.organization_id is None

    @property
    def api_key_alias(self) -> str | None:
        """What callers see in the place of the API key."""
        return None if self.secret_id is None else f"secret_{self.secret_id}"


STEPS = ModelConfiguration(
    id=ModelConfigurationId(UUID("57e95000-0000-4000-8000-000000000001")),
    organization_id=None,
    name="steps",
    provider="steps",
    model="steps",
    description="Follows prompts that are written as steps; needs no key and no network.",
    is_computer_use_model=True,
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
)
"""The built-in model. Its id is the same on every server."""

SYSTEM_DEFAULTS: Mapping[ModelConfigurationId, ModelConfiguration] = {STEPS.id: STEPS}
"""What every organization has without configuring anything; they are code, so no database lacks them."""
