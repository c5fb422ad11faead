"""Runs and all that comes of them: sessions, journal, secrets, files, pictures, costs."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

ONE_RUN_PER_MACHINE = "one_run_per_machine"
"""Name of the index that refuses a second run on a held machine (invariant 2)."""

WAITING = text("status = 'scheduling'")
WAITING_WITH_A_LIMIT = text("status = 'scheduling' AND start_by IS NOT NULL")
LEASED = text("lease_expires_at IS NOT NULL")
HOLDING = text("lease_expires_at IS NOT NULL AND NOT has_left_machine")
OPEN = text("ended_at IS NULL")
CHAINED = text("chain_id IS NOT NULL")

sessions = Table(
    "sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    # NULL until the first run of the session gets its machine.
    Column("machine_id", ForeignKey("machines.id", ondelete="SET NULL")),
    # Which machines it can be, as for runs.
    Column("demand", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Index("ix_sessions_open", "created_at", postgresql_where=OPEN, sqlite_where=OPEN),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("user_id", Id),
    Column("workflow_id", ForeignKey("workflows.id"), nullable=False),
    Column("machine_id", ForeignKey("machines.id", ondelete="SET NULL")),
    Column("demand", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("is_priority", Boolean, nullable=False, server_default=false()),
    Column("main_prompt", Words),
    Column("model_metadata", Json),
    Column("input_values", Json),
    Column("sensitive_input_aliases", Json),
    Column("error", Json),
    Column("output_data", Json),
    Column("usage_metadata", Json),
    Column("session_id", Id),
    Column("session_alias", Words),
    Column("release_session_after", Boolean),
    # Runs of one chain end together: when a step fails, those behind it never start.
    Column("chain_id", Id),
    Column("pool_ids", Json),
    # The workflow's checks as they were when the run was made.
    Column("post_run_checks", Json),
    Column("run_time_limit_seconds", Integer),
    Column("max_turns", Integer),
    Column("wait_time_limit_seconds", Integer),
    Column("cost_limit_usd", Float),
    # What the tries before this one have cost, which its own limit does not count.
    Column("cost_before_usd", Float, nullable=False, server_default=text("0")),
    # The limit of waiting that holds for it, its own or not, and when the time is up.
    Column("start_within_seconds", Float),
    Column("start_by", UtcDateTime),
    # What a caller wrote in the place of the views of journal and files; NULL shows the views.
    Column("told_message_history", Json),
    Column("told_output_attachment_ids", Json),
    # Which try this is: 0 first, one more after each retry. The journal of a try carries it.
    Column("retries", Integer, nullable=False, server_default=text("0")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("moved_at", UtcDateTime, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    # In the hands of which server the run is; NULL when it was left to whoever comes next.
    Column("server_id", Words),
    Column("lease_expires_at", UtcDateTime),
    # A run that is in no session leaves its machine before its post-run checks, its lease going on.
    Column("has_left_machine", Boolean, nullable=False, server_default=false()),
    Index(
        "ix_runs_waiting",
        "organization_id",
        "demand",
        text("is_priority DESC"),
        "created_at",
        "id",
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    ),
    Index(
        "ix_runs_overdue",
        "start_by",
        postgresql_where=WAITING_WITH_A_LIMIT,
        sqlite_where=WAITING_WITH_A_LIMIT,
    ),
    Index("ix_runs_leases", "lease_expires_at", postgresql_where=LEASED, sqlite_where=LEASED),
    Index(ONE_RUN_PER_MACHINE, "machine_id", unique=True, postgresql_where=HOLDING, sqlite_where=HOLDING),
    Index("ix_runs_newest", "organization_id", "created_at", "id"),
    Index("ix_runs_moved", "organization_id", "moved_at", "id"),
    Index("ix_runs_workflow", "workflow_id", "created_at"),
    Index("ix_runs_machine", "machine_id", "created_at"),
    Index("ix_runs_session", "session_id", "created_at"),
    Index("ix_runs_chain", "chain_id", postgresql_where=CHAINED, sqlite_where=CHAINED),
)

pool_sets = Table(
    "pool_sets",
    metadata,
    # A demand of runs, `pools:…`, and the pools a machine must be in to satisfy it, one a row.
    Column("demand", String(64), primary_key=True),
    Column("pool_id", Id, primary_key=True, index=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
    # Again the pool, in the row of the one that had the fewest machines: by it a machine finds the demand.
    Column("rarest_pool_id", Id, index=True),
)

steps = Table(
    "steps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("retry", Integer, nullable=False, server_default=text("0")),
    Column("number", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
    # The step it is a part of, such as a focused action; NULL in the run's own course.
    Column("within", Id),
    Column("attempt", Integer, nullable=False),
    Column("tool", Words, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("target", Json),
    Column("anchors", Json),
    Column("thought", Words),
    Column("memo", Words),
    Column("screen", Words),
    Column("volatile", Json),
    # What the guard said of a recording of this turn.
    Column("detection", Json),
    Column("state", String(16), nullable=False),
    Column("result", Json),
    Column("error", Words),
    Column("images", Json, nullable=False),
    Column("is_cached", Boolean, nullable=False, server_default=false()),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("run_id", "retry", "number"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    # Exactly one of the three owners is set.
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE")),
    Column("machine_id", ForeignKey("machines.id", ondelete="CASCADE")),
    Column("pool_id", ForeignKey("pools.id", ondelete="CASCADE")),
    Column("name", Words, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("run_id", "name"),
    UniqueConstraint("machine_id", "name"),
    UniqueConstraint("pool_id", "name"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", Id),
    Column("type", String(16), nullable=False),
    Column("filename", Words, nullable=False),
    Column("content_type", Words, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("blob_key", Words, nullable=False),
    Column("target_path", Words),
    # Where the file was put on the machine, once it was; cleaned up by this path.
    Column("written_path", Words),
    Column("cleanup_imports_after_run", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, index=True),
)

pictures = Table(
    "pictures",
    metadata,
    # Pictures are stored by content, so several runs may show the same one.
    Column("address", Words, primary_key=True),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, index=True),
)

llm_costs = Table(
    "llm_costs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("role", Words, nullable=False),
    Column("billing_platform", Words, nullable=False),
    Column("model", Words, nullable=False),
    Column("endpoint_type", Words, nullable=False),
    Column("call_count", Integer, nullable=False),
    Column("input_tokens", Integer, nullable=False),
    Column("uncached_input_tokens", Integer, nullable=False),
    Column("cache_read_tokens", Integer, nullable=False),
    Column("cache_write_5m_tokens", Integer, nullable=False),
    Column("cache_write_1h_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("reasoning_tokens", Integer, nullable=False),
    Column("source", Words, nullable=False),
    # NULL: nobody knows the price of this model.
    Column("cost_usd", Float),
    UniqueConstraint(
        "run_id",
        "role",
        "billing_platform",
        "model",
        "endpoint_type",
        "source",
        name="one_row_per_kind_of_call",
    ),
)
