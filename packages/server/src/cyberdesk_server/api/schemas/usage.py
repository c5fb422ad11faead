"""Usage and costs."""

from datetime import datetime
from typing import Generic
from uuid import UUID

from cyberdesk_server.api.schemas.common import Item, Model
from cyberdesk_server.domain.usage import UsageMode


class PaginatedResponse(Model, Generic[Item]):
    items: list[Item]
    total: int
    skip: int
    limit: int


class UsageAggregateResponse(Model):
    total_agentic_steps: int
    total_cached_steps: int
    period_start: datetime
    period_end: datetime
    mode: UsageMode
    runs_counted: int


class RunLlmCostRow(Model):
    role: str
    billing_platform: str
    model: str
    endpoint_type: str
    call_count: int
    input_tokens: int
    uncached_input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    source: str
    cost_usd: float | None = None


class RunLlmCostsResponse(Model):
    run_id: UUID
    has_unpriced: bool
    rows: list[RunLlmCostRow]
    total_cost_usd: float | None = None


class RunLlmCostTotalResponse(Model):
    run_id: UUID
    workflow_id: UUID
    created_at: datetime
    has_unpriced: bool
    total_cost_usd: float | None = None
