# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from attrs import define, field

from cyberdesk.models._files import File
from cyberdesk.models._model import Answered, Model, Page, given
from cyberdesk.models._readers import Reads, each, moment, nested, uuid, word
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.common import IncludedResource
    from cyberdesk.models._generated.enums import PostRunCheckFileTargetMode, PostRunCheckType
    from cyberdesk.models._generated.workflow_tags import WorkflowTagResponse


@define(on_setattr=given)
class BodyUploadWorkflowPromptImageV1WorkflowsPromptImagePost(Model):
    """Sent by `POST /v1/workflows/prompt-image`."""

    file: File


@define(on_setattr=given)
class WorkflowCreate(Model):
    """Sent by `POST /v1/workflows`.

    The server chooses `main_prompt` when left out.
    """

    main_prompt: str | None = UNSET
    name: str | None = UNSET
    input_schema: str | None = UNSET
    output_schema: str | None = UNSET
    includes_file_exports: bool = False
    is_webhooks_enabled: bool = False
    terminal_command_allowlist: Sequence[str] | None = UNSET
    model_metadata: WorkflowModelMetadata | None = UNSET
    post_run_check_failure_cleanup_prompt: str | None = UNSET
    post_run_checks: Sequence[WorkflowPostRunCheckUpsert] | None = UNSET
    description: str | None = field(default=UNSET, kw_only=True)

    _reads: ClassVar[Reads] = {
        "model_metadata": nested("WorkflowModelMetadata"),
        "post_run_checks": each(nested("WorkflowPostRunCheckUpsert")),
    }


@define(on_setattr=given)
class WorkflowDuplicateRequest(Model):
    """Sent by `POST /v1/workflows/{workflow_id}/duplicate`."""

    include_trajectories: bool = False


@define(on_setattr=given)
class WorkflowInternalMetadata(Answered):
    """Part of other models."""

    has_unaddressed_error: bool | None = UNSET
    last_errored_run_start: datetime | None = UNSET
    last_errored_run_uuid: UUID | None = UNSET

    _reads: ClassVar[Reads] = {"last_errored_run_start": moment, "last_errored_run_uuid": uuid}


@define(on_setattr=given)
class WorkflowInternalMetadataUpdate(Model):
    """Part of other models."""

    has_unaddressed_error: bool | None = UNSET
    last_errored_run_start: datetime | str | None = UNSET
    last_errored_run_uuid: UUID | str | None = UNSET

    _reads: ClassVar[Reads] = {"last_errored_run_start": moment, "last_errored_run_uuid": uuid}


@define(on_setattr=given)
class WorkflowMergeRequest(Model):
    """Sent by `POST /v1/workflows/{workflow_id}/merge`."""

    target_workflow_id: UUID | str
    copy_trajectories: bool = False

    _reads: ClassVar[Reads] = {"target_workflow_id": uuid}


@define(on_setattr=given)
class WorkflowModelMetadata(Answered):
    """Part of other models."""

    main_agent_model_id: UUID | str | None = UNSET
    cache_detection_model_id: UUID | str | None = UNSET
    fallback_model_1_id: UUID | str | None = UNSET
    fallback_model_2_id: UUID | str | None = UNSET

    _reads: ClassVar[Reads] = {
        "main_agent_model_id": uuid,
        "cache_detection_model_id": uuid,
        "fallback_model_1_id": uuid,
        "fallback_model_2_id": uuid,
    }


@define(on_setattr=given)
class WorkflowPostRunCheckResponse(Answered):
    """Part of other models."""

    name: str
    type_: PostRunCheckType
    id: UUID
    organization_id: str
    order: int
    created_at: datetime
    updated_at: datetime
    description: str | None = UNSET
    file_target_mode: PostRunCheckFileTargetMode | None = UNSET
    file_names: list[str] | None = UNSET
    file_name_regex: str | None = UNSET
    expected_match_count: int | None = UNSET
    expected_match_count_ref: str | None = UNSET
    loop_input: str | None = UNSET
    loop_item_filename_template: str | None = UNSET
    allow_missing_attachments: bool = False
    check_prompt: str | None = UNSET
    model: UUID | None = UNSET
    user_id: UUID | None = UNSET

    _reads: ClassVar[Reads] = {
        "type_": word("PostRunCheckType"),
        "id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "file_target_mode": word("PostRunCheckFileTargetMode"),
        "model": uuid,
        "user_id": uuid,
    }

    _keys: ClassVar[Mapping[str, str]] = {"type_": "type"}


@define(on_setattr=given)
class WorkflowPostRunCheckUpsert(Model):
    """Part of other models."""

    name: str
    type_: PostRunCheckType
    description: str | None = UNSET
    file_target_mode: PostRunCheckFileTargetMode | None = UNSET
    file_names: Sequence[str] | None = UNSET
    file_name_regex: str | None = UNSET
    expected_match_count: int | None = UNSET
    expected_match_count_ref: str | None = UNSET
    loop_input: str | None = UNSET
    loop_item_filename_template: str | None = UNSET
    allow_missing_attachments: bool = False
    check_prompt: str | None = UNSET
    model: UUID | str | None = UNSET
    id: UUID | str | None = UNSET

    _reads: ClassVar[Reads] = {
        "type_": word("PostRunCheckType"),
        "file_target_mode": word("PostRunCheckFileTargetMode"),
        "model": uuid,
        "id": uuid,
    }

    _keys: ClassVar[Mapping[str, str]] = {"type_": "type"}


