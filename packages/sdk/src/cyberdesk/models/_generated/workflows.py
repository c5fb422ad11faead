# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

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
    """A PNG, JPEG, GIF or WebP of at most 10 MB."""


@define(on_setattr=given)
class WorkflowCreate(Model):
    """Sent by `POST /v1/workflows`."""

    main_prompt: str | None = UNSET
    """What is to be done: HTML or plain text, with `{x}`, `{{x}}` and `{$x}`; may be written later."""

    name: str | None = UNSET
    """What people call the workflow, at most 255 characters."""

    input_schema: str | None = UNSET
    """JSON Schema of a run's inputs, as text; None allows all."""

    output_schema: str | None = UNSET
    """JSON Schema of a run's output data, or `{"field": "type"}`, as text; None leaves it open."""

    includes_file_exports: bool = False
    """True: files that the prompt wants out become output attachments."""

    is_webhooks_enabled: bool = False
    """True: webhooks tell the end of a run, once servers send them; today it is only kept."""

    terminal_command_allowlist: Sequence[str] | None = UNSET
    """Commands a run may execute, `*` standing for anything; None allows all, empty none."""

    model_metadata: WorkflowModelMetadata | None = UNSET
    """The model of each role; None takes the server's defaults."""

    post_run_check_failure_cleanup_prompt: str | None = UNSET
    """What is to be done on the machine when a post-run check has failed."""

    post_run_checks: Sequence[WorkflowPostRunCheckUpsert] | None = UNSET
    """What must be true once a run's main part has ended well, in order."""

    description: str | None = field(default=UNSET, kw_only=True)
    """What the workflow is for, in words."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time a run may take from its start, in seconds; None takes the server's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in a run; None takes the server's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is a run's turn, in seconds; None takes the server's, if any."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost a run, in US dollars of known prices; None: the server's, if any."""

    _reads: ClassVar[Reads] = {
        "model_metadata": nested("WorkflowModelMetadata"),
        "post_run_checks": each(nested("WorkflowPostRunCheckUpsert")),
    }


@define(on_setattr=given)
class WorkflowDuplicateRequest(Model):
    """Sent by `POST /v1/workflows/{workflow_id}/duplicate`."""

    include_trajectories: bool = False
    """True: generated trajectories are copied as well."""


@define(on_setattr=given)
class WorkflowInternalMetadata(Answered):
    """Part of other models."""

    has_unaddressed_error: bool | None = UNSET
    """True when a run failed and nobody has looked at it; None when nobody wrote it."""

    last_errored_run_start: datetime | None = UNSET
    """When the last failed run began, in UTC; None when nobody wrote it."""

    last_errored_run_uuid: UUID | None = UNSET
    """The last failed run; None when nobody wrote it."""

    _reads: ClassVar[Reads] = {"last_errored_run_start": moment, "last_errored_run_uuid": uuid}


@define(on_setattr=given)
class WorkflowInternalMetadataUpdate(Model):
    """Part of other models."""

    has_unaddressed_error: bool | None = UNSET
    """True when a run failed and nobody has looked at it."""

    last_errored_run_start: datetime | str | None = UNSET
    """When the last failed run began; a time without an offset is UTC."""

    last_errored_run_uuid: UUID | str | None = UNSET
    """The last failed run."""

    _reads: ClassVar[Reads] = {"last_errored_run_start": moment, "last_errored_run_uuid": uuid}


@define(on_setattr=given)
class WorkflowMergeRequest(Model):
    """Sent by `POST /v1/workflows/{workflow_id}/merge`."""

    target_workflow_id: UUID | str
    """The workflow that becomes like this one; it keeps its name."""

    copy_trajectories: bool = False
    """True: generated trajectories are copied to it as well."""

    _reads: ClassVar[Reads] = {"target_workflow_id": uuid}


