"""What a pool is: a named set of machines, and the parameters of runs that name it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cyberdesk_server.domain.ids import OrganizationId, PoolId
from cyberdesk_server.domain.json import JsonObject


@dataclass(frozen=True, slots=True)
class Pool:
    id: PoolId
    organization_id: OrganizationId
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    pool_parameters: JsonObject | None = None
    """Values of `{x}` for runs that name this pool; a machine's parameters and the run's own values win."""

    sensitive_parameter_aliases: Mapping[str, str] | None = None
    """Name of each secret such runs may use, and the alias its value is kept under."""

    machine_count: int = 0
    """How many machines were in it when it was read."""
