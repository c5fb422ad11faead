"""Usage and costs."""

from datetime import datetime
from typing import Generic
from uuid import UUID

from cyberdesk_server.api.schemas.common import Item, Model
from cyberdesk_server.domain.usage import UsageMode


class PaginatedResponse(Model, Generic[Item]):
    items: list[Item]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""


class UsageAggregateResponse(Model):
    total_agentic_steps: int
    """Turns of models, and extractions, of all runs counted."""

    total_cached_steps: int
    """Steps of all runs counted that were replayed from trajectories."""

    period_start: datetime
    """Runs made from this moment on are counted, in UTC."""

    period_end: datetime
    """Runs made before this moment are counted, in UTC."""

    mode: UsageMode
    """Whether it is told what was done or what is charged for."""

    runs_counted: int
    """How many runs were counted; those that failed by our fault are not among them."""


class RunLlmCostRow(Model):
    role: str
    """What the model was asked as: `main_agent`, `cache_detection`, `extraction`, …"""

    billing_platform: str
    """Who sends the bill: `anthropic`, `aws_bedrock`, …"""

    model: str
    """The provider's name of the model."""

    endpoint_type: str
    """Which of the platform's interfaces was called, for prices differ."""

    call_count: int
    """How many calls there were."""

    input_tokens: int
    """Tokens that were sent, cached ones included."""

    uncached_input_tokens: int
    """Tokens that were sent and were in no cache."""

    cache_read_tokens: int
    """Tokens that were read from the provider's cache."""

    cache_write_5m_tokens: int
    """Tokens that were put in the provider's cache for five minutes."""

    cache_write_1h_tokens: int
    """Tokens that were put in the provider's cache for an hour."""

    output_tokens: int
    """Tokens that were answered, reasoning included."""

    reasoning_tokens: int
    """Tokens of the answers that were reasoning."""

    source: str
    """Whose credential paid: `cyberdesk` or `organization`."""

    cost_usd: float | None = None
    """What the calls cost, in US dollars; null when nobody knows the price of one of them."""


class RunLlmCostsResponse(Model):
    run_id: UUID
    """The run whose calls they were."""

    has_unpriced: bool
    """True when some calls have no price; the total leaves them out."""

    rows: list[RunLlmCostRow]
    """The calls, those of one kind in one row."""

    total_cost_usd: float | None = None
    """What the calls cost, in US dollars; null when no call has a price."""


class RunLlmCostTotalResponse(Model):
    run_id: UUID
    """The run whose calls they were."""

    workflow_id: UUID
    """The workflow of the run."""

    created_at: datetime
    """When the run was made, in UTC."""

    has_unpriced: bool
    """True when some calls have no price; the total leaves them out."""

    total_cost_usd: float | None = None
    """What the calls cost, in US dollars; null when no call has a price."""
