"""Post-run checks, as workflows and runs show them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cyberdesk_server.api.schemas.common import Model


class PostRunCheckType(StrEnum):
    OUTPUT_DATA_AGENTIC_CHECK = "output_data_agentic_check"
    OUTPUT_DATA_PASSES_SCHEMA_VALIDATION = "output_data_passes_schema_validation"
    RUN_ATTACHMENT_EXISTS = "run_attachment_exists"
    RUN_ATTACHMENT_IMAGE_CHECK = "run_attachment_image_check"


class PostRunCheckFileTargetMode(StrEnum):
    EXACT = "exact"
    LOOP_ITEMS = "loop_items"
    REGEX = "regex"


class PostRunCheckStatus(StrEnum):
    CANCELLED = "cancelled"
    FAILED = "failed"
    INFRA_ERROR = "infra_error"
    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"


class _Check(Model):
    description: str | None = None
    file_target_mode: PostRunCheckFileTargetMode | None = None
    file_names: list[str] | None = None
    file_name_regex: str | None = None
    expected_match_count: int | None = None
    expected_match_count_ref: str | None = None
    loop_input: str | None = None
    loop_item_filename_template: str | None = None
    allow_missing_attachments: bool = False
    check_prompt: str | None = None
    model: UUID | None = None


class WorkflowPostRunCheckUpsert(_Check):
    name: str
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
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error_message: str | None = None
    messages: list[str] | None = None
    matched_filenames: list[str] | None = None
