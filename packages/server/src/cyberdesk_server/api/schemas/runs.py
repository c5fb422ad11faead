"""Runs."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.checks import RunPostRunCheckSnapshot
from cyberdesk_server.api.schemas.common import IncludedResource, JsonDict, Model, UtcTime
from cyberdesk_server.api.schemas.files import FileContent, FileName
from cyberdesk_server.api.schemas.workflows import WorkflowModelMetadata
from cyberdesk_server.domain.attachments import TRANSFER_FOLDER
from cyberdesk_server.domain.runs import RunStatus


class RunField(StrEnum):
    """Members of a run that `fields=` can ask for."""

    ENDED_AT = "ended_at"
    ERROR = "error"
    INPUT_ATTACHMENT_IDS = "input_attachment_ids"
    INPUT_VALUES = "input_values"
    IS_PRIORITY = "is_priority"
    MACHINE_ID = "machine_id"
    MAIN_PROMPT = "main_prompt"
    MODEL_METADATA = "model_metadata"
    ORGANIZATION_ID = "organization_id"
    OUTPUT_ATTACHMENT_IDS = "output_attachment_ids"
    OUTPUT_DATA = "output_data"
    POOL_IDS = "pool_ids"
    POST_RUN_CHECKS = "post_run_checks"
    RELEASE_SESSION_AFTER = "release_session_after"
    RUN_MESSAGE_HISTORY = "run_message_history"
    SENSITIVE_INPUT_ALIASES = "sensitive_input_aliases"
    SESSION_ALIAS = "session_alias"
    SESSION_ID = "session_id"
    STARTED_AT = "started_at"
    USAGE_METADATA = "usage_metadata"
    USER_ID = "user_id"


class FileInput(Model):
    filename: FileName
    content: FileContent
    target_path: str | None = TRANSFER_FOLDER
    cleanup_imports_after_run: bool = False


class RunCreate(Model):
    workflow_id: UUID
    is_priority: bool = False
    main_prompt: str | None = None
    main_agent_model_id: UUID | None = None
    model_metadata: WorkflowModelMetadata | None = None
    machine_id: UUID | None = None
    pool_ids: list[UUID] | None = None
    input_values: JsonDict | None = None
    file_inputs: list[FileInput] | None = Field(default=None, repr=False)
    sensitive_input_values: JsonDict | None = Field(default=None, repr=False)
    session_id: UUID | None = None
    start_session: bool | None = False
    session_alias: str | None = None
    release_session_after: bool | None = None


class RunBulkCreate(Model):
    workflow_id: UUID
    count: Annotated[int, Field(ge=1, le=1000)]
    is_priority: bool = False
    machine_id: UUID | None = None
    pool_ids: list[UUID] | None = None
    input_values: JsonDict | None = None
    file_inputs: list[FileInput] | None = Field(default=None, repr=False)
    sensitive_input_values: JsonDict | None = Field(default=None, repr=False)
    session_id: UUID | None = None
    start_session: bool | None = False


class RunRetry(Model):
    input_values: JsonDict | None = None
    sensitive_input_values: JsonDict | None = Field(default=None, repr=False)
    file_inputs: list[FileInput] | None = Field(default=None, repr=False)
    machine_id: UUID | None = None
    pool_ids: list[UUID] | None = None
    reuse_session: bool | None = True
    session_id: UUID | None = None
    start_session: bool | None = False
    session_alias: str | None = None
    release_session_after: bool | None = None
    is_priority: bool | None = None


class ChainStep(Model):
    workflow_id: UUID
    session_alias: str | None = None
    inputs: JsonDict | None = None
    sensitive_inputs: JsonDict | None = Field(default=None, repr=False)


class WorkflowChainCreate(Model):
    steps: Annotated[list[ChainStep], Field(min_length=1, max_length=1000)]
    is_priority: bool = False
    shared_inputs: JsonDict | None = None
    shared_sensitive_inputs: JsonDict | None = Field(default=None, repr=False)
    shared_file_inputs: list[FileInput] | None = Field(default=None, repr=False)
    keep_session_after_completion: bool | None = False
    machine_id: UUID | None = None
    pool_ids: list[UUID] | None = None
    session_id: UUID | None = None


class WorkflowChainResponse(Model):
    session_id: UUID
    run_ids: list[UUID]


class RunUpdate(Model):
    status: RunStatus | None = None
    error: list[str] | None = None
    output_data: JsonDict | None = None
    output_attachment_ids: list[str] | None = None
    run_message_history: list[JsonDict] | None = None
    input_values: JsonDict | None = None
    usage_metadata: JsonDict | None = None
    post_run_checks: list[RunPostRunCheckSnapshot] | None = None
    started_at: UtcTime | None = None
    ended_at: UtcTime | None = None
    release_session_after: bool | None = None


class RunResponse(Model):
    workflow_id: UUID
    machine_id: UUID | None
    id: UUID
    status: RunStatus
    created_at: datetime
    user_id: UUID | None = None
    organization_id: str | None = None
    is_priority: bool = False
    error: list[str] | None = None
    output_data: JsonDict | None = None
    input_attachment_ids: list[str] | None = None
    output_attachment_ids: list[str] | None = None
    run_message_history: list[JsonDict] | None = None
    input_values: JsonDict | None = None
    main_prompt: str | None = None
    model_metadata: WorkflowModelMetadata | None = None
    pool_ids: list[UUID] | None = None
    sensitive_input_aliases: dict[str, str] | None = None
    usage_metadata: JsonDict | None = None
    post_run_checks: list[RunPostRunCheckSnapshot] | None = None
    session_id: UUID | None = None
    session_alias: str | None = None
    release_session_after: bool | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class RunBulkCreateResponse(Model):
    created_runs: list[RunResponse]
    failed_count: int = 0
    errors: list[str] = Field(default_factory=list)


class RunResponseWithIncludes(RunResponse):
    machine_id: UUID | None = None
    included: list[IncludedResource] | None = None


class RunImageSignedUrlResponse(Model):
    supabase_url: str
    signed_url: str
    expires_in: int
