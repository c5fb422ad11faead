"""Machines, the pools they are in, their connections and what was asked of them."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
    true,
)

from cyberdesk_server.store.tables.shared import metadata
from cyberdesk_server.store.types import Id, Json, UtcDateTime, Words

RESERVED = text("reserved_session_id IS NOT NULL")
WATCHED = text("is_watched")

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
    Column("peer_id", Words),
    Column("connection_id", Id),
    # Which server holds the tunnel; set and cleared with connection_id.
    Column("server_id", Words),
    Column("features", Json, nullable=False),
    Column("held_by_run_id", Id, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    # It has been connected, and that it is lost was not told yet.
    Column("is_watched", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("organization_id", "fingerprint"),
    Index("ix_machines_newest", "organization_id", "created_at", "id"),
    Index("ix_machines_reserved", "reserved_session_id", postgresql_where=RESERVED, sqlite_where=RESERVED),
    Index("ix_machines_watched", "last_seen", postgresql_where=WATCHED, sqlite_where=WATCHED),
)

pools = Table(
    "pools",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("name", Words, nullable=False),
    Column("description", Words),
    Column("pool_parameters", Json),
    Column("sensitive_parameter_aliases", Json),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_pools_newest", "organization_id", "created_at", "id"),
)

pool_machines = Table(
    "pool_machines",
    metadata,
    Column("pool_id", ForeignKey("pools.id", ondelete="CASCADE"), primary_key=True),
    Column("machine_id", ForeignKey("machines.id", ondelete="CASCADE"), primary_key=True, index=True),
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
    Index("ix_connections_organization", "organization_id", "connected_at", "id"),
)

request_logs = Table(
    "request_logs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("organization_id", ForeignKey("organizations.id"), nullable=False),
    Column("machine_id", ForeignKey("machines.id", ondelete="CASCADE"), nullable=False),
    Column("request_id", Words, nullable=False),
    Column("method", Words, nullable=False),
    Column("path", Words, nullable=False),
    Column("status_code", Integer),
    Column("request_size_bytes", Integer),
    Column("response_size_bytes", Integer),
    Column("duration_ms", Integer),
    Column("error_message", Words),
    Column("created_at", UtcDateTime, nullable=False),
    Column("completed_at", UtcDateTime),
    Index("ix_request_logs_newest", "organization_id", "created_at", "id"),
    Index("ix_request_logs_machine", "machine_id", "created_at"),
)
