"""Webhooks: endpoints, the outbox, deliveries and their attempts; which machines' loss is still to be told."""

import sqlalchemy as sa
from alembic import op

from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UNSPREAD = sa.text("spread_at IS NULL")
UNDELIVERED = sa.text("status = 'waiting'")
CLAIMED = sa.text("server_id IS NOT NULL")


def upgrade() -> None:
    _endpoints()
    _messages()
    _deliveries()
    _attempts()
    # Machines that are connected now are watched; what went before is not told any more.
    op.add_column("machines", sa.Column("is_watched", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE machines SET is_watched = (status = 'connected')")
    watched = sa.text("is_watched")
    op.create_index(
        "ix_machines_watched", "machines", ["last_seen"], postgresql_where=watched, sqlite_where=watched
    )


def _endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("url", Words(), nullable=False),
        sa.Column("description", Words(), nullable=True),
        sa.Column("event_types", Json, nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("disabled_reason", sa.String(length=16), nullable=True),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("secret_id", Id(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret_id", Id(), nullable=True),
        sa.Column("old_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("old_secret_valid_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_endpoints"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_webhook_endpoints_organization_id"
        ),
    )
    newest = ["organization_id", "created_at", "id"]
    op.create_index("ix_webhook_endpoints_newest", "webhook_endpoints", newest)


def _messages() -> None:
    op.create_table(
        "webhook_messages",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("event_type", sa.String(length=64), nullable=False),
        sa.Column("run_id", Id(), nullable=True),
        sa.Column("payload", Words(), nullable=True),
        sa.Column("is_test", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("spread_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_messages"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name="fk_webhook_messages_organization_id"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_webhook_messages_run_id", ondelete="SET NULL"
        ),
    )
    op.create_index("ix_webhook_messages_run_id", "webhook_messages", ["run_id"])
    op.create_index(
        "ix_webhook_messages_outbox",
        "webhook_messages",
        ["created_at"],
        postgresql_where=UNSPREAD,
        sqlite_where=UNSPREAD,
    )
    op.create_index("ix_webhook_messages_newest", "webhook_messages", ["organization_id", "created_at", "id"])
    op.create_index("ix_webhook_messages_age", "webhook_messages", ["created_at"])


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", Id(), nullable=False),
        sa.Column("message_id", Id(), nullable=False),
        sa.Column("endpoint_id", Id(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("server_id", Words(), nullable=True),
        sa.Column("claim", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["webhook_messages.id"],
            name="fk_webhook_deliveries_message_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoints.id"],
            name="fk_webhook_deliveries_endpoint_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("message_id", "endpoint_id", name="one_delivery_per_endpoint"),
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "due_at", "id"],
        postgresql_where=UNDELIVERED,
        sqlite_where=UNDELIVERED,
    )
    op.create_index(
        "ix_webhook_deliveries_claimed",
        "webhook_deliveries",
        ["server_id"],
        postgresql_where=CLAIMED,
        sqlite_where=CLAIMED,
    )
    op.create_index("ix_webhook_deliveries_endpoint", "webhook_deliveries", ["endpoint_id", "created_at"])


def _attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("id", Id(), nullable=False),
        sa.Column("delivery_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("url", Words(), nullable=False),
        sa.Column("request_headers", Json, nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("response_headers", Json, nullable=False),
        sa.Column("response_body", Words(), nullable=False),
        sa.Column("error", Words(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_attempts"),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["webhook_deliveries.id"],
            name="fk_webhook_attempts_delivery_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_webhook_attempts_delivery_id", "webhook_attempts", ["delivery_id"])
