"""What was used: the steps of runs, and what their calls of language models cost."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cyberdesk_server.domain.ids import RunId, WorkflowId


class UsageMode(StrEnum):
    """Values of the contract's `UsageMode`. Neither counts runs that ended through a fault of ours."""

    SIMULATED = "simulated"
    """What was done."""

    BILLED = "billed"
    """What is charged for."""


@dataclass(frozen=True, slots=True)
class UsageTotal:
    agentic_steps: int
    cached_steps: int
    runs: int


@dataclass(frozen=True, slots=True)
class LlmCost:
    """Calls of one kind that a run has made: same role, platform, model, endpoint and source."""

    role: str
    """What the model was asked as: `main_agent`, `cache_detection`, `extraction`, …"""

    billing_platform: str
    """Who sends the bill: `anthropic`, `aws_bedrock`, …"""

    model: str
    endpoint_type: str
    """Which of the platform's interfaces was called, for prices differ: `messages`, `responses`, …"""

    source: str
    """Whose credential paid: `cyberdesk` or `organization`."""

    call_count: int
    input_tokens: int = 0
    """All of them, cached ones included."""

    uncached_input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    output_tokens: int = 0
    """All of them, reasoning included."""

    reasoning_tokens: int = 0
    cost_usd: float | None = None
    """None when nobody knows the price of one of the calls."""


@dataclass(frozen=True, slots=True)
class CostTotal:
    """What the calls of one run have cost."""

    run_id: RunId
    workflow_id: WorkflowId
    created_at: datetime
    """When the run was created."""

    has_unpriced: bool
    """True when some calls have no price; the total leaves them out."""

    total_cost_usd: float | None
    """None when no call has a price."""
