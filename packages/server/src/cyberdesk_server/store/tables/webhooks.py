"""Webhooks: endpoints, what happened, and its way to them."""

from sqlalchemy import (
    Boolean,
    Column,
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

UNSPREAD = text("spread_at IS NULL")
UNDELIVERED = text("status = 'waiting'")
CLAIMED = text("server_id IS NOT NULL")

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("url", Words, nullable=False),
    Column("description", Words),
    Column("event_types", Json, nullable=False),
    Column("disabled_at", UtcDateTime),
    Column("disabled_reason", String(16)),
    Column("failing_since", UtcDateTime),
    # The secret that signs, and the one before it while that is still valid, each sealed under its id.
    Column("secret_id", Id, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("old_secret_id", Id),
    Column("old_sealed", LargeBinary),
    Column("old_secret_valid_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_webhook_endpoints_newest", "organization_id", "created_at", "id"),
)

webhook_messages = Table(
    "webhook_messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("event_type", String(64), nullable=False),
    Column("run_id", ForeignKey("runs.id", ondelete="SET NULL"), index=True),
    # NULL until it is put together from the run.
    Column("payload", Words),
    Column("is_test", Boolean, nullable=False, server_default=false()),
    Column("created_at", UtcDateTime, nullable=False),
    # When its deliveries were made; NULL: it is in the outbox.
    Column("spread_at", UtcDateTime),
    Index("ix_webhook_messages_outbox", "created_at", postgresql_where=UNSPREAD, sqlite_where=UNSPREAD),
    Index("ix_webhook_messages_newest", "organization_id", "created_at", "id"),
    Index("ix_webhook_messages_age", "created_at"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", ForeignKey("webhook_messages.id", ondelete="CASCADE"), nullable=False),
    Column("endpoint_id", ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), nullable=False),
    Column("status", String(16), nullable=False),
    Column("trigger", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    # Since it was last put on its way.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    # When it may be claimed: for its next attempt, or because whoever claimed it is gone.
    Column("due_at", UtcDateTime),
    # Who has claimed it, and the number every write about this attempt has to name.
    Column("server_id", Words),
    Column("claim", Integer, nullable=False, server_default=text("0")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("message_id", "endpoint_id", name="one_delivery_per_endpoint"),
    Index(
        "ix_webhook_deliveries_due",
        "endpoint_id",
        "due_at",
        "id",
        postgresql_where=UNDELIVERED,
        sqlite_where=UNDELIVERED,
    ),
    Index("ix_webhook_deliveries_claimed", "server_id", postgresql_where=CLAIMED, sqlite_where=CLAIMED),
    Index("ix_webhook_deliveries_endpoint", "endpoint_id", "created_at"),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column(
        "delivery_id", ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("number", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("url", Words, nullable=False),
    Column("request_headers", Json, nullable=False),
    Column("status_code", Integer),
    Column("response_headers", Json, nullable=False),
    Column("response_body", Words, nullable=False),
    Column("error", Words),
)
