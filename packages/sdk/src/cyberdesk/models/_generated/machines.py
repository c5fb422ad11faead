# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

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
    """Who asks; the driver's answer repeats it."""

    reason: str | None = "user_disabled_machine"
    """Why; the driver's answer repeats it."""


@define(on_setattr=given)
class CyberdriverWebSessionEndpoints(Answered):
    """Part of other models."""

    hbbs_url: str
    """Where the rendezvous of live views is."""

    hbbr_url: str
    """Where the relay of live views is."""


@define(on_setattr=given)
class CyberdriverWebSessionResponse(Answered):
    """Answered by `POST /v1/machines/{machine_id}/cyberdriver/web-session`."""

    machine_id: UUID
    """The machine that is shown."""

    rustdesk_peer_id: str
    """By what its driver is known at the relay."""

    desktop_label: str
    """What people call the machine: its name, its host name, or its id."""

    selected_organization_id: str
    """The organization that owns the machine."""

    token: str = field(repr=masked)
    """What opens the view: a signed JSON Web Token for five minutes."""

    expires_at: int
    """Until when the token is valid, in seconds since 1970."""

    mode: str
    """How the two sides meet; always `relay`."""

    endpoints: CyberdriverWebSessionEndpoints
    """Where rendezvous and relay are."""

    public_key: str
    """The public key of the rendezvous."""

    features: dict[str, bool]
    """What the view can do besides; empty today."""

    _reads: ClassVar[Reads] = {"machine_id": uuid, "endpoints": nested("CyberdriverWebSessionEndpoints")}


@define(on_setattr=given)
class DownedMachine(Answered):
    """Part of other models."""

    machine_id: UUID
    """The machine that is lost."""

    organization_id: str
    """The organization that owns it."""

    status: MachineStatus
    """Its status now."""

    last_seen: datetime
    """When its driver last gave a sign, in UTC."""

    reason: str
    """Why it counts as lost, in words."""

    name: str | None = UNSET
    """What people call the machine; None when nobody named it."""

    _reads: ClassVar[Reads] = {"machine_id": uuid, "status": word("MachineStatus"), "last_seen": moment}


@define(on_setattr=given)
class DownedMachinesEvent(Answered):
    """Delivered by the webhook `downed_machines`."""

    organization_id: str
    """The organization that owns them."""

    machines: list[DownedMachine]
    """Those that are told of for the first time since they were last connected."""

    event_id: UUID | None = UNSET
    """The message's id: the same for every endpoint and on every attempt, and in the header `webhook-id`."""

    event_type: str = "downed_machines"
    """Which event it is: `downed_machines`."""

    occurred_at: datetime | None = UNSET
    """When it happened, in UTC."""

    _reads: ClassVar[Reads] = {
        "machines": each(nested("DownedMachine")),
        "event_id": uuid,
        "occurred_at": moment,
    }


@define(on_setattr=given)
class MachineCreate(Model):
    """Sent by `POST /v1/machines`."""

    fingerprint: str | None = UNSET
    """By what its driver will know the machine, at most 36 characters; None makes one up."""

    unkey_key_id: str | None = UNSET
    """Id of the API key its driver joins with; None is that of this request."""

    name: str | None = UNSET
    """What people call the machine, at most 255 characters."""

    version: str | None = UNSET
    """Version of its driver, at most 50 characters."""

    hostname: str | None = UNSET
    """What the machine calls itself, at most 255 characters."""

    os_info: str | None = UNSET
    """Its operating system, at most 255 characters."""

    machine_parameters: Mapping[str, Any] | None = UNSET
    """Values of `{x}` for every run on this machine; a run's own values win."""

    machine_sensitive_parameters: Mapping[str, str] | None = field(default=UNSET, repr=masked)
    """Secrets for `{$x}` in every run on this machine, by name; sealed, never shown again."""

    description: str | None = field(default=UNSET, kw_only=True)
    """What the machine is for, in words."""

    provider: str | None = field(default=UNSET, kw_only=True)
    """Taken from programs that send it; the server does nothing with it."""

    region: str | None = field(default=UNSET, kw_only=True)
    """Taken from programs that send it; the server does nothing with it."""


@define(on_setattr=given)
class MachineHealthCheckError(Answered):
    """Part of other models."""

    machine_id: str
    """The machine that did not answer well."""

    error: str
    """What went wrong, in words."""

    organization_id: str | None = UNSET
    """The organization that owns the machine."""

    machine_name: str | None = UNSET
    """What people call the machine; None when it has no name."""

    status_code: int | None = UNSET
    """The HTTP status of its driver; None when the driver gave no answer."""


@define(on_setattr=given)
class MachinePoolAssignment(Model):
    """Sent by `POST /v1/pools/{pool_id}/machines`.

    Sent by `DELETE /v1/pools/{pool_id}/machines`.
    """

    machine_ids: Sequence[UUID | str]
    """The machines that are put in, or taken out, at most 10,000."""

    _reads: ClassVar[Reads] = {"machine_ids": each(uuid)}


@define(on_setattr=given)
class MachinePoolUpdate(Model):
    """Sent by `PUT /v1/machines/{machine_id}/pools`."""

    pool_ids: Sequence[UUID | str]
    """All pools the machine is in from now on, at most 10,000; it leaves the others."""

    _reads: ClassVar[Reads] = {"pool_ids": each(uuid)}


