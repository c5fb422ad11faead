"""Connections."""

from datetime import datetime
from uuid import UUID

from cyberdesk_server.api.schemas.common import Model, UtcTime
from cyberdesk_server.domain.connections import ConnectionStatus


class ConnectionCreate(Model):
    websocket_id: str | None = None
    machine_id: UUID
    ip_address: str | None = None
    user_agent: str | None = None


class ConnectionUpdate(Model):
    status: ConnectionStatus | None = None
    last_ping: UtcTime | None = None
    disconnected_at: UtcTime | None = None


class ConnectionResponse(Model):
    websocket_id: str
    id: UUID
    machine_id: UUID
    connected_at: datetime
    disconnected_at: datetime | None
    last_ping: datetime
    status: ConnectionStatus
    ip_address: str | None = None
    user_agent: str | None = None
