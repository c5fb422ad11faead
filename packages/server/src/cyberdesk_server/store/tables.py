"""Every table of the server. `migrations/` brings a database to this shape; a test compares the two."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TextClause,
    UniqueConstraint,
    false,
    text,
    true,
)

from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ONE_RUN_PER_MACHINE = "one_run_per_machine"
"""Name of the index that refuses a second run on a held machine (invariant 2)."""

WAITING = text("status = 'scheduling'")
HELD = text("lease_expires_at IS NOT NULL")


def idle(prefix: str = "") -> TextClause:
    """The condition of a machine that can take a run, in one spelling: SQLite uses a partial index only for
    the very terms it was made with."""
    terms = ("status = 'connected'", "is_available", "held_by_run_id IS NULL", "reserved_session_id IS NULL")
    return text(" AND ".join(prefix + term for term in terms))


organizations = Table(
    "organizations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Words, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False, index=True),
    Column("name", Words, nullable=False),
    Column("hint", String(8), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

workflows = Table(
    "workflows",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("user_id", Id),
    Column("name", Words),
    Column("description", Words),
    Column("main_prompt", Words, nullable=False),
    Column("input_schema", Words),
    Column("output_schema", Words),
    Column("includes_file_exports", Boolean, nullable=False, server_default=false()),
    Column("is_webhooks_enabled", Boolean, nullable=False, server_default=false()),
    Column("terminal_command_allowlist", Json),
    Column("model_metadata", Json),
    Column("post_run_check_failure_cleanup_prompt", Words),
    Column("includes_input_variables", Boolean, nullable=False, server_default=false()),
    Column("workflow_metadata", Json),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # A deleted workflow stays for the runs that name it, and is found by nobody else.
    Column("deleted_at", UtcDateTime),
    Index("ix_workflows_newest", "organization_id", "updated_at", "id"),
)

workflow_versions = Table(
    "workflow_versions",
    metadata,
    Column("workflow_id", ForeignKey("workflows.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", Json, nullable=False),
)

machines = Table(
    "machines",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("unkey_key_id", Words, nullable=False),
    Column("user_id", Id),
    Column("name", Words),
    Column("description", Words),
    Column("hostname", Words),
    Column("version", Words),
    Column("os_info", Words),
    Column("status", String(16), nullable=False),
    Column("is_available", Boolean, nullable=False, server_default=true()),
    Column("alerts_enabled", Boolean, nullable=False, server_default=true()),
    Column("machine_parameters", Json),
    Column("sensitive_parameter_aliases", Json),
    Column("reserved_session_id", Id),
    Column("linked_keepalive_machine_id", Id),
    Column("physical_server_id", Words),
    Column("connection_id", Id),
    Column("features", Json, nullable=False),
    Column("held_by_run_id", Id, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    UniqueConstraint("organization_id", "fingerprint"),
    Index("ix_machines_newest", "organization_id", "created_at", "id"),
    Index("ix_machines_idle", "organization_id", "id", postgresql_where=idle(), sqlite_where=idle()),
)

connections = Table(
    "connections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("machine_id", ForeignKey("machines.id", ondelete="CASCADE"), nullable=False),
    Column("websocket_id", Words, nullable=False),
    Column("ip_address", Words),
    Column("user_agent", Words),
    Column("status", String(16), nullable=False),
    Column("connected_at", UtcDateTime, nullable=False),
    Column("disconnected_at", UtcDateTime),
    Column("last_ping", UtcDateTime, nullable=False),
    Index("ix_connections_newest", "machine_id", "connected_at"),
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
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("moved_at", UtcDateTime, nullable=False),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("worker_id", Words),
    Column("lease_expires_at", UtcDateTime),
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
    Index("ix_runs_leases", "lease_expires_at", postgresql_where=HELD, sqlite_where=HELD),
    Index(ONE_RUN_PER_MACHINE, "machine_id", unique=True, postgresql_where=HELD, sqlite_where=HELD),
    Index("ix_runs_newest", "organization_id", "created_at", "id"),
    Index("ix_runs_moved", "organization_id", "moved_at", "id"),
    Index("ix_runs_workflow", "workflow_id", "created_at"),
    Index("ix_runs_machine", "machine_id", "created_at"),
)

steps = Table(
    "steps",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("turn", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("tool", Words, nullable=False),
    Column("arguments", Json, nullable=False),
    Column("target", Json),
    Column("thought", Words),
    Column("memo", Words),
    Column("screen", Words),
    Column("state", String(16), nullable=False),
    Column("result", Json),
    Column("error", Words),
    Column("images", Json, nullable=False),
    Column("is_cached", Boolean, nullable=False, server_default=false()),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("run_id", "number"),
)

secrets = Table(
    "secrets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    # Exactly one of the two owners is set.
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE")),
    Column("machine_id", ForeignKey("machines.id", ondelete="CASCADE")),
    Column("name", Words, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("run_id", "name"),
    UniqueConstraint("machine_id", "name"),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("type", String(16), nullable=False),
    Column("filename", Words, nullable=False),
    Column("content_type", Words, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("blob_key", Words, nullable=False),
    Column("target_path", Words),
    Column("cleanup_imports_after_run", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
)

pictures = Table(
    "pictures",
    metadata,
    # Pictures are stored by content, so several runs may show the same one.
    Column("address", Words, primary_key=True),
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, index=True),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    Column("key", Words, primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)
