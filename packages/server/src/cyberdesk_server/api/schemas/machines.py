"""Machines."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.common import IncludedResource, JsonDict, Model, UtcTime
from cyberdesk_server.api.schemas.pools import PoolResponse
from cyberdesk_server.domain.machines import MachineStatus

Name = Annotated[str, Field(max_length=255)]
Version = Annotated[str, Field(max_length=50)]
Fingerprint = Annotated[str, Field(min_length=1, max_length=36)]


class MachineCreate(Model):
    fingerprint: Fingerprint | None = None
    unkey_key_id: str | None = None
    name: Name | None = None
    description: str | None = None
    version: Version | None = None
    hostname: Name | None = None
    os_info: Name | None = None
    machine_parameters: JsonDict | None = None
    machine_sensitive_parameters: dict[str, str] | None = Field(default=None, repr=False)


class MachineUpdate(Model):
    name: Name | None = None
    description: str | None = None
    version: Version | None = None
    hostname: Name | None = None
    os_info: Name | None = None
    status: MachineStatus | None = None
    is_available: bool | None = None
    alerts_enabled: bool | None = None
    last_seen: UtcTime | None = None
    reserved_session_id: UUID | None = None
    machine_parameters: JsonDict | None = None
    machine_sensitive_parameters: dict[str, str | None] | None = Field(default=None, repr=False)


class MachineResponse(Model):
    id: UUID
    unkey_key_id: str
    status: MachineStatus
    is_available: bool
    alerts_enabled: bool
    created_at: datetime
    last_seen: datetime
    name: str | None = None
    description: str | None = None
    version: str | None = None
    hostname: str | None = None
    os_info: str | None = None
    machine_parameters: JsonDict | None = None
    machine_sensitive_parameters: dict[str, str] | None = None
    user_id: UUID | None = None
    organization_id: str | None = None
    reserved_session_id: UUID | None = None
    linked_keepalive_machine_id: UUID | None = None
    physical_server_id: str | None = None
    pools: list[PoolResponse] | None = None


class MachineResponseWithIncludes(MachineResponse):
    included: list[IncludedResource] | None = None
