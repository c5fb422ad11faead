# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from attrs import define, field

from cyberdesk.models._files import ReadFromPath
from cyberdesk.models._model import Answered, Model, Page, given, masked
from cyberdesk.models._readers import Reads, each, moment, nested, uuid, word
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.common import IncludedResource
    from cyberdesk.models._generated.enums import (
        PostRunCheckFileTargetMode,
        PostRunCheckStatus,
        PostRunCheckType,
        RunStatus,
    )
    from cyberdesk.models._generated.workflows import WorkflowModelMetadata


@define(on_setattr=given)
class ChainStep(Model):
    """Part of other models."""

    workflow_id: UUID | str
    session_alias: str | None = UNSET
    inputs: Mapping[str, Any] | None = UNSET
    sensitive_inputs: Mapping[str, Any] | None = field(default=UNSET, repr=masked)

    _reads: ClassVar[Reads] = {"workflow_id": uuid}


@define(on_setattr=given)
class FileInput(ReadFromPath):
    """Part of other models."""

    filename: str
    content: str
    target_path: str | None = UNSET
    cleanup_imports_after_run: bool = False


@define(on_setattr=given)
class RunBulkCreate(Model):
    """Sent by `POST /v1/runs/bulk`."""

    workflow_id: UUID | str
    count: int
    is_priority: bool = False
    machine_id: UUID | str | None = UNSET
    pool_ids: Sequence[UUID | str] | None = UNSET
    input_values: Mapping[str, Any] | None = UNSET
    file_inputs: Sequence[FileInput] | None = UNSET
    sensitive_input_values: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    session_id: UUID | str | None = UNSET
    start_session: bool | None = False

    _reads: ClassVar[Reads] = {
        "workflow_id": uuid,
        "machine_id": uuid,
        "pool_ids": each(uuid),
        "file_inputs": each(nested("FileInput")),
        "session_id": uuid,
    }


@define(on_setattr=given)
class RunBulkCreateResponse(Answered):
    """Answered by `POST /v1/runs/bulk`."""

    created_runs: list[RunResponse]
    failed_count: int = 0
    errors: list[str] | None = UNSET

    _reads: ClassVar[Reads] = {"created_runs": each(nested("RunResponse"))}


@define(on_setattr=given)
class RunCompletedEvent(Answered):
    """Delivered by the webhook `run_complete`."""

    run: RunCompletedWebhookRunPayload
    event_id: UUID | None = UNSET
    event_type: str = "run_complete"
    occurred_at: datetime | None = UNSET

    _reads: ClassVar[Reads] = {
        "run": nested("RunCompletedWebhookRunPayload"),
        "event_id": uuid,
        "occurred_at": moment,
    }


@define(on_setattr=given)
class RunCreate(Model):
    """Sent by `POST /v1/runs`."""

    workflow_id: UUID | str
    is_priority: bool = False
    main_prompt: str | None = UNSET
    main_agent_model_id: UUID | str | None = UNSET
    model_metadata: WorkflowModelMetadata | None = UNSET
    machine_id: UUID | str | None = UNSET
    pool_ids: Sequence[UUID | str] | None = UNSET
    input_values: Mapping[str, Any] | None = UNSET
    file_inputs: Sequence[FileInput] | None = UNSET
    sensitive_input_values: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    session_id: UUID | str | None = UNSET
    start_session: bool | None = False
    session_alias: str | None = UNSET
    release_session_after: bool | None = UNSET

    _reads: ClassVar[Reads] = {
        "workflow_id": uuid,
        "main_agent_model_id": uuid,
        "model_metadata": nested("WorkflowModelMetadata"),
        "machine_id": uuid,
        "pool_ids": each(uuid),
        "file_inputs": each(nested("FileInput")),
        "session_id": uuid,
    }


@define(on_setattr=given)
class RunImageSignedUrlResponse(Answered):
    """Answered by `GET /v1/runs/{run_id}/image/signed-url`."""

    supabase_url: str
    signed_url: str
    expires_in: int


@define(on_setattr=given)
class RunLlmCostRow(Answered):
    """Part of other models."""

    role: str
    billing_platform: str
    model: str
    endpoint_type: str
    call_count: int
    input_tokens: int
    uncached_input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    source: str
    cost_usd: float | None = UNSET


@define(on_setattr=given)
class RunLlmCostTotalResponse(Answered):
    """Part of other models."""

    run_id: UUID
    workflow_id: UUID
    created_at: datetime
    has_unpriced: bool
    total_cost_usd: float | None = UNSET

    _reads: ClassVar[Reads] = {"run_id": uuid, "workflow_id": uuid, "created_at": moment}


@define(on_setattr=given)
class RunLlmCostsResponse(Answered):
    """Answered by `GET /v1/runs/{run_id}/llm-costs`."""

    run_id: UUID
    has_unpriced: bool
    rows: list[RunLlmCostRow]
    total_cost_usd: float | None = UNSET

    _reads: ClassVar[Reads] = {"run_id": uuid, "rows": each(nested("RunLlmCostRow"))}


