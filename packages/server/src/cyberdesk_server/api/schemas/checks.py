"""Post-run checks, as workflows and runs show them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.common import Model, UtcTime
from cyberdesk_server.domain.post_run_checks import (
    PostRunCheckFileTargetMode,
    PostRunCheckStatus,
    PostRunCheckType,
)

Line = Annotated[str, Field(max_length=1000)]


class _Check(Model):
    description: str | None = None
    """What the check is for; null when its author says nothing."""

    file_target_mode: PostRunCheckFileTargetMode | None = None
    """How a check of files names them; null means `exact`."""

    file_names: list[Line] | None = None
    """With `exact`: the names of the files, each of which must be there."""

    file_name_regex: Line | None = None
    """With `regex`: what the whole name of a file must match."""

    expected_match_count: Annotated[int, Field(ge=0)] | None = None
    """With `regex`: how many files must match; null asks for at least one."""

    expected_match_count_ref: Line | None = None
    """A path to that number, such as `inputs.copies`; wins over `expected_match_count`."""

    loop_input: Line | None = None
    """With `loop_items`: the name of an input that holds a list, or a path to one."""

    loop_item_filename_template: Line | None = None
    """With `loop_items`: the file's name for each item of the list."""

    allow_missing_attachments: bool = False
    """True: an image check passes over files that are not there."""

    check_prompt: str | None = None
    """What a model judges by; required by the types that ask a model."""

    model: UUID | None = None
    """Id of the model configuration that judges; null takes the run's main one."""


class WorkflowPostRunCheckUpsert(_Check):
    name: Annotated[str, Field(max_length=255)]
    """What people call the check: at most 255 characters, not blank."""

    type: PostRunCheckType
    """What is checked."""

    id: UUID | None = None
    """The check of this workflow that it replaces; null makes a new one."""


class WorkflowPostRunCheckResponse(_Check):
    name: str
    """What people call the check."""

    type: PostRunCheckType
    """What is checked."""

    id: UUID
    """The check's id, the same after every change."""

    organization_id: str
    """The organization that owns it."""

    order: int
    """Its place among the workflow's checks, from 0."""

    created_at: datetime
    """When the check was made, in UTC."""

    updated_at: datetime
    """When the check last changed, in UTC."""

    user_id: UUID | None = None
    """Who made it; null when no person is known."""


class RunPostRunCheckSnapshot(_Check):
    status: PostRunCheckStatus
    """How far the check is, or how it ended."""

    id: UUID | None = None
    """Id of this snapshot; another one in every run."""

    post_run_check_id: UUID | None = None
    """The workflow's check it was taken from."""

    snapshot_version: int | None = None
    """Version of the snapshot's shape; 1 today."""

    name: str | None = None
    """What people call the check."""

    type: PostRunCheckType | None = None
    """What is checked."""

    order: int | None = None
    """Its place among the run's checks, from 0."""

    started_at: UtcTime | None = None
    """When the check began, in UTC; null before that."""

    ended_at: UtcTime | None = None
    """When the check ended, in UTC; null before that."""

    error_message: str | None = None
    """Why the check could not be made; null when it could."""

    messages: list[str] | None = None
    """What the check found, in words; null before it ended."""

    matched_filenames: list[str] | None = None
    """Names of the files it looked at; null before it ended and for checks of output data."""
