# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

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
    description: str | None = UNSET
    pool_parameters: Mapping[str, Any] | None = UNSET
    pool_sensitive_parameters: Mapping[str, str] | None = field(default=UNSET, repr=masked)


@define(on_setattr=given)
class PoolResponse(Answered):
    """Answered by `GET /v1/machines/{machine_id}/pools`.

    Answered by `POST /v1/pools`.
    Answered by `PATCH /v1/pools/{pool_id}`.
    """

    name: str
    id: UUID
    organization_id: str
    created_at: datetime
    updated_at: datetime
    description: str | None = UNSET
    pool_parameters: dict[str, Any] | None = UNSET
    pool_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    machine_count: int | None = 0

    _reads: ClassVar[Reads] = {"id": uuid, "created_at": moment, "updated_at": moment}


@define(on_setattr=given)
class PoolUpdate(Model):
    """Sent by `PATCH /v1/pools/{pool_id}`."""

    name: str | None = UNSET
    description: str | None = UNSET
    pool_parameters: Mapping[str, Any] | None = UNSET
    pool_sensitive_parameters: Mapping[str, str] | None = field(default=UNSET, repr=masked)


@define(on_setattr=given)
class PaginatedResponseWithIncludesPoolResponse(Page[PoolResponse]):
    """Answered by `GET /v1/pools`."""

    items: list[PoolResponse]
    total: int
    skip: int
    limit: int
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "items": each(nested("PoolResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class PoolResponseWithIncludes(PoolResponse):
    """Answered by `GET /v1/pools/{pool_id}`."""

    id: UUID
    organization_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = UNSET
    pool_parameters: dict[str, Any] | None = UNSET
    pool_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    machine_count: int | None = 0
    machines: list[MachineResponse] | None = UNSET
    included: list[IncludedResource] | None = UNSET

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
    id: UUID
    organization_id: str
    created_at: datetime
    updated_at: datetime
    description: str | None = UNSET
    pool_parameters: dict[str, Any] | None = UNSET
    pool_sensitive_parameters: dict[str, str] | None = field(default=UNSET, repr=masked)
    machine_count: int | None = 0
    machines: list[MachineResponse] | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "machines": each(nested("MachineResponse")),
    }
