"""Which machines are in which pools."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.common import IncludedResource, Model
from cyberdesk_server.api.schemas.machines import MachineResponse
from cyberdesk_server.api.schemas.pools import PoolResponse

MAX_IDS = 10_000

Ids = Annotated[list[UUID], Field(max_length=MAX_IDS)]


class MachinePoolAssignment(Model):
    machine_ids: Ids
    """The machines that are put in, or taken out, at most 10,000."""


class MachinePoolUpdate(Model):
    pool_ids: Ids
    """All pools the machine is in from now on, at most 10,000; it leaves the others."""


class PoolWithMachines(PoolResponse):
    machines: list[MachineResponse] = Field(default_factory=list)
    """The machines in the pool."""


class PoolResponseWithIncludes(PoolResponse):
    machines: list[MachineResponse] | None = Field(default=None, deprecated=True)
    """The machines in the pool; null without `include_machines`."""

    included: list[IncludedResource] | None = None
    """What `include` asked for, each once; null when it asked for nothing."""
