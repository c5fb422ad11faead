"""What a machine is: a desktop that joined through a driver."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cyberdesk_server.domain.ids import ConnectionId, MachineId, OrganizationId, RunId, ServerId
from cyberdesk_server.domain.json import JsonObject


class MachineStatus(StrEnum):
    """Values of the contract's `MachineStatus`."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Machine:
    id: MachineId
    organization_id: OrganizationId
    fingerprint: str
    """Who the driver says it is; unique inside the organization."""

    unkey_key_id: str
    """Id of the API key it joined with."""

    status: MachineStatus
    created_at: datetime
    last_seen: datetime
    name: str | None = None
    description: str | None = None
    hostname: str | None = None
    version: str | None = None
    """Of the driver."""

    os_info: str | None = None
    is_available: bool = True
    """False: connected or not, it gets no runs."""

    alerts_enabled: bool = True
    machine_parameters: JsonObject | None = None
    """Values of `{x}` that hold for every run on this machine."""

    sensitive_parameter_aliases: Mapping[str, str] | None = None
    """Name of each secret every run here may use, and the alias its value is kept under."""

    user_id: UUID | None = None
    reserved_session_id: UUID | None = None
    linked_keepalive_machine_id: MachineId | None = None
    physical_server_id: str | None = None
    peer_id: str | None = None
    """By what its driver is known at a relay of live views, when it takes part in them."""

    connection_id: ConnectionId | None = None
    """The tunnel that speaks for it now."""

    server_id: ServerId | None = None
    """The server that holds this tunnel."""

    features: frozenset[str] = frozenset()
    """What its driver offers beyond the vendor's protocol."""

    held_by_run_id: RunId | None = None
    """The run that has the machine now."""