@define(on_setattr=given)
class RunPostRunCheckSnapshot(Answered):
    """Part of other models."""

    status: PostRunCheckStatus
    id: UUID | str | None = UNSET
    post_run_check_id: UUID | str | None = UNSET
    snapshot_version: int | None = UNSET
    name: str | None = UNSET
    description: str | None = UNSET
    type_: PostRunCheckType | None = UNSET
    order: int | None = UNSET
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
    started_at: datetime | str | None = UNSET
    ended_at: datetime | str | None = UNSET
    error_message: str | None = UNSET
    messages: Sequence[str] | None = UNSET
    matched_filenames: Sequence[str] | None = UNSET

    _reads: ClassVar[Reads] = {
        "status": word("PostRunCheckStatus"),
        "id": uuid,
        "post_run_check_id": uuid,
        "type_": word("PostRunCheckType"),
        "file_target_mode": word("PostRunCheckFileTargetMode"),
        "model": uuid,
        "started_at": moment,
        "ended_at": moment,
    }

    _keys: ClassVar[Mapping[str, str]] = {"type_": "type"}


@define(on_setattr=given)
class RunResponse(Answered):
    """Answered by `POST /v1/runs`.

    Answered by `PATCH /v1/runs/{run_id}`.
    Answered by `POST /v1/runs/{run_id}/retry`.
    """

    workflow_id: UUID
    machine_id: UUID | None
    id: UUID
    status: RunStatus
    created_at: datetime
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    is_priority: bool = False
    error: list[str] | None = UNSET
    output_data: dict[str, Any] | None = UNSET
    input_attachment_ids: list[str] | None = UNSET
    output_attachment_ids: list[str] | None = UNSET
    run_message_history: list[dict[str, Any]] | None = UNSET
    input_values: dict[str, Any] | None = UNSET
    main_prompt: str | None = UNSET
    model_metadata: WorkflowModelMetadata | None = UNSET
    pool_ids: list[UUID] | None = UNSET
    sensitive_input_aliases: dict[str, str] | None = UNSET
    usage_metadata: dict[str, Any] | None = UNSET
    post_run_checks: list[RunPostRunCheckSnapshot] | None = UNSET
    session_id: UUID | None = UNSET
    session_alias: str | None = UNSET
    release_session_after: bool | None = UNSET
    started_at: datetime | None = UNSET
    ended_at: datetime | None = UNSET

    _reads: ClassVar[Reads] = {
        "workflow_id": uuid,
        "machine_id": uuid,
        "id": uuid,
        "status": word("RunStatus"),
        "created_at": moment,
        "user_id": uuid,
        "model_metadata": nested("WorkflowModelMetadata"),
        "pool_ids": each(uuid),
        "post_run_checks": each(nested("RunPostRunCheckSnapshot")),
        "session_id": uuid,
        "started_at": moment,
        "ended_at": moment,
    }


@define(on_setattr=given)
class RunRetry(Model):
    """Sent by `POST /v1/runs/{run_id}/retry`."""

    input_values: Mapping[str, Any] | None = UNSET
    sensitive_input_values: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    file_inputs: Sequence[FileInput] | None = UNSET
    machine_id: UUID | str | None = UNSET
    pool_ids: Sequence[UUID | str] | None = UNSET
    reuse_session: bool | None = True
    session_id: UUID | str | None = UNSET
    start_session: bool | None = False
    session_alias: str | None = UNSET
    release_session_after: bool | None = UNSET
    is_priority: bool | None = UNSET

    _reads: ClassVar[Reads] = {
        "file_inputs": each(nested("FileInput")),
        "machine_id": uuid,
        "pool_ids": each(uuid),
        "session_id": uuid,
    }


@define(on_setattr=given)
class RunUpdate(Model):
    """Sent by `PATCH /v1/runs/{run_id}`."""

    status: RunStatus | None = UNSET
    error: Sequence[str] | None = UNSET
    output_data: Mapping[str, Any] | None = UNSET
    output_attachment_ids: Sequence[str] | None = UNSET
    run_message_history: Sequence[Mapping[str, Any]] | None = UNSET
    input_values: Mapping[str, Any] | None = UNSET
    usage_metadata: Mapping[str, Any] | None = UNSET
    post_run_checks: Sequence[RunPostRunCheckSnapshot] | None = UNSET
    started_at: datetime | str | None = UNSET
    ended_at: datetime | str | None = UNSET
    release_session_after: bool | None = UNSET

    _reads: ClassVar[Reads] = {
        "status": word("RunStatus"),
        "post_run_checks": each(nested("RunPostRunCheckSnapshot")),
        "started_at": moment,
        "ended_at": moment,
    }


