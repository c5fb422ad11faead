"""Organizations, their keys, what was answered to their writes, and the log of those."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table, text

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

organizations = Table(
    "organizations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Words, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # The number of its last claim, counted over all organizations: the smallest is next.
    Column("last_claim", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_organizations_last_claim", "last_claim", "id"),
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
    Column("scope", String(16), nullable=False, server_default=text("'manage'")),
    Column("expires_at", UtcDateTime),
    Column("life_seconds", Float),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    Column("key", Words, primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("headers", Json, nullable=False, server_default=text("'{}'")),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("organization_id", ForeignKey("organizations.id"), primary_key=True),
    # From 1 on, without gaps. Triggers refuse every change of a row, and its removal.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("api_key_id", Id),
    Column("actor", Words, nullable=False),
    Column("operation", Words, nullable=False),
    Column("targets", Json, nullable=False),
    Column("status_code", Integer, nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