@define(on_setattr=given)
class WorkflowPromptImageListItem(Answered):
    """Answered by `GET /v1/workflows/prompt-images`."""

    supabase_url: str
    path: str
    filename: str
    created_at: datetime | None = UNSET
    size_bytes: int | None = UNSET

    _reads: ClassVar[Reads] = {"created_at": moment}


@define(on_setattr=given)
class WorkflowPromptImageResponse(Answered):
    """Answered by `POST /v1/workflows/prompt-image`."""

    supabase_url: str
    signed_url: str
    filename: str
    content_type: str
    size_bytes: int


@define(on_setattr=given)
class WorkflowPromptImageSignedUrlResponse(Answered):
    """Answered by `GET /v1/workflows/prompt-image/signed-url`."""

    supabase_url: str
    signed_url: str
    expires_in: int


@define(on_setattr=given)
class WorkflowResponse(Answered):
    """Answered by `POST /v1/workflows`.

    Answered by `PATCH /v1/workflows/{workflow_id}`.
    Answered by `POST /v1/workflows/{workflow_id}/duplicate`.
    Answered by `POST /v1/workflows/{workflow_id}/merge`.
    """

    main_prompt: str
    id: UUID
    created_at: datetime
    updated_at: datetime
    name: str | None = UNSET
    input_schema: str | None = UNSET
    output_schema: str | None = UNSET
    includes_file_exports: bool = False
    is_webhooks_enabled: bool = False
    terminal_command_allowlist: list[str] | None = UNSET
    model_metadata: WorkflowModelMetadata | None = UNSET
    post_run_check_failure_cleanup_prompt: str | None = UNSET
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    includes_input_variables: bool = False
    workflow_metadata: WorkflowInternalMetadata | None = UNSET
    old_versions: list[dict[str, Any]] | None = UNSET
    tags: list[WorkflowTagResponse] | None = UNSET
    post_run_checks: list[WorkflowPostRunCheckResponse] | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "model_metadata": nested("WorkflowModelMetadata"),
        "user_id": uuid,
        "workflow_metadata": nested("WorkflowInternalMetadata"),
        "tags": each(nested("WorkflowTagResponse")),
        "post_run_checks": each(nested("WorkflowPostRunCheckResponse")),
    }


@define(on_setattr=given)
class WorkflowUpdate(Model):
    """Sent by `PATCH /v1/workflows/{workflow_id}`."""

    name: str | None = UNSET
    main_prompt: str | None = UNSET
    input_schema: str | None = UNSET
    output_schema: str | None = UNSET
    includes_file_exports: bool | None = UNSET
    is_webhooks_enabled: bool | None = UNSET
    terminal_command_allowlist: Sequence[str] | None = UNSET
    model_metadata: WorkflowModelMetadata | None = UNSET
    post_run_check_failure_cleanup_prompt: str | None = UNSET
    workflow_metadata: WorkflowInternalMetadataUpdate | None = UNSET
    post_run_checks: Sequence[WorkflowPostRunCheckUpsert] | None = UNSET
    description: str | None = field(default=UNSET, kw_only=True)

    _reads: ClassVar[Reads] = {
        "model_metadata": nested("WorkflowModelMetadata"),
        "workflow_metadata": nested("WorkflowInternalMetadataUpdate"),
        "post_run_checks": each(nested("WorkflowPostRunCheckUpsert")),
    }


@define(on_setattr=given)
class PaginatedResponseWithIncludesWorkflowResponse(Page[WorkflowResponse]):
    """Answered by `GET /v1/workflows`."""

    items: list[WorkflowResponse]
    total: int
    skip: int
    limit: int
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "items": each(nested("WorkflowResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class WorkflowResponseWithIncludes(WorkflowResponse):
    """Answered by `GET /v1/workflows/{workflow_id}`."""

    main_prompt: str
    id: UUID
    created_at: datetime
    updated_at: datetime
    name: str | None = UNSET
    input_schema: str | None = UNSET
    output_schema: str | None = UNSET
    includes_file_exports: bool = False
    is_webhooks_enabled: bool = False
    terminal_command_allowlist: list[str] | None = UNSET
    model_metadata: WorkflowModelMetadata | None = UNSET
    post_run_check_failure_cleanup_prompt: str | None = UNSET
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    includes_input_variables: bool = False
    workflow_metadata: WorkflowInternalMetadata | None = UNSET
    old_versions: list[dict[str, Any]] | None = UNSET
    tags: list[WorkflowTagResponse] | None = UNSET
    post_run_checks: list[WorkflowPostRunCheckResponse] | None = UNSET
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "model_metadata": nested("WorkflowModelMetadata"),
        "user_id": uuid,
        "workflow_metadata": nested("WorkflowInternalMetadata"),
        "tags": each(nested("WorkflowTagResponse")),
        "post_run_checks": each(nested("WorkflowPostRunCheckResponse")),
        "included": each(nested("IncludedResource")),
    }


PaginatedResponseWorkflowResponse = PaginatedResponseWithIncludesWorkflowResponse
