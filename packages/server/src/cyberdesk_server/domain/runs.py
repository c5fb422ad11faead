"""What a run is, when it may move, and what it was asked to do."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from cyberdesk_server.domain.ids import MachineId, OrganizationId, PoolId, RunId, SessionId, WorkflowId
from cyberdesk_server.domain.json import JsonObject


class RunStatus(StrEnum):
    """Values of the contract's `RunStatus`."""

    SCHEDULING = "scheduling"
    RUNNING = "running"
    RUNNING_CHECKS = "running_checks"
    SUCCESS = "success"
    TASK_FAILED = "task_failed"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset({RunStatus.SUCCESS, RunStatus.TASK_FAILED, RunStatus.ERROR, RunStatus.CANCELLED})


class RunListOrder(StrEnum):
    """Values of the contract's `RunListSortMode`; both newest first."""

    ACTIVITY = "activity"
    """By the moment a run last moved (created, started, ended)."""

    CREATED = "created_at_desc"


class RunField(StrEnum):
    """Members of a run that `fields=` can ask for."""

    ENDED_AT = "ended_at"
    ERROR = "error"
    INPUT_ATTACHMENT_IDS = "input_attachment_ids"
    INPUT_VALUES = "input_values"
    IS_PRIORITY = "is_priority"
    MACHINE_ID = "machine_id"
    MAIN_PROMPT = "main_prompt"
    MODEL_METADATA = "model_metadata"
    ORGANIZATION_ID = "organization_id"
    OUTPUT_ATTACHMENT_IDS = "output_attachment_ids"
    OUTPUT_DATA = "output_data"
    POOL_IDS = "pool_ids"
    POST_RUN_CHECKS = "post_run_checks"
    RELEASE_SESSION_AFTER = "release_session_after"
    RUN_MESSAGE_HISTORY = "run_message_history"
    SENSITIVE_INPUT_ALIASES = "sensitive_input_aliases"
    SESSION_ALIAS = "session_alias"
    SESSION_ID = "session_id"
    STARTED_AT = "started_at"
    USAGE_METADATA = "usage_metadata"
    USER_ID = "user_id"

    # Beyond the contract.
    COST_LIMIT_USD = "cost_limit_usd"
    MAX_TURNS = "max_turns"
    RUN_TIME_LIMIT_SECONDS = "run_time_limit_seconds"
    WAIT_TIME_LIMIT_SECONDS = "wait_time_limit_seconds"


Demand = str
"""Which machines a waiting run can use, as a key an index can find it by."""

ANY_MACHINE: Demand = "any"


def demand_of_machine(machine_id: MachineId) -> Demand:
    """This machine and no other."""
    return f"machine:{machine_id}"


def machine_demanded(demand: Demand) -> MachineId | None:
    """The machine of `demand_of_machine`; None for other demands."""
    kind, _, machine_id = demand.partition(":")
    return MachineId(UUID(machine_id)) if kind == "machine" else None


def demand_of_pools(pool_ids: Collection[PoolId]) -> Demand:
    """A machine that is in all of these pools."""
    names = "\n".join(sorted(map(str, set(pool_ids))))
    return f"pools:{sha256(names.encode()).hexdigest()[:40]}"


def demand_of_session(session_id: SessionId) -> Demand:
    """The machine the session has reserved."""
    return f"session:{session_id}"


def is_in_order(demand: Demand) -> bool:
    """True when its runs follow each other by age alone: those of a session."""
    return demand.startswith("session:")


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow being carried out once. Secrets, journal and attachments are kept beside it."""

    id: RunId
    organization_id: OrganizationId
    workflow_id: WorkflowId
    status: RunStatus
    created_at: datetime
    demand: Demand = ANY_MACHINE
    machine_id: MachineId | None = None
    """The machine that was asked for, or that took the run; None while it is open which."""

    user_id: UUID | None = None
    is_priority: bool = False
    main_prompt: str | None = None
    """Used for this run in place of the workflow's prompt."""

    model_metadata: JsonObject | None = None
    input_values: JsonObject | None = None
    """As the caller sent them; machine parameters are never copied in."""

    sensitive_input_aliases: Mapping[str, str] | None = None
    """Name of each secret and the alias its value is kept under; outlives the secret."""

    error: tuple[str, ...] | None = None
    output_data: JsonObject | None = None
    usage_metadata: JsonObject | None = None
    pool_ids: tuple[PoolId, ...] | None = None
    """The pools a machine must be in, all of them, when no machine was asked for."""

    session_id: SessionId | None = None
    session_alias: str | None = None
    """The name by which later runs of its session refer to its outputs."""

    release_session_after: bool | None = None
    chain_id: UUID | None = None
    """Of the chain it is a step of; a step that fails ends the steps behind it."""

    post_run_checks: tuple[JsonObject, ...] | None = None
    """The workflow's checks as they were when the run was made, and what came of each."""

    run_time_limit_seconds: int | None = None
    """Its own limits, over those of its workflow: see `domain.limits`."""

    max_turns: int | None = None
    wait_time_limit_seconds: int | None = None
    cost_limit_usd: float | None = None
    start_within_seconds: float | None = None
    """The limit of waiting that holds for it, its own or not; None lets it wait for ever."""

    start_by: datetime | None = None
    """When it has waited too long; None without a limit, and while runs of its session come before it."""

    retries: int = 0
    """How many times it was started over; its journal is that of the last try."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    """The fencing number: how many times a worker has claimed the run."""

    lease_expires_at: datetime | None = field(default=None, compare=False)
    """While this is set the run is in a worker's hands, also after it was cancelled. It holds its machine as
    long, unless it has left it."""

    has_left_machine: bool = False
    """True when its machine was free before its post-run checks began: it is in no session."""


def added_up(before: JsonObject | None, now: JsonObject | None) -> JsonObject | None:
    """The counters of a run over all its tries: each `total_…` summed, everything else of the last try."""
    if before is None:
        return now
    last: JsonObject = now or {}  # a try that broke off through a fault of ours has none
    totals = {
        name: earlier + (count if isinstance(count := last.get(name), int) else 0)
        for name, earlier in before.items()
        if name.startswith("total_") and isinstance(earlier, int)
    }
    return {**last, **totals}
