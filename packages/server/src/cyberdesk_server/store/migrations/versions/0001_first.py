"""The first shape of the database."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None


WAITING = sa.text("status = 'scheduling'")
HELD = sa.text("lease_expires_at IS NOT NULL")
IDLE = sa.text(
    "status = 'connected' AND is_available AND held_by_run_id IS NULL AND reserved_session_id IS NULL"
)


def upgrade() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organizations"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_api_keys_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("key_hash", name="uq_api_keys_key_hash"),
    )
    op.create_index("ix_api_keys_organization_id", "api_keys", ["organization_id"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("key", Words(), nullable=False),
        sa.Column("request_digest", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_idempotency_organization_id"
        ),
        sa.PrimaryKeyConstraint("organization_id", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"], unique=False)

    op.create_table(
        "machines",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", Words(), nullable=False),
        sa.Column("unkey_key_id", Words(), nullable=False),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("name", Words(), nullable=True),
        sa.Column("description", Words(), nullable=True),
        sa.Column("hostname", Words(), nullable=True),
        sa.Column("version", Words(), nullable=True),
        sa.Column("os_info", Words(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("is_available", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("alerts_enabled", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("machine_parameters", Json, nullable=True),
        sa.Column("sensitive_parameter_aliases", Json, nullable=True),
        sa.Column("reserved_session_id", Id(), nullable=True),
        sa.Column("linked_keepalive_machine_id", Id(), nullable=True),
        sa.Column("physical_server_id", Words(), nullable=True),
        sa.Column("connection_id", Id(), nullable=True),
        sa.Column("features", Json, nullable=False),
        sa.Column("held_by_run_id", Id(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_machines_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_machines"),
        sa.UniqueConstraint("held_by_run_id", name="uq_machines_held_by_run_id"),
        sa.UniqueConstraint("organization_id", "fingerprint", name="uq_machines_organization_id_fingerprint"),
    )
    op.create_index(
        "ix_machines_idle",
        "machines",
        ["organization_id", "id"],
        unique=False,
        postgresql_where=IDLE,
        sqlite_where=IDLE,
    )
    op.create_index("ix_machines_newest", "machines", ["organization_id", "created_at", "id"], unique=False)

    op.create_table(
        "workflows",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("name", Words(), nullable=True),
        sa.Column("description", Words(), nullable=True),
        sa.Column("main_prompt", Words(), nullable=False),
        sa.Column("input_schema", Words(), nullable=True),
        sa.Column("output_schema", Words(), nullable=True),
        sa.Column("includes_file_exports", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_webhooks_enabled", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("terminal_command_allowlist", Json, nullable=True),
        sa.Column("model_metadata", Json, nullable=True),
        sa.Column("post_run_check_failure_cleanup_prompt", Words(), nullable=True),
        sa.Column("includes_input_variables", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("workflow_metadata", Json, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_workflows_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workflows"),
    )
    op.create_index("ix_workflows_newest", "workflows", ["organization_id", "updated_at", "id"], unique=False)

    op.create_table(
        "connections",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("machine_id", Id(), nullable=False),
        sa.Column("websocket_id", Words(), nullable=False),
        sa.Column("ip_address", Words(), nullable=True),
        sa.Column("user_agent", Words(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("connected_at", UtcDateTime(), nullable=False),
        sa.Column("disconnected_at", UtcDateTime(), nullable=True),
        sa.Column("last_ping", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name="fk_connections_machine_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_connections_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_connections"),
    )
    op.create_index("ix_connections_newest", "connections", ["machine_id", "connected_at"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("workflow_id", Id(), nullable=False),
        sa.Column("machine_id", Id(), nullable=True),
        sa.Column("demand", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("is_priority", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("main_prompt", Words(), nullable=True),
        sa.Column("model_metadata", Json, nullable=True),
        sa.Column("input_values", Json, nullable=True),
        sa.Column("sensitive_input_aliases", Json, nullable=True),
        sa.Column("error", Json, nullable=True),
        sa.Column("output_data", Json, nullable=True),
        sa.Column("usage_metadata", Json, nullable=True),
        sa.Column("session_id", Id(), nullable=True),
        sa.Column("session_alias", Words(), nullable=True),
        sa.Column("release_session_after", sa.Boolean(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("moved_at", UtcDateTime(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("worker_id", Words(), nullable=True),
        sa.Column("lease_expires_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name="fk_runs_machine_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_runs_organization_id"),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.id"], name="fk_runs_workflow_id"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index(
        "ix_runs_leases", "runs", ["lease_expires_at"], unique=False, postgresql_where=HELD, sqlite_where=HELD
    )
    op.create_index("ix_runs_machine", "runs", ["machine_id", "created_at"], unique=False)
    op.create_index("ix_runs_moved", "runs", ["organization_id", "moved_at", "id"], unique=False)
    op.create_index("ix_runs_newest", "runs", ["organization_id", "created_at", "id"], unique=False)
    op.create_index(
        "ix_runs_waiting",
        "runs",
        ["organization_id", "demand", sa.text("is_priority DESC"), "created_at", "id"],
        unique=False,
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )
    op.create_index("ix_runs_workflow", "runs", ["workflow_id", "created_at"], unique=False)
    op.create_index(
        "one_run_per_machine", "runs", ["machine_id"], unique=True, postgresql_where=HELD, sqlite_where=HELD
    )

    op.create_table(
        "workflow_versions",
        sa.Column("workflow_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", Json, nullable=False),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.id"], name="fk_workflow_versions_workflow_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workflow_id", "number", name="pk_workflow_versions"),
    )
    op.create_table(
        "attachments",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("filename", Words(), nullable=False),
        sa.Column("content_type", Words(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("blob_key", Words(), nullable=False),
        sa.Column("target_path", Words(), nullable=True),
        sa.Column("cleanup_imports_after_run", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_attachments_organization_id"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_attachments_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
    )
    op.create_index("ix_attachments_run_id", "attachments", ["run_id"], unique=False)

    op.create_table(
        "pictures",
        sa.Column("address", Words(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_pictures_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("address", "run_id", name="pk_pictures"),
    )
    op.create_index("ix_pictures_run_id", "pictures", ["run_id"], unique=False)

    op.create_table(
        "secrets",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", Id(), nullable=True),
        sa.Column("machine_id", Id(), nullable=True),
        sa.Column("name", Words(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name="fk_secrets_machine_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_secrets_organization_id"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_secrets_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_secrets"),
        sa.UniqueConstraint("machine_id", "name", name="uq_secrets_machine_id_name"),
        sa.UniqueConstraint("run_id", "name", name="uq_secrets_run_id_name"),
    )
    op.create_table(
        "steps",
        sa.Column("id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tool", Words(), nullable=False),
        sa.Column("arguments", Json, nullable=False),
        sa.Column("target", Json, nullable=True),
        sa.Column("thought", Words(), nullable=True),
        sa.Column("memo", Words(), nullable=True),
        sa.Column("screen", Words(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("result", Json, nullable=True),
        sa.Column("error", Words(), nullable=True),
        sa.Column("images", Json, nullable=False),
        sa.Column("is_cached", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_steps_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_steps"),
        sa.UniqueConstraint("run_id", "number", name="uq_steps_run_id_number"),
    )


def downgrade() -> None:
    op.drop_table("steps")
    op.drop_table("secrets")

    op.drop_table("pictures")

    op.drop_table("attachments")
    op.drop_table("workflow_versions")

    op.drop_table("runs")

    op.drop_table("connections")

    op.drop_table("workflows")

    op.drop_table("machines")

    op.drop_table("idempotency")

    op.drop_table("api_keys")
    op.drop_table("organizations")
