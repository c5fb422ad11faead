# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from attrs import define, field

from cyberdesk.models._model import Answered, Model, Page, given
from cyberdesk.models._readers import Reads, each, moment, nested, uuid
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.common import IncludedResource


@define(on_setattr=given)
class DisplayDimensions(Answered):
    """Answered by `GET /v1/computer/{machine_id}/display/dimensions`."""

    width: int
    height: int


@define(on_setattr=given)
class TrajectoryCreate(Model):
    """Sent by `POST /v1/trajectories`.

    `steps` is another name of `trajectory_data`.
    The server chooses `trajectory_data`, `dimensions` when left out.
    """

    workflow_id: UUID | str
    trajectory_data: Sequence[Mapping[str, Any]] | None = UNSET
    dimensions: Mapping[str, int] | None = UNSET
    name: str | None = UNSET
    description: str | None = UNSET
    run_id: UUID | str | None = UNSET
    original_input_values: Mapping[str, Any] | None = UNSET
    is_approved: bool = False
    steps: Sequence[Mapping[str, Any]] | None = field(default=UNSET, kw_only=True)

    _reads: ClassVar[Reads] = {"workflow_id": uuid, "run_id": uuid}

    _other_names: ClassVar[Mapping[str, str]] = {"steps": "trajectory_data"}


@define(on_setattr=given)
class TrajectoryResponse(Answered):
    """Answered by `POST /v1/runs/{run_id}/generate-trajectory`.

    Answered by `GET /v1/runs/{run_id}/trajectory`.
    Answered by `POST /v1/trajectories`.
    Answered by `PATCH /v1/trajectories/{trajectory_id}`.
    Answered by `POST /v1/trajectories/{trajectory_id}/duplicate`.
    Answered by `GET /v1/workflows/{workflow_id}/latest-trajectory`.
    """

    workflow_id: UUID
    trajectory_data: list[dict[str, Any]]
    dimensions: dict[str, int]
    is_approved: bool
    has_been_approved: bool
    is_generated: bool
    is_main: bool
    id: UUID
    created_at: datetime
    updated_at: datetime
    name: str | None = UNSET
    description: str | None = UNSET
    run_id: UUID | None = UNSET
    original_input_values: dict[str, Any] | None = UNSET
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET

    _reads: ClassVar[Reads] = {
        "workflow_id": uuid,
        "id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "run_id": uuid,
        "user_id": uuid,
    }


@define(on_setattr=given)
class TrajectoryUpdate(Model):
    """Sent by `PATCH /v1/trajectories/{trajectory_id}`.

    `steps` is another name of `trajectory_data`.
    """

    name: str | None = UNSET
    description: str | None = UNSET
    trajectory_data: Sequence[Mapping[str, Any]] | None = UNSET
    is_approved: bool | None = UNSET
    is_main: bool | None = UNSET
    steps: Sequence[Mapping[str, Any]] | None = field(default=UNSET, kw_only=True)

    _other_names: ClassVar[Mapping[str, str]] = {"steps": "trajectory_data"}


@define(on_setattr=given)
class PaginatedResponseWithIncludesTrajectoryResponse(Page[TrajectoryResponse]):
    """Answered by `GET /v1/trajectories`."""

    items: list[TrajectoryResponse]
    total: int
    skip: int
    limit: int
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "items": each(nested("TrajectoryResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class TrajectoryResponseWithIncludes(TrajectoryResponse):
    """Answered by `GET /v1/trajectories/{trajectory_id}`."""

    id: UUID
    workflow_id: UUID
    is_approved: bool
    has_been_approved: bool
    is_generated: bool
    is_main: bool
    dimensions: dict[str, int]
    created_at: datetime
    updated_at: datetime
    run_id: UUID | None = UNSET
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    name: str | None = UNSET
    description: str | None = UNSET
    trajectory_data: list[dict[str, Any]] | None = UNSET  # type: ignore[assignment]  # may be left out here
    original_input_values: dict[str, Any] | None = UNSET
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "workflow_id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "run_id": uuid,
        "user_id": uuid,
        "included": each(nested("IncludedResource")),
    }
