"""The nouns of the whole API: pools, sessions, tags, checks, trajectories, models, costs, request logs."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

IDLE_BEFORE = sa.text(
    "status = 'connected' AND is_available AND held_by_run_id IS NULL AND reserved_session_id IS NULL"
)
IDLE = sa.text(
    "status = 'connected' AND connection_id IS NOT NULL AND is_available AND held_by_run_id IS NULL"
    " AND reserved_session_id IS NULL"
)
RESERVED = sa.text("reserved_session_id IS NOT NULL")


def upgrade() -> None:
    _new_tables()
    _attachments()
    _idempotency()
    _machines()
    _runs()
    _secrets()
    _steps()


def _new_tables() -> None:
    op.create_table(
        "model_configurations",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("description", Words(), nullable=True),
        sa.Column("provider", Words(), nullable=False),
        sa.Column("model", Words(), nullable=False),
        sa.Column("temperature", sa.Float(), nullable=True),
        sa.Column("max_tokens", sa.Integer(), nullable=True),
        sa.Column("timeout_seconds", sa.Float(), nullable=True),
        sa.Column("max_retries", sa.Integer(), nullable=True),
        sa.Column("additional_params", Json, nullable=True),
        sa.Column("agent_harness_version_string", Words(), nullable=True),
        sa.Column("is_computer_use_model", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("secret_id", Id(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_model_configurations_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_model_configurations"),
    )
    op.create_index("ix_model_configurations_organization_id", "model_configurations", ["organization_id"])

    op.create_table(
        "pool_sets",
        sa.Column("demand", sa.String(length=64), nullable=False),
        sa.Column("pool_id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_pool_sets_organization_id"
        ),
        sa.PrimaryKeyConstraint("demand", "pool_id", name="pk_pool_sets"),
    )
    op.create_index("ix_pool_sets_organization_id", "pool_sets", ["organization_id"])
    op.create_index("ix_pool_sets_pool_id", "pool_sets", ["pool_id"])

    op.create_table(
        "pools",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("description", Words(), nullable=True),
        sa.Column("pool_parameters", Json, nullable=True),
        sa.Column("sensitive_parameter_aliases", Json, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name="fk_pools_organization_id"),
        sa.PrimaryKeyConstraint("id", name="pk_pools"),
    )
    op.create_index("ix_pools_newest", "pools", ["organization_id", "created_at", "id"])

    op.create_table(
        "prompt_images",
        sa.Column("blob_key", Words(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("filename", Words(), nullable=False),
        sa.Column("content_type", Words(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_prompt_images_organization_id"
        ),
        sa.PrimaryKeyConstraint("blob_key", name="pk_prompt_images"),
    )
    op.create_index("ix_prompt_images_newest", "prompt_images", ["organization_id", "created_at"])

    op.create_table(
        "provider_credentials",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("slot", sa.String(length=32), nullable=False),
        sa.Column("auth_type", sa.String(length=32), nullable=False),
        sa.Column("display_metadata", Json, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("last_error", Words(), nullable=True),
        sa.Column("secret_id", Id(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("activated_at", UtcDateTime(), nullable=True),
        sa.Column("last_validated_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_provider_credentials_organization_id"
        ),
        sa.PrimaryKeyConstraint("organization_id", "slot", name="pk_provider_credentials"),
    )
    op.create_table(
        "workflow_tag_groups",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("name", Words(), nullable=False),
        sa.Column("description", Words(), nullable=True),
        sa.Column("emoji", Words(), nullable=True),
        sa.Column("color", Words(), nullable=True),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_workflow_tag_groups_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_tag_groups"),
    )
    op.create_index("ix_workflow_tag_groups_organization_id", "workflow_tag_groups", ["organization_id"])

    op.create_table(
        "pool_machines",
        sa.Column("pool_id", Id(), nullable=False),
        sa.Column("machine_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name="fk_pool_machines_machine_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pools.id"], name="fk_pool_machines_pool_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pool_id", "machine_id", name="pk_pool_machines"),
    )
    op.create_index("ix_pool_machines_machine_id", "pool_machines", ["machine_id"])

    op.create_table(
        "post_run_checks",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("workflow_id", Id(), nullable=False),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("name", Words(), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("settings", Json, nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_post_run_checks_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.id"], name="fk_post_run_checks_workflow_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_post_run_checks"),
    )
    op.create_index("ix_post_run_checks_workflow_id", "post_run_checks", ["workflow_id"])

    op.create_table(
        "request_logs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("machine_id", Id(), nullable=False),
        sa.Column("request_id", Words(), nullable=False),
        sa.Column("method", Words(), nullable=False),
        sa.Column("path", Words(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("request_size_bytes", sa.Integer(), nullable=True),
        sa.Column("response_size_bytes", sa.Integer(), nullable=True),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("error_message", Words(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("completed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name="fk_request_logs_machine_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_request_logs_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_request_logs"),
    )
    op.create_index("ix_request_logs_machine", "request_logs", ["machine_id", "created_at"])
    op.create_index("ix_request_logs_newest", "request_logs", ["organization_id", "created_at", "id"])

    op.create_table(
        "sessions",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("machine_id", Id(), nullable=True),
        sa.Column("demand", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["machine_id"], ["machines.id"], name="fk_sessions_machine_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_sessions_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
    )
    op.create_table(
        "workflow_tags",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("group_id", Id(), nullable=True),
        sa.Column("name", Words(), nullable=False),
        sa.Column("description", Words(), nullable=True),
        sa.Column("emoji", Words(), nullable=True),
        sa.Column("color", Words(), nullable=True),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["workflow_tag_groups.id"], name="fk_workflow_tags_group_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_workflow_tags_organization_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_tags"),
    )
    op.create_index("ix_workflow_tags_group_id", "workflow_tags", ["group_id"])
    op.create_index("ix_workflow_tags_organization_id", "workflow_tags", ["organization_id"])

    op.create_table(
        "llm_costs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("role", Words(), nullable=False),
        sa.Column("billing_platform", Words(), nullable=False),
        sa.Column("model", Words(), nullable=False),
        sa.Column("endpoint_type", Words(), nullable=False),
        sa.Column("call_count", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("uncached_input_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_read_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_write_5m_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_write_1h_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=False),
        sa.Column("source", Words(), nullable=False),
        sa.Column("cost_usd", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_llm_costs_organization_id"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_llm_costs_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_llm_costs"),
        sa.UniqueConstraint(
            "run_id",
            "role",
            "billing_platform",
            "model",
            "endpoint_type",
            "source",
            name="one_row_per_kind_of_call",
        ),
    )
    op.create_table(
        "tagged_workflows",
        sa.Column("workflow_id", Id(), nullable=False),
        sa.Column("tag_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["workflow_tags.id"], name="fk_tagged_workflows_tag_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.id"], name="fk_tagged_workflows_workflow_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workflow_id", "tag_id", name="pk_tagged_workflows"),
    )
    op.create_index("ix_tagged_workflows_tag_id", "tagged_workflows", ["tag_id"])

    op.create_table(
        "trajectories",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("workflow_id", Id(), nullable=False),
        sa.Column("run_id", Id(), nullable=True),
        sa.Column("user_id", Id(), nullable=True),
        sa.Column("name", Words(), nullable=True),
        sa.Column("description", Words(), nullable=True),
        sa.Column("trajectory_data", Json, nullable=False),
        sa.Column("dimensions", Json, nullable=False),
        sa.Column("original_input_values", Json, nullable=True),
        sa.Column("is_approved", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("has_been_approved", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_generated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_main", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_trajectories_organization_id"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_trajectories_run_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflows.id"], name="fk_trajectories_workflow_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_trajectories"),
    )
    op.create_index("ix_trajectories_newest", "trajectories", ["organization_id", "created_at", "id"])
    op.create_index("ix_trajectories_run_id", "trajectories", ["run_id"])
    op.create_index("ix_trajectories_workflow", "trajectories", ["workflow_id", "created_at"])

    op.create_table(
        "trajectory_pictures",
        sa.Column("address", Words(), nullable=False),
        sa.Column("trajectory_id", Id(), nullable=False),
        sa.ForeignKeyConstraint(
            ["trajectory_id"],
            ["trajectories.id"],
            name="fk_trajectory_pictures_trajectory_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("address", "trajectory_id", name="pk_trajectory_pictures"),
    )
    op.create_index("ix_trajectory_pictures_trajectory_id", "trajectory_pictures", ["trajectory_id"])


def _attachments() -> None:
    op.add_column("attachments", sa.Column("user_id", Id(), nullable=True))
    op.add_column("attachments", sa.Column("written_path", Words(), nullable=True))
    op.create_index("ix_attachments_expires_at", "attachments", ["expires_at"])


def _idempotency() -> None:
    op.add_column(
        "idempotency", sa.Column("headers", Json, server_default=sa.text("'{}'"), nullable=False)
    )


def _machines() -> None:
    op.add_column("machines", sa.Column("peer_id", Words(), nullable=True))
    op.create_index("ix_connections_organization", "connections", ["organization_id", "connected_at", "id"])
    # A machine without a tunnel takes no run, whatever a caller writes into its status.
    op.drop_index("ix_machines_idle", "machines", postgresql_where=IDLE_BEFORE, sqlite_where=IDLE_BEFORE)
    op.create_index(
        "ix_machines_idle", "machines", ["organization_id", "id"], postgresql_where=IDLE, sqlite_where=IDLE
    )
    op.create_index(
        "ix_machines_reserved",
        "machines",
        ["reserved_session_id"],
        postgresql_where=RESERVED,
        sqlite_where=RESERVED,
    )


def _runs() -> None:
    op.add_column("runs", sa.Column("chain_id", Id(), nullable=True))
    op.add_column("runs", sa.Column("pool_ids", Json, nullable=True))
    op.add_column("runs", sa.Column("post_run_checks", Json, nullable=True))
    op.add_column("runs", sa.Column("told_message_history", Json, nullable=True))
    op.add_column("runs", sa.Column("told_output_attachment_ids", Json, nullable=True))
    op.add_column("runs", sa.Column("retries", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_runs_session", "runs", ["session_id", "created_at"])


def _secrets() -> None:
    with op.batch_alter_table("secrets") as batch:
        batch.add_column(sa.Column("pool_id", Id(), nullable=True))
        batch.create_unique_constraint("uq_secrets_pool_id_name", ["pool_id", "name"])
        batch.create_foreign_key("fk_secrets_pool_id", "pools", ["pool_id"], ["id"], ondelete="CASCADE")


def _steps() -> None:
    with op.batch_alter_table("steps") as batch:
        batch.add_column(sa.Column("retry", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch.drop_constraint("uq_steps_run_id_number", type_="unique")
        batch.create_unique_constraint("uq_steps_run_id_retry_number", ["run_id", "retry", "number"])