@define(on_setattr=given)
class WorkflowModelMetadata(Answered):
    """Part of other models."""

    main_agent_model_id: UUID | str | None = UNSET
    """Id of the model configuration that acts; None takes the server's default."""

    cache_detection_model_id: UUID | str | None = UNSET
    """Id of the one that compares screens for replays; None takes the server's default."""

    fallback_model_1_id: UUID | str | None = UNSET
    """Id of the one that acts when the main one fails; None means none."""

    fallback_model_2_id: UUID | str | None = UNSET
    """Id of the one that acts when the first fallback fails; None means none."""

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
    """What people call the check."""

    type_: PostRunCheckType
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

    description: str | None = UNSET
    """What the check is for; None when its author says nothing."""

    file_target_mode: PostRunCheckFileTargetMode | None = UNSET
    """How a check of files names them; None means `exact`."""

    file_names: list[str] | None = UNSET
    """With `exact`: the names of the files, each of which must be there."""

    file_name_regex: str | None = UNSET
    """With `regex`: what the whole name of a file must match."""

    expected_match_count: int | None = UNSET
    """With `regex`: how many files must match; None asks for at least one."""

    expected_match_count_ref: str | None = UNSET
    """A path to that number, such as `inputs.copies`; wins over `expected_match_count`."""

    loop_input: str | None = UNSET
    """With `loop_items`: the name of an input that holds a list, or a path to one."""

    loop_item_filename_template: str | None = UNSET
    """With `loop_items`: the file's name for each item of the list."""

    allow_missing_attachments: bool = False
    """True: an image check passes over files that are not there."""

    check_prompt: str | None = UNSET
    """What a model judges by; required by the types that ask a model."""

    model: UUID | None = UNSET
    """Id of the model configuration that judges; None takes the run's main one."""

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

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
    """What people call the check: at most 255 characters, not blank."""

    type_: PostRunCheckType
    """What is checked."""

    description: str | None = UNSET
    """What the check is for; None when its author says nothing."""

    file_target_mode: PostRunCheckFileTargetMode | None = UNSET
    """How a check of files names them; None means `exact`."""

    file_names: Sequence[str] | None = UNSET
    """With `exact`: the names of the files, each of which must be there."""

    file_name_regex: str | None = UNSET
    """With `regex`: what the whole name of a file must match."""

    expected_match_count: int | None = UNSET
    """With `regex`: how many files must match; None asks for at least one."""

    expected_match_count_ref: str | None = UNSET
    """A path to that number, such as `inputs.copies`; wins over `expected_match_count`."""

    loop_input: str | None = UNSET
    """With `loop_items`: the name of an input that holds a list, or a path to one."""

    loop_item_filename_template: str | None = UNSET
    """With `loop_items`: the file's name for each item of the list."""

    allow_missing_attachments: bool = False
    """True: an image check passes over files that are not there."""

    check_prompt: str | None = UNSET
    """What a model judges by; required by the types that ask a model."""

    model: UUID | str | None = UNSET
    """Id of the model configuration that judges; None takes the run's main one."""

    id: UUID | str | None = UNSET
    """The check of this workflow that it replaces; None makes a new one."""

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
    """The address by which prompts show the image."""

    path: str
    """The image's path, by which it is linked and deleted."""

    filename: str
    """The image's name."""

    created_at: datetime | None = UNSET
    """When the image was uploaded, in UTC."""

    size_bytes: int | None = UNSET
    """Its size in bytes."""

    _reads: ClassVar[Reads] = {"created_at": moment}


@define(on_setattr=given)
class WorkflowPromptImageResponse(Answered):
    """Answered by `POST /v1/workflows/prompt-image`."""

    supabase_url: str
    """The address by which a prompt shows the image, in the `src` of an `img`."""

    signed_url: str
    """A link that shows the image to anybody, for an hour."""

    filename: str
    """The image's name, made safe for paths."""

    content_type: str
    """What its bytes are: `image/png`, `image/jpeg`, `image/gif` or `image/webp`."""

    size_bytes: int
    """Its size in bytes, at most 10 MB."""


@define(on_setattr=given)
class WorkflowPromptImageSignedUrlResponse(Answered):
    """Answered by `GET /v1/workflows/prompt-image/signed-url`."""

    supabase_url: str
    """The address by which prompts show the image."""

    signed_url: str
    """A link that shows the image to anybody while it is valid."""

    expires_in: int
    """How long the link is valid, in seconds."""


