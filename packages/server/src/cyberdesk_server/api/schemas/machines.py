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
    """By what its driver will know the machine, at most 36 characters; null makes one up."""

    unkey_key_id: str | None = None
    """Id of the API key its driver joins with; null is that of this request."""

    name: Name | None = None
    """What people call the machine, at most 255 characters."""

    description: str | None = None
    """What the machine is for, in words."""

    version: Version | None = None
    """Version of its driver, at most 50 characters."""

    hostname: Name | None = None
    """What the machine calls itself, at most 255 characters."""

    os_info: Name | None = None
    """Its operating system, at most 255 characters."""

    machine_parameters: JsonDict | None = None
    """Values of `{x}` for every run on this machine; a run's own values win."""

    machine_sensitive_parameters: dict[str, str] | None = Field(default=None, repr=False)
    """Secrets for `{$x}` in every run on this machine, by name; sealed, never shown again."""


class MachineUpdate(Model):
    name: Name | None = None
    """What people call the machine, at most 255 characters."""

    description: str | None = None
    """What the machine is for, in words."""

    version: Version | None = None
    """Version of its driver, at most 50 characters."""

    hostname: Name | None = None
    """What the machine calls itself, at most 255 characters."""

    os_info: Name | None = None
    """Its operating system, at most 255 characters."""

    status: MachineStatus | None = None
    """Its new status, until its connection next says something else; null leaves it."""

    is_available: bool | None = None
    """False: no new run begins on it, connected or not; null leaves it."""

    alerts_enabled: bool | None = None
    """Whether people want to hear when the machine is down; null leaves it."""

    last_seen: UtcTime | None = None
    """When its driver last gave a sign of life; null leaves it. A time without an offset is UTC."""

    reserved_session_id: UUID | None = None
    """Null ends the session that has reserved the machine; another value is refused."""

    machine_parameters: JsonDict | None = None
    """Values of `{x}` for every run on this machine, in place of those it had."""

    machine_sensitive_parameters: dict[str, str | None] | None = Field(default=None, repr=False)
    """Secrets to set, by name; those not named stay. A null secret is removed, `{}` removes all."""


class MachineResponse(Model):
    id: UUID
    """The machine's id."""

    unkey_key_id: str
    """Id of the API key its driver joined with."""

    status: MachineStatus
    """Whether its driver is connected."""

    is_available: bool
    """False: no new run begins on it, connected or not."""

    alerts_enabled: bool
    """Whether people want to hear when the machine is down; today it is only kept."""

    created_at: datetime
    """When the machine first joined or was registered, in UTC."""

    last_seen: datetime
    """When its driver last gave a sign of life, in UTC."""

    name: str | None = None
    """What people call the machine; null when it has no name."""

    description: str | None = None
    """What the machine is for, in words; null when nobody wrote it."""

    version: str | None = None
    """Version of its driver; null until it has told it."""

    hostname: str | None = None
    """What the machine calls itself; null until its driver has told it."""

    os_info: str | None = None
    """Its operating system; null until its driver has told it."""

    machine_parameters: JsonDict | None = None
    """Values of `{x}` for every run on this machine; a run's own values win."""

    machine_sensitive_parameters: dict[str, str] | None = None
    """Name of each secret kept for runs on this machine, and its alias; never the secret."""

    user_id: UUID | None = None
    """Who registered it; null when no person is known."""

    organization_id: str | None = None
    """The organization that owns it."""

    reserved_session_id: UUID | None = None
    """The session that has reserved the machine; null when none has."""

    linked_keepalive_machine_id: UUID | None = None
    """The machine that keeps this one awake; null when none does."""

    physical_server_id: str | None = None
    """The hardware it runs on; null when that is not known."""

    pools: list[PoolResponse] | None = None
    """The pools it is in."""


class MachineResponseWithIncludes(MachineResponse):
    included: list[IncludedResource] | None = None
    """What `include` asked for, each once; null when it asked for nothing."""
