"""What a session is: one machine reserved for runs that follow each other."""

from dataclasses import dataclass
from datetime import datetime

from cyberdesk_server.domain.ids import MachineId, OrganizationId, SessionId
from cyberdesk_server.domain.runs import Demand


@dataclass(frozen=True, slots=True)
class Session:
    id: SessionId
    organization_id: OrganizationId
    demand: Demand
    """Which machines it can reserve."""

    created_at: datetime
    machine_id: MachineId | None = None
    """The machine it has reserved; None until its first run gets one."""

    ended_at: datetime | None = None
    """From here on the machine is free for everybody. A session ends once."""