@define(on_setattr=given)
class MachineResponse(Answered):
    """Answered by `POST /v1/machines`.

    Answered by `PATCH /v1/machines/{machine_id}`.
    Answered by `PUT /v1/machines/{machine_id}/pools`.
    """

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

    name: str | None = UNSET
    """What people call the machine; None when it has no name."""

    version: str | None = UNSET
    """Version of its driver; None until it has told it."""

    hostname: str | None = UNSET
    """What the machine calls itself; None until its driver has told it."""

    os_info: str | None = UNSET
    """Its operating system; None until its driver has told it."""

    machine_parameters: dict[str, Any] | None = UNSET
    """Values of `{x}` for every run on this machine; a run's own values win."""

    machine_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    """Name of each secret kept for runs on this machine, and its alias; never the secret."""

    user_id: UUID | None = UNSET
    """Who registered it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    reserved_session_id: UUID | None = UNSET
    """The session that has reserved the machine; None when none has."""

    linked_keepalive_machine_id: UUID | None = UNSET
    """The machine that keeps this one awake; None when none does."""

    physical_server_id: str | None = UNSET
    """The hardware it runs on; None when that is not known."""

    pools: list[PoolResponse] | None = UNSET
    """The pools it is in."""

    description: str | None = field(default=UNSET, kw_only=True)
    """What the machine is for, in words; None when nobody wrote it."""

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
    """What people call the machine, at most 255 characters."""

    version: str | None = UNSET
    """Version of its driver, at most 50 characters."""

    hostname: str | None = UNSET
    """What the machine calls itself, at most 255 characters."""

    os_info: str | None = UNSET
    """Its operating system, at most 255 characters."""

    status: MachineStatus | None = UNSET
    """Its new status, until its connection next says something else; None leaves it."""

    is_available: bool | None = UNSET
    """False: no new run begins on it, connected or not; None leaves it."""

    alerts_enabled: bool | None = UNSET
    """Whether people want to hear when the machine is down; None leaves it."""

    last_seen: datetime | str | None = UNSET
    """When its driver last gave a sign of life; None leaves it. A time without an offset is UTC."""

    reserved_session_id: UUID | str | None = UNSET
    """None ends the session that has reserved the machine; another value is refused."""

    machine_parameters: Mapping[str, Any] | None = UNSET
    """Values of `{x}` for every run on this machine, in place of those it had."""

    machine_sensitive_parameters: Mapping[str, str | None] | None = field(default=UNSET, repr=masked)
    """Secrets to set, by name; those not named stay. A None secret is removed, `{}` removes all."""

    description: str | None = field(default=UNSET, kw_only=True)
    """What the machine is for, in words."""

    _reads: ClassVar[Reads] = {
        "status": word("MachineStatus"),
        "last_seen": moment,
        "reserved_session_id": uuid,
    }


@define(on_setattr=given)
class MachinesHealthCheckResponse(Answered):
    """Answered by `GET /v1/health/machines`."""

    status: MachinesHealthCheckResponseStatus
    """`ok` when every connected machine answers, else `error`."""

    scope: MachinesHealthCheckResponseScope
    """Whose machines were checked; always `organization`."""

    checked_machines: int
    """How many connected machines were asked."""

    healthy_machines: int
    """How many of them answered well."""

    errored_machines: list[MachineHealthCheckError]
    """The machines that did not, with what went wrong."""

    message: str
    """The result in one sentence, for people."""

    _reads: ClassVar[Reads] = {
        "status": word("MachinesHealthCheckResponseStatus"),
        "scope": word("MachinesHealthCheckResponseScope"),
        "errored_machines": each(nested("MachineHealthCheckError")),
    }


@define(on_setattr=given)
class PaginatedResponseWithIncludesMachineResponse(Page[MachineResponse]):
    """Answered by `GET /v1/machines`."""

    items: list[MachineResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""

    included: list[IncludedResource] | None = UNSET
    """What `include` asked for, each once; None when it asked for nothing."""

    _reads: ClassVar[Reads] = {
        "items": each(nested("MachineResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class MachineResponseWithIncludes(MachineResponse):
    """Answered by `GET /v1/machines/{machine_id}`."""

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

    user_id: UUID | None = UNSET
    """Who registered it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    name: str | None = UNSET
    """What people call the machine; None when it has no name."""

    version: str | None = UNSET
    """Version of its driver; None until it has told it."""

    hostname: str | None = UNSET
    """What the machine calls itself; None until its driver has told it."""

    os_info: str | None = UNSET
    """Its operating system; None until its driver has told it."""

    machine_parameters: dict[str, Any] | None = UNSET
    """Values of `{x}` for every run on this machine; a run's own values win."""

    machine_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    """Name of each secret kept for runs on this machine, and its alias; never the secret."""

    reserved_session_id: UUID | None = UNSET
    """The session that has reserved the machine; None when none has."""

    linked_keepalive_machine_id: UUID | None = UNSET
    """The machine that keeps this one awake; None when none does."""

    physical_server_id: str | None = UNSET
    """The hardware it runs on; None when that is not known."""

    pools: list[PoolResponse] | None = UNSET
    """The pools it is in."""

    included: list[IncludedResource] | None = UNSET
    """What `include` asked for, each once; None when it asked for nothing."""

    description: str | None = field(default=UNSET, kw_only=True)
    """What the machine is for, in words; None when nobody wrote it."""

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
