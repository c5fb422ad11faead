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
    trajectory_data: list[JsonDict] = Field(default=[], validation_alias=STEP_NAMES)
    dimensions: Dimensions | None = None
    name: Name | None = None
    description: str | None = None
    run_id: UUID | None = None
    original_input_values: JsonDict | None = None
    is_approved: bool = False


class TrajectoryUpdate(Model):
    name: Name | None = None
    description: str | None = None
    trajectory_data: list[JsonDict] | None = Field(default=None, validation_alias=STEP_NAMES)
    is_approved: bool | None = None
    is_main: bool | None = None


class _Trajectory(Model):
    workflow_id: UUID
    dimensions: dict[str, int]
    is_approved: bool
    has_been_approved: bool
    is_generated: bool
    is_main: bool
    id: UUID
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    description: str | None = None
    run_id: UUID | None = None
    original_input_values: JsonDict | None = None
    user_id: UUID | None = None
    organization_id: str | None = None


class TrajectoryResponse(_Trajectory):
    trajectory_data: list[JsonDict]


class TrajectoryResponseWithIncludes(_Trajectory):
    trajectory_data: list[JsonDict] | None = None
    included: list[IncludedResource] | None = None
