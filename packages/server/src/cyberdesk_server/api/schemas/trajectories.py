"""Trajectories."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, Field

from cyberdesk_server.api.schemas.common import IncludedResource, JsonDict, Model

MAX_PIXELS = 100_000
STEP_NAMES = AliasChoices("trajectory_data", "steps")
"""The guides say `steps` where the contract says `trajectory_data`."""

Name = Annotated[str, Field(max_length=255)]


def _has_a_size(dimensions: dict[str, int]) -> dict[str, int]:
    for side in ("width", "height"):
        if not 1 <= dimensions.get(side, 0) <= MAX_PIXELS:
            raise ValueError(f"{side} must be between 1 and {MAX_PIXELS} pixels")
    return dimensions


Dimensions = Annotated[dict[str, int], AfterValidator(_has_a_size)]


class TrajectoryCreate(Model):
    workflow_id: UUID
    """The workflow whose runs may replay it."""

    trajectory_data: list[JsonDict] = Field(default=[], validation_alias=STEP_NAMES)
    """The recorded steps, in order; `steps` is understood too."""

    dimensions: Dimensions | None = None
    """`width` and `height` of the display, in pixels; null takes that of the workflow's last run."""

    name: Name | None = None
    """What people call the trajectory, at most 255 characters."""

    description: str | None = None
    """What the trajectory shows, in words."""

    run_id: UUID | None = None
    """The run it was recorded from; null when there is none."""

    original_input_values: JsonDict | None = None
    """Values of `{x}` it was recorded with."""

    is_approved: bool = False
    """True: runs may replay it."""


class TrajectoryUpdate(Model):
    name: Name | None = None
    """What people call the trajectory, at most 255 characters."""

    description: str | None = None
    """What the trajectory shows, in words."""

    trajectory_data: list[JsonDict] | None = Field(default=None, validation_alias=STEP_NAMES)
    """The recorded steps, in place of those it had; `steps` is understood too. Null leaves them."""

    is_approved: bool | None = None
    """True: runs may replay it; null leaves it."""

    is_main: bool | None = None
    """True: it goes before others that match, which lose the mark; null leaves it."""

    is_on_trial: bool | None = None
    """True: the next run that a model carries out is compared with it, without doing anything of it; null
    leaves it."""


class _Trajectory(Model):
    workflow_id: UUID
    """The workflow whose runs may replay it."""

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

    is_on_trial: bool = False
    """True: the next run that a model carries out is compared with it, without doing anything of it."""

    id: UUID
    """The trajectory's id."""

    created_at: datetime
    """When the trajectory was made, in UTC."""

    updated_at: datetime
    """When the trajectory last changed, in UTC."""

    name: str | None = None
    """What people call the trajectory; null when it has no name."""

    description: str | None = None
    """What the trajectory shows, in words; null when nobody wrote it."""

    run_id: UUID | None = None
    """The run it was recorded from; null when there is none any more."""

    original_input_values: JsonDict | None = None
    """Values of `{x}` it was recorded with; null when that is not known."""

    trial: JsonDict | None = None
    """What came of the last trial: the run, how many turns were `compared`, the `misfits` with their
    reasons, `has_ended_as_recorded`; null before there was one."""

    user_id: UUID | None = None
    """Who made it; null when no person is known."""

    organization_id: str | None = None
    """The organization that owns it."""


class TrajectoryResponse(_Trajectory):
    trajectory_data: list[JsonDict]
    """The recorded steps, in order."""


class TrajectoryResponseWithIncludes(_Trajectory):
    trajectory_data: list[JsonDict] | None = None
    """The recorded steps, in order."""

    included: list[IncludedResource] | None = None
    """What `include` asked for, each once; null when it asked for nothing."""
