# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from attrs import define, field

from cyberdesk.models._model import Answered, Model, Page, given, masked
from cyberdesk.models._readers import Reads, each, moment, nested, uuid
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.common import IncludedResource
    from cyberdesk.models._generated.machines import MachineResponse


@define(on_setattr=given)
class PoolCreate(Model):
    """Sent by `POST /v1/pools`."""

    name: str
    """What people call the pool, 1 to 255 characters."""

    description: str | None = UNSET
    """What the pool is for, in words."""

    pool_parameters: Mapping[str, Any] | None = UNSET
    """Values of `{x}` for runs that name this pool; those of the machine and the run win."""

    pool_sensitive_parameters: Mapping[str, str] | None = field(default=UNSET, repr=masked)
    """Secrets for `{$x}` in runs that name this pool, by name; sealed, never shown again."""


@define(on_setattr=given)
class PoolResponse(Answered):
    """Answered by `GET /v1/machines/{machine_id}/pools`.

    Answered by `POST /v1/pools`.
    Answered by `PATCH /v1/pools/{pool_id}`.
    """

    name: str
    """What people call the pool."""

    id: UUID
    """The pool's id."""

    organization_id: str
    """The organization that owns it."""

    created_at: datetime
    """When the pool was made, in UTC."""

    updated_at: datetime
    """When the pool last changed, in UTC."""

    description: str | None = UNSET
    """What the pool is for, in words; None when nobody wrote it."""

    pool_parameters: dict[str, Any] | None = UNSET
    """Values of `{x}` for runs that name this pool; those of the machine and the run win."""

    pool_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    """Name of each secret kept for runs that name this pool, and its alias; never the secret."""

    machine_count: int | None = 0
    """How many machines are in the pool."""

    _reads: ClassVar[Reads] = {"id": uuid, "created_at": moment, "updated_at": moment}


@define(on_setattr=given)
class PoolUpdate(Model):
    """Sent by `PATCH /v1/pools/{pool_id}`."""

    name: str | None = UNSET
    """What people call the pool, 1 to 255 characters; None leaves it."""

    description: str | None = UNSET
    """What the pool is for, in words."""

    pool_parameters: Mapping[str, Any] | None = UNSET
    """Values of `{x}` for runs that name this pool, in place of those it had."""

    pool_sensitive_parameters: Mapping[str, str | None] | None = field(default=UNSET, repr=masked)
    """Secrets to set, by name; those not named stay. A None secret is removed, `{}` removes all."""


@define(on_setattr=given)
class PaginatedResponseWithIncludesPoolResponse(Page[PoolResponse]):
    """Answered by `GET /v1/pools`."""

    items: list[PoolResponse]
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
        "items": each(nested("PoolResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class PoolResponseWithIncludes(PoolResponse):
    """Answered by `GET /v1/pools/{pool_id}`."""

    id: UUID
    """The pool's id."""

    organization_id: str
    """The organization that owns it."""

    name: str
    """What people call the pool."""

    created_at: datetime
    """When the pool was made, in UTC."""

    updated_at: datetime
    """When the pool last changed, in UTC."""

    description: str | None = UNSET
    """What the pool is for, in words; None when nobody wrote it."""

    pool_parameters: dict[str, Any] | None = UNSET
    """Values of `{x}` for runs that name this pool; those of the machine and the run win."""

    pool_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    """Name of each secret kept for runs that name this pool, and its alias; never the secret."""

    machine_count: int | None = 0
    """How many machines are in the pool."""

    machines: list[MachineResponse] | None = UNSET
    """The machines in the pool; None without `include_machines`."""

    included: list[IncludedResource] | None = UNSET
    """What `include` asked for, each once; None when it asked for nothing."""

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "machines": each(nested("MachineResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class PoolWithMachines(PoolResponse):
    """Answered by `POST /v1/pools/{pool_id}/machines`."""

    name: str
    """What people call the pool."""

    id: UUID
    """The pool's id."""

    organization_id: str
    """The organization that owns it."""

    created_at: datetime
    """When the pool was made, in UTC."""

    updated_at: datetime
    """When the pool last changed, in UTC."""

    description: str | None = UNSET
    """What the pool is for, in words; None when nobody wrote it."""

    pool_parameters: dict[str, Any] | None = UNSET
    """Values of `{x}` for runs that name this pool; those of the machine and the run win."""

    pool_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    """Name of each secret kept for runs that name this pool, and its alias; never the secret."""

    machine_count: int | None = 0
    """How many machines are in the pool."""

    machines: list[MachineResponse] | None = UNSET
    """The machines in the pool."""

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "machines": each(nested("MachineResponse")),
    }
