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


class MachinePoolUpdate(Model):
    pool_ids: Ids


class PoolWithMachines(PoolResponse):
    machines: list[MachineResponse] = Field(default_factory=list)


class PoolResponseWithIncludes(PoolResponse):
    machines: list[MachineResponse] | None = Field(default=None, deprecated=True)
    included: list[IncludedResource] | None = None
