"""What a connection is: one tunnel of one machine, from its opening to its end, or a caller's note of one."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cyberdesk_server.domain.ids import ConnectionId, MachineId, OrganizationId


class ConnectionStatus(StrEnum):
    """Values of the contract's `ConnectionStatus`."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Connection:
    id: ConnectionId
    organization_id: OrganizationId
    machine_id: MachineId
    websocket_id: str
    status: ConnectionStatus
    connected_at: datetime
    last_ping: datetime
    disconnected_at: datetime | None = None
    ip_address: str | None = None
    user_agent: str | None = None