@define(on_setattr=given)
class WorkflowChainCreate(Model):
    """Sent by `POST /v1/runs/chain`."""

    steps: Sequence[ChainStep]
    is_priority: bool = False
    shared_inputs: Mapping[str, Any] | None = UNSET
    shared_sensitive_inputs: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    shared_file_inputs: Sequence[FileInput] | None = UNSET
    keep_session_after_completion: bool | None = False
    machine_id: UUID | str | None = UNSET
    pool_ids: Sequence[UUID | str] | None = UNSET
    session_id: UUID | str | None = UNSET

    _reads: ClassVar[Reads] = {
        "steps": each(nested("ChainStep")),
        "shared_file_inputs": each(nested("FileInput")),
        "machine_id": uuid,
        "pool_ids": each(uuid),
        "session_id": uuid,
    }


@define(on_setattr=given)
class WorkflowChainResponse(Answered):
    """Answered by `POST /v1/runs/chain`."""

    session_id: UUID
    run_ids: list[UUID]

    _reads: ClassVar[Reads] = {"session_id": uuid, "run_ids": each(uuid)}


@define(on_setattr=given)
class PaginatedResponseRunLlmCostTotalResponse(Page[RunLlmCostTotalResponse]):
    """Answered by `GET /v1/usage/llm-costs`."""

    items: list[RunLlmCostTotalResponse]
    total: int
    skip: int
    limit: int

    _reads: ClassVar[Reads] = {"items": each(nested("RunLlmCostTotalResponse"))}


@define(on_setattr=given)
class PaginatedResponseWithIncludesRunResponse(Page[RunResponse]):
    """Answered by `GET /v1/runs`."""

    items: list[RunResponse]
    total: int
    skip: int
    limit: int
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "items": each(nested("RunResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class RunCompletedWebhookRunPayload(RunResponse):
    """Part of other models."""

    workflow_id: UUID
    machine_id: UUID | None
    id: UUID
    status: RunStatus
    created_at: datetime
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    is_priority: bool = False
    error: list[str] | None = UNSET
    output_data: dict[str, Any] | None = UNSET
    input_attachment_ids: list[str] | None = UNSET
    output_attachment_ids: list[str] | None = UNSET
    run_message_history: list[dict[str, Any]] | None = UNSET
    input_values: dict[str, Any] | None = UNSET
    main_prompt: str | None = UNSET
    model_metadata: WorkflowModelMetadata | None = UNSET
    pool_ids: list[UUID] | None = UNSET
    sensitive_input_aliases: dict[str, str] | None = UNSET
    usage_metadata: dict[str, Any] | None = UNSET
    post_run_checks: list[RunPostRunCheckSnapshot] | None = UNSET
    session_id: UUID | None = UNSET
    session_alias: str | None = UNSET
    release_session_after: bool | None = UNSET
    started_at: datetime | None = UNSET
    ended_at: datetime | None = UNSET

    _reads: ClassVar[Reads] = {
        "workflow_id": uuid,
        "machine_id": uuid,
        "id": uuid,
        "status": word("RunStatus"),
        "created_at": moment,
        "user_id": uuid,
        "model_metadata": nested("WorkflowModelMetadata"),
        "pool_ids": each(uuid),
        "post_run_checks": each(nested("RunPostRunCheckSnapshot")),
        "session_id": uuid,
        "started_at": moment,
        "ended_at": moment,
    }


@define(on_setattr=given)
class RunResponseWithIncludes(RunResponse):
    """Answered by `GET /v1/runs/{run_id}`."""

    id: UUID
    workflow_id: UUID
    status: RunStatus
    created_at: datetime
    machine_id: UUID | None = UNSET
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    is_priority: bool = False
    error: list[str] | None = UNSET
    output_data: dict[str, Any] | None = UNSET
    input_attachment_ids: list[str] | None = UNSET
    output_attachment_ids: list[str] | None = UNSET
    run_message_history: list[dict[str, Any]] | None = UNSET
    input_values: dict[str, Any] | None = UNSET
    main_prompt: str | None = UNSET
    model_metadata: WorkflowModelMetadata | None = UNSET
    pool_ids: list[UUID] | None = UNSET
    sensitive_input_aliases: dict[str, str] | None = UNSET
    usage_metadata: dict[str, Any] | None = UNSET
    post_run_checks: list[RunPostRunCheckSnapshot] | None = UNSET
    session_id: UUID | None = UNSET
    session_alias: str | None = UNSET
    release_session_after: bool | None = UNSET
    started_at: datetime | None = UNSET
    ended_at: datetime | None = UNSET
    included: list[IncludedResource] | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "workflow_id": uuid,
        "status": word("RunStatus"),
        "created_at": moment,
        "machine_id": uuid,
        "user_id": uuid,
        "model_metadata": nested("WorkflowModelMetadata"),
        "pool_ids": each(uuid),
        "post_run_checks": each(nested("RunPostRunCheckSnapshot")),
        "session_id": uuid,
        "started_at": moment,
        "ended_at": moment,
        "included": each(nested("IncludedResource")),
    }
