# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from attrs import define, field

from cyberdesk.models._model import Answered, Model, Page, given, masked
from cyberdesk.models._readers import Reads, each, moment, nested, uuid, word
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.common import IncludedResource
    from cyberdesk.models._generated.enums import (
        MachinesHealthCheckResponseScope,
        MachinesHealthCheckResponseStatus,
        MachineStatus,
    )
    from cyberdesk.models._generated.pools import PoolResponse


@define(on_setattr=given)
class CyberdriverShutdownRequest(Model):
    """Sent by `POST /v1/machines/{machine_id}/cyberdriver/shutdown`."""

    source: str = "cloud-api"
    reason: str | None = "user_disabled_machine"


@define(on_setattr=given)
class CyberdriverWebSessionEndpoints(Answered):
    """Part of other models."""

    hbbs_url: str
    hbbr_url: str


@define(on_setattr=given)
class CyberdriverWebSessionResponse(Answered):
    """Answered by `POST /v1/machines/{machine_id}/cyberdriver/web-session`."""

    machine_id: UUID
    rustdesk_peer_id: str
    desktop_label: str
    selected_organization_id: str
    token: str = field(repr=masked)
    expires_at: int
    mode: str
    endpoints: CyberdriverWebSessionEndpoints
    public_key: str
    features: dict[str, bool]

    _reads: ClassVar[Reads] = {"machine_id": uuid, "endpoints": nested("CyberdriverWebSessionEndpoints")}


@define(on_setattr=given)
class DownedMachine(Answered):
    """Part of other models."""

    machine_id: UUID
    organization_id: str
    status: MachineStatus
    last_seen: datetime
    reason: str
    name: str | None = UNSET

    _reads: ClassVar[Reads] = {"machine_id": uuid, "status": word("MachineStatus"), "last_seen": moment}


@define(on_setattr=given)
class DownedMachinesEvent(Answered):
    """Delivered by the webhook `downed_machines`."""

    organization_id: str
    machines: list[DownedMachine]
    event_id: UUID | None = UNSET
    event_type: str = "downed_machines"
    occurred_at: datetime | None = UNSET

    _reads: ClassVar[Reads] = {
        "machines": each(nested("DownedMachine")),
        "event_id": uuid,
        "occurred_at": moment,
    }


@define(on_setattr=given)
class MachineCreate(Model):
    """Sent by `POST /v1/machines`.

    The server chooses `fingerprint`, `unkey_key_id` when left out.
    """

    fingerprint: str | None = UNSET
    unkey_key_id: str | None = UNSET
    name: str | None = UNSET
    version: str | None = UNSET
    hostname: str | None = UNSET
    os_info: str | None = UNSET
    machine_parameters: Mapping[str, Any] | None = UNSET
    machine_sensitive_parameters: Mapping[str, str] | None = field(default=UNSET, repr=masked)
    provider: str | None = field(default=UNSET, kw_only=True)
    region: str | None = field(default=UNSET, kw_only=True)
    description: str | None = field(default=UNSET, kw_only=True)


@define(on_setattr=given)
class MachineHealthCheckError(Answered):
    """Part of other models."""

    machine_id: str
    error: str
    organization_id: str | None = UNSET
    machine_name: str | None = UNSET
    status_code: int | None = UNSET


@define(on_setattr=given)
class MachinePoolAssignment(Model):
    """Sent by `POST /v1/pools/{pool_id}/machines`.

    Sent by `DELETE /v1/pools/{pool_id}/machines`.
    """

    machine_ids: Sequence[UUID | str]

    _reads: ClassVar[Reads] = {"machine_ids": each(uuid)}


@define(on_setattr=given)
class MachinePoolUpdate(Model):
    """Sent by `PUT /v1/machines/{machine_id}/pools`."""

    pool_ids: Sequence[UUID | str]

    _reads: ClassVar[Reads] = {"pool_ids": each(uuid)}


@define(on_setattr=given)
class MachineResponse(Answered):
    """Answered by `POST /v1/machines`.

    Answered by `PATCH /v1/machines/{machine_id}`.
    Answered by `PUT /v1/machines/{machine_id}/pools`.
    """

    id: UUID
    unkey_key_id: str
    status: MachineStatus
    is_available: bool
    alerts_enabled: bool
    created_at: datetime
    last_seen: datetime
    name: str | None = UNSET
    version: str | None = UNSET
    hostname: str | None = UNSET
    os_info: str | None = UNSET
    machine_parameters: dict[str, Any] | None = UNSET
    machine_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    reserved_session_id: UUID | None = UNSET
    linked_keepalive_machine_id: UUID | None = UNSET
    physical_server_id: str | None = UNSET
    pools: list[PoolResponse] | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "status": word("MachineStatus"),
        "created_at": moment,
        "last_seen": moment,
        "user_id": uuid,
        "reserved_session_id": uuid,
        "linked_keepalive_machine_id": uuid,
        "pools": each(nested("PoolResponse")),
    }


@define(on_setattr=given)
class MachineUpdate(Model):
    """Sent by `PATCH /v1/machines/{machine_id}`."""

    name: str | None = UNSET
    version: str | None = UNSET
    hostname: str | None = UNSET
    os_info: str | None = UNSET
    status: MachineStatus | None = UNSET
    is_available: bool | None = UNSET
    alerts_enabled: bool | None = UNSET
    last_seen: datetime | str | None = UNSET
    reserved_session_id: UUID | str | None = UNSET
    machine_parameters: Mapping[str, Any] | None = UNSET
    machine_sensitive_parameters: Mapping[str, str] | None = field(default=UNSET, repr=masked)
    description: str | None = field(default=UNSET, kw_only=True)

    _reads: ClassVar[Reads] = {
        "status": word("MachineStatus"),
        "last_seen": moment,
        "reserved_session_id": uuid,
    }


@define(on_setattr=given)
class MachinesHealthCheckResponse(Answered):
    """Answered by `GET /v1/health/machines`."""

    status: MachinesHealthCheckResponseStatus
    scope: MachinesHealthCheckResponseScope
    checked_machines: int
    healthy_machines: int
    errored_machines: list[MachineHealthCheckError]
    message: str

    _reads: ClassVar[Reads] = {
        "status": word("MachinesHealthCheckResponseStatus"),
        "scope": word("MachinesHealthCheckResponseScope"),
        "errored_machines": each(nested("MachineHealthCheckError")),
    }


@define(on_setattr=given)
class PaginatedResponseWithIncludesMachineResponse(Page[MachineResponse]):
    """Answered by `GET /v1/machines`."""

    items: list[MachineResponse]
    total: int
    skip: int
    limit: int
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "items": each(nested("MachineResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class MachineResponseWithIncludes(MachineResponse):
    """Answered by `GET /v1/machines/{machine_id}`."""

    id: UUID
    unkey_key_id: str
    status: MachineStatus
    is_available: bool
    alerts_enabled: bool
    created_at: datetime
    last_seen: datetime
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    name: str | None = UNSET
    version: str | None = UNSET
    hostname: str | None = UNSET
    os_info: str | None = UNSET
    machine_parameters: dict[str, Any] | None = UNSET
    machine_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    reserved_session_id: UUID | None = UNSET
    linked_keepalive_machine_id: UUID | None = UNSET
    physical_server_id: str | None = UNSET
    pools: list[PoolResponse] | None = UNSET
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "status": word("MachineStatus"),
        "created_at": moment,
        "last_seen": moment,
        "user_id": uuid,
        "reserved_session_id": uuid,
        "linked_keepalive_machine_id": uuid,
        "pools": each(nested("PoolResponse")),
        "included": each(nested("IncludedResource")),
    }