@define(on_setattr=given)
class WorkflowResponse(Answered):
    """Answered by `POST /v1/workflows`.

    Answered by `PATCH /v1/workflows/{workflow_id}`.
    Answered by `POST /v1/workflows/{workflow_id}/duplicate`.
    Answered by `POST /v1/workflows/{workflow_id}/merge`.
    """

    main_prompt: str
    """What is to be done: HTML or plain text, with `{x}`, `{{x}}` and `{$x}`."""

    id: UUID
    """The workflow's id."""

    created_at: datetime
    """When the workflow was made, in UTC."""

    updated_at: datetime
    """When the workflow last changed, in UTC."""

    name: str | None = UNSET
    """What people call the workflow; None when it has no name."""

    input_schema: str | None = UNSET
    """JSON Schema of a run's inputs, as text; None allows all."""

    output_schema: str | None = UNSET
    """JSON Schema of a run's output data, or `{"field": "type"}`, as text; None leaves it open."""

    includes_file_exports: bool = False
    """True: files that the prompt wants out become output attachments."""

    is_webhooks_enabled: bool = False
    """True: webhooks tell the end of a run, once servers send them; today it is only kept."""

    terminal_command_allowlist: list[str] | None = UNSET
    """Commands a run may execute, `*` standing for anything; None allows all, empty none."""

    model_metadata: WorkflowModelMetadata | None = UNSET
    """The model of each role; None takes the server's defaults."""

    post_run_check_failure_cleanup_prompt: str | None = UNSET
    """What is to be done on the machine when a post-run check has failed."""

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    includes_input_variables: bool = False
    """True when the prompt has an `{x}` that a run must be given."""

    workflow_metadata: WorkflowInternalMetadata | None = UNSET
    """What is noted about failed runs; None when nobody wrote it."""

    old_versions: list[dict[str, Any]] | None = UNSET
    """How it was before each change, oldest first."""

    tags: list[WorkflowTagResponse] | None = UNSET
    """The tags it has."""

    post_run_checks: list[WorkflowPostRunCheckResponse] | None = UNSET
    """What must be true once a run's main part has ended well, in order."""

    description: str | None = field(default=UNSET, kw_only=True)
    """What the workflow is for, in words."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time a run may take from its start, in seconds; None takes the server's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in a run; None takes the server's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is a run's turn, in seconds; None takes the server's, if any."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost a run, in US dollars of known prices; None: the server's, if any."""

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
    """What people call the workflow, at most 255 characters."""

    main_prompt: str | None = UNSET
    """What is to be done: HTML or plain text, with `{x}`, `{{x}}` and `{$x}`; None leaves it."""

    input_schema: str | None = UNSET
    """JSON Schema of a run's inputs, as text; None allows all."""

    output_schema: str | None = UNSET
    """JSON Schema of a run's output data, or `{"field": "type"}`, as text; None leaves it open."""

    includes_file_exports: bool | None = UNSET
    """True: files that the prompt wants out become output attachments; None leaves it."""

    is_webhooks_enabled: bool | None = UNSET
    """True: webhooks tell the end of a run, once servers send them; None leaves it."""

    terminal_command_allowlist: Sequence[str] | None = UNSET
    """Commands a run may execute, `*` standing for anything; None allows all, empty none."""

    model_metadata: WorkflowModelMetadata | None = UNSET
    """The model of each role; None takes the server's defaults."""

    post_run_check_failure_cleanup_prompt: str | None = UNSET
    """What is to be done on the machine when a post-run check has failed."""

    workflow_metadata: WorkflowInternalMetadataUpdate | None = UNSET
    """What is noted about failed runs."""

    post_run_checks: Sequence[WorkflowPostRunCheckUpsert] | None = UNSET
    """All checks of the workflow, in order; those not named are removed. None leaves them."""

    description: str | None = field(default=UNSET, kw_only=True)
    """What the workflow is for, in words."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time a run may take from its start, in seconds; None takes the server's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in a run; None takes the server's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is a run's turn, in seconds; None takes the server's, if any."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost a run, in US dollars of known prices; None: the server's, if any."""

    _reads: ClassVar[Reads] = {
        "model_metadata": nested("WorkflowModelMetadata"),
        "workflow_metadata": nested("WorkflowInternalMetadataUpdate"),
        "post_run_checks": each(nested("WorkflowPostRunCheckUpsert")),
    }


@define(on_setattr=given)
class PaginatedResponseWithIncludesWorkflowResponse(Page[WorkflowResponse]):
    """Answered by `GET /v1/workflows`."""

    items: list[WorkflowResponse]
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
        "items": each(nested("WorkflowResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class WorkflowResponseWithIncludes(WorkflowResponse):
    """Answered by `GET /v1/workflows/{workflow_id}`."""

    main_prompt: str
    """What is to be done: HTML or plain text, with `{x}`, `{{x}}` and `{$x}`."""

    id: UUID
    """The workflow's id."""

    created_at: datetime
    """When the workflow was made, in UTC."""

    updated_at: datetime
    """When the workflow last changed, in UTC."""

    name: str | None = UNSET
    """What people call the workflow; None when it has no name."""

    input_schema: str | None = UNSET
    """JSON Schema of a run's inputs, as text; None allows all."""

    output_schema: str | None = UNSET
    """JSON Schema of a run's output data, or `{"field": "type"}`, as text; None leaves it open."""

    includes_file_exports: bool = False
    """True: files that the prompt wants out become output attachments."""

    is_webhooks_enabled: bool = False
    """True: webhooks tell the end of a run, once servers send them; today it is only kept."""

    terminal_command_allowlist: list[str] | None = UNSET
    """Commands a run may execute, `*` standing for anything; None allows all, empty none."""

    model_metadata: WorkflowModelMetadata | None = UNSET
    """The model of each role; None takes the server's defaults."""

    post_run_check_failure_cleanup_prompt: str | None = UNSET
    """What is to be done on the machine when a post-run check has failed."""

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    includes_input_variables: bool = False
    """True when the prompt has an `{x}` that a run must be given."""

    workflow_metadata: WorkflowInternalMetadata | None = UNSET
    """What is noted about failed runs; None when nobody wrote it."""

    old_versions: list[dict[str, Any]] | None = UNSET
    """How it was before each change, oldest first."""

    tags: list[WorkflowTagResponse] | None = UNSET
    """The tags it has."""

    post_run_checks: list[WorkflowPostRunCheckResponse] | None = UNSET
    """What must be true once a run's main part has ended well, in order."""

    included: list[IncludedResource] | None = UNSET
    """What `include` asked for, each once; None when it asked for nothing."""

    description: str | None = field(default=UNSET, kw_only=True)
    """What the workflow is for, in words."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time a run may take from its start, in seconds; None takes the server's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in a run; None takes the server's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is a run's turn, in seconds; None takes the server's, if any."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost a run, in US dollars of known prices; None: the server's, if any."""

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
