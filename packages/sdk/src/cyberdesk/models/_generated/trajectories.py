# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

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
    """Width of the screenshot, in pixels."""

    height: int
    """Height of the screenshot, in pixels."""


@define(on_setattr=given)
class TrajectoryCreate(Model):
    """Sent by `POST /v1/trajectories`.

    `steps` is another name of `trajectory_data`.
    """

    workflow_id: UUID | str
    """The workflow whose runs may replay it."""

    trajectory_data: Sequence[Mapping[str, Any]] | None = UNSET
    """The recorded steps, in order; `steps` is understood too."""

    dimensions: Mapping[str, int] | None = UNSET
    """`width` and `height` of the display, in pixels; None takes that of the workflow's last run."""

    name: str | None = UNSET
    """What people call the trajectory, at most 255 characters."""

    description: str | None = UNSET
    """What the trajectory shows, in words."""

    run_id: UUID | str | None = UNSET
    """The run it was recorded from; None when there is none."""

    original_input_values: Mapping[str, Any] | None = UNSET
    """Values of `{x}` it was recorded with."""

    is_approved: bool = False
    """True: runs may replay it."""

    steps: Sequence[Mapping[str, Any]] | None = field(default=UNSET, kw_only=True)
    """Another name of `trajectory_data`."""

    _reads: ClassVar[Reads] = {"workflow_id": uuid, "run_id": uuid}

    _other_names: ClassVar[Mapping[str, str]] = {"steps": "trajectory_data"}


@define(on_setattr=given)
class TrajectoryResponse(Answered):
    """Answered by `POST /v1/trajectories`.

    Answered by `PATCH /v1/trajectories/{trajectory_id}`.
    Answered by `POST /v1/trajectories/{trajectory_id}/duplicate`.
    Answered by `GET /v1/workflows/{workflow_id}/latest-trajectory`.
    Answered by `GET /v1/runs/{run_id}/trajectory`.
    Answered by `POST /v1/runs/{run_id}/generate-trajectory`.
    """

    workflow_id: UUID
    """The workflow whose runs may replay it."""

    trajectory_data: list[dict[str, Any]]
    """The recorded steps, in order."""

    dimensions: dict[str, int]
    """`width` and `height` of the display it was recorded on, in pixels."""

    is_approved: bool
    """True: runs may replay it."""

    has_been_approved: bool
    """True once it was approved, also when that was taken back."""

    is_generated: bool
    """True when the server made it from a run."""

    is_main: bool
    """True: it goes before others that match; one for each workflow and display size."""

    id: UUID
    """The trajectory's id."""

    created_at: datetime
    """When the trajectory was made, in UTC."""

    updated_at: datetime
    """When the trajectory last changed, in UTC."""

    is_on_trial: bool | None = UNSET
    """True: the next run that a model carries out is compared with it, without doing anything of it."""

    name: str | None = UNSET
    """What people call the trajectory; None when it has no name."""

    description: str | None = UNSET
    """What the trajectory shows, in words; None when nobody wrote it."""

    run_id: UUID | None = UNSET
    """The run it was recorded from; None when there is none any more."""

    original_input_values: dict[str, Any] | None = UNSET
    """Values of `{x}` it was recorded with; None when that is not known."""

    trial: dict[str, Any] | None = UNSET
    """What came of the last trial: the run, how many turns were `compared`, the `misfits` with their reasons,
    `has_ended_as_recorded`; None before there was one.
    """

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

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
    """What people call the trajectory, at most 255 characters."""

    description: str | None = UNSET
    """What the trajectory shows, in words."""

    trajectory_data: Sequence[Mapping[str, Any]] | None = UNSET
    """The recorded steps, in place of those it had; `steps` is understood too. None leaves them."""

    is_approved: bool | None = UNSET
    """True: runs may replay it; None leaves it."""

    is_main: bool | None = UNSET
    """True: it goes before others that match, which lose the mark; None leaves it."""

    is_on_trial: bool | None = UNSET
    """True: the next run that a model carries out is compared with it, without doing anything of it; None
    leaves it.
    """

    steps: Sequence[Mapping[str, Any]] | None = field(default=UNSET, kw_only=True)
    """Another name of `trajectory_data`."""

    _other_names: ClassVar[Mapping[str, str]] = {"steps": "trajectory_data"}


@define(on_setattr=given)
class PaginatedResponseWithIncludesTrajectoryResponse(Page[TrajectoryResponse]):
    """Answered by `GET /v1/trajectories`."""

    items: list[TrajectoryResponse]
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
        "items": each(nested("TrajectoryResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class TrajectoryResponseWithIncludes(TrajectoryResponse):
    """Answered by `GET /v1/trajectories/{trajectory_id}`."""

    id: UUID
    """The trajectory's id."""

    workflow_id: UUID
    """The workflow whose runs may replay it."""

    is_approved: bool
    """True: runs may replay it."""

    has_been_approved: bool
    """True once it was approved, also when that was taken back."""

    is_generated: bool
    """True when the server made it from a run."""

    is_main: bool
    """True: it goes before others that match; one for each workflow and display size."""

    dimensions: dict[str, int]
    """`width` and `height` of the display it was recorded on, in pixels."""

    created_at: datetime
    """When the trajectory was made, in UTC."""

    updated_at: datetime
    """When the trajectory last changed, in UTC."""

    run_id: UUID | None = UNSET
    """The run it was recorded from; None when there is none any more."""

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    name: str | None = UNSET
    """What people call the trajectory; None when it has no name."""

    description: str | None = UNSET
    """What the trajectory shows, in words; None when nobody wrote it."""

    trajectory_data: list[dict[str, Any]] | None = UNSET  # type: ignore[assignment]  # may be left out here
    """The recorded steps, in order."""

    is_on_trial: bool | None = UNSET
    """True: the next run that a model carries out is compared with it, without doing anything of it."""

    original_input_values: dict[str, Any] | None = UNSET
    """Values of `{x}` it was recorded with; None when that is not known."""

    trial: dict[str, Any] | None = UNSET
    """What came of the last trial: the run, how many turns were `compared`, the `misfits` with their reasons,
    `has_ended_as_recorded`; None before there was one.
    """

    included: list[IncludedResource] | None = UNSET
    """What `include` asked for, each once; None when it asked for nothing."""

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "workflow_id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "run_id": uuid,
        "user_id": uuid,
        "included": each(nested("IncludedResource")),
    }
