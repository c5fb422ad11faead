"""Connections."""

from datetime import datetime
from uuid import UUID

from cyberdesk_server.api.schemas.common import Model, UtcTime
from cyberdesk_server.domain.connections import ConnectionStatus


class ConnectionCreate(Model):
    websocket_id: str | None = None
    """The caller's name for the connection; null makes one up."""

    machine_id: UUID
    """The machine it belongs to."""

    ip_address: str | None = None
    """Where it comes from; null when that is not known."""

    user_agent: str | None = None
    """What its program calls itself; null when that is not known."""


class ConnectionUpdate(Model):
    status: ConnectionStatus | None = None
    """Its new status; null leaves it."""

    last_ping: UtcTime | None = None
    """When it last gave a sign of life; a time without an offset is UTC."""

    disconnected_at: UtcTime | None = None
    """When it ended; a time without an offset is UTC."""


class ConnectionResponse(Model):
    websocket_id: str
    """A name for the connection: of its caller, or made up by the server."""

    id: UUID
    """The connection's id."""

    machine_id: UUID
    """The machine it belongs to."""

    connected_at: datetime
    """When it began, in UTC."""

    disconnected_at: datetime | None
    """When it ended, in UTC; null while it stands."""

    last_ping: datetime
    """When it last gave a sign of life, in UTC."""

    status: ConnectionStatus
    """Whether it stands, has ended, or has failed."""

    ip_address: str | None = None
    """Where it comes from; null when that is not known."""

    user_agent: str | None = None
    """What its program calls itself; null when that is not known."""
