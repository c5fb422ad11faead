"""Workflows."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.checks import WorkflowPostRunCheckResponse, WorkflowPostRunCheckUpsert
from cyberdesk_server.api.schemas.common import IncludedResource, JsonDict, Model, UtcTime
from cyberdesk_server.api.schemas.tags import WorkflowTagResponse

Name = Annotated[str, Field(max_length=255)]


class WorkflowModelMetadata(Model):
    main_agent_model_id: UUID | None = None
    cache_detection_model_id: UUID | None = None
    fallback_model_1_id: UUID | None = None
    fallback_model_2_id: UUID | None = None


class WorkflowInternalMetadata(Model):
    has_unaddressed_error: bool | None = None
    last_errored_run_start: datetime | None = None
    last_errored_run_uuid: UUID | None = None


class WorkflowInternalMetadataUpdate(Model):
    has_unaddressed_error: bool | None = None
    last_errored_run_start: UtcTime | None = None
    last_errored_run_uuid: UUID | None = None


class WorkflowCreate(Model):
    main_prompt: str = ""
    name: Name | None = None
    description: str | None = None
    input_schema: str | None = None
    output_schema: str | None = None
    includes_file_exports: bool = False
    is_webhooks_enabled: bool = False
    terminal_command_allowlist: list[str] | None = None
    model_metadata: WorkflowModelMetadata | None = None
    post_run_check_failure_cleanup_prompt: str | None = None
    post_run_checks: list[WorkflowPostRunCheckUpsert] | None = None


class WorkflowUpdate(Model):
    name: Name | None = None
    description: str | None = None
    main_prompt: str | None = None
    input_schema: str | None = None
    output_schema: str | None = None
    includes_file_exports: bool | None = None
    is_webhooks_enabled: bool | None = None
    terminal_command_allowlist: list[str] | None = None
    model_metadata: WorkflowModelMetadata | None = None
    post_run_check_failure_cleanup_prompt: str | None = None
    workflow_metadata: WorkflowInternalMetadataUpdate | None = None
    post_run_checks: list[WorkflowPostRunCheckUpsert] | None = None


class WorkflowResponse(Model):
    main_prompt: str
    id: UUID
    created_at: datetime
    updated_at: datetime
    name: str | None = None
    description: str | None = None
    input_schema: str | None = None
    output_schema: str | None = None
    includes_file_exports: bool = False
    is_webhooks_enabled: bool = False
    terminal_command_allowlist: list[str] | None = None
    model_metadata: WorkflowModelMetadata | None = None
    post_run_check_failure_cleanup_prompt: str | None = None
    user_id: UUID | None = None
    organization_id: str | None = None
    includes_input_variables: bool = False
    workflow_metadata: WorkflowInternalMetadata | None = None
    old_versions: list[JsonDict] | None = None
    tags: list[WorkflowTagResponse] | None = None
    post_run_checks: list[WorkflowPostRunCheckResponse] | None = None


class WorkflowResponseWithIncludes(WorkflowResponse):
    included: list[IncludedResource] | None = None


class WorkflowDuplicateRequest(Model):
    include_trajectories: bool = False


class WorkflowMergeRequest(Model):
    target_workflow_id: UUID
    copy_trajectories: bool = False
