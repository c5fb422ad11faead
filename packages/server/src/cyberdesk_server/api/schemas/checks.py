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
    file_target_mode: PostRunCheckFileTargetMode | None = None
    file_names: list[Line] | None = None
    file_name_regex: Line | None = None
    expected_match_count: Annotated[int, Field(ge=0)] | None = None
    expected_match_count_ref: Line | None = None
    loop_input: Line | None = None
    loop_item_filename_template: Line | None = None
    allow_missing_attachments: bool = False
    check_prompt: str | None = None
    model: UUID | None = None


class WorkflowPostRunCheckUpsert(_Check):
    name: Annotated[str, Field(max_length=255)]
    type: PostRunCheckType
    id: UUID | None = None


class WorkflowPostRunCheckResponse(_Check):
    name: str
    type: PostRunCheckType
    id: UUID
    organization_id: str
    order: int
    created_at: datetime
    updated_at: datetime
    user_id: UUID | None = None


class RunPostRunCheckSnapshot(_Check):
    status: PostRunCheckStatus
    id: UUID | None = None
    post_run_check_id: UUID | None = None
    snapshot_version: int | None = None
    name: str | None = None
    type: PostRunCheckType | None = None
    order: int | None = None
    started_at: UtcTime | None = None
    ended_at: UtcTime | None = None
    error_message: str | None = None
    messages: list[str] | None = None
    matched_filenames: list[str] | None = None
