"""Workflows."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.checks import WorkflowPostRunCheckResponse, WorkflowPostRunCheckUpsert
from cyberdesk_server.api.schemas.common import IncludedResource, JsonDict, Model, UtcTime
from cyberdesk_server.api.schemas.limits import CostLimit, MaxTurns, RunTimeLimit, WaitTimeLimit
from cyberdesk_server.api.schemas.tags import WorkflowTagResponse

Name = Annotated[str, Field(max_length=255)]


class WorkflowModelMetadata(Model):
    main_agent_model_id: UUID | None = None
    """Id of the model configuration that acts; null takes the server's default."""

    cache_detection_model_id: UUID | None = None
    """Id of the one that compares screens for replays; null takes the server's default."""

    fallback_model_1_id: UUID | None = None
    """Id of the one that acts when the main one fails; null means none."""

    fallback_model_2_id: UUID | None = None
    """Id of the one that acts when the first fallback fails; null means none."""


class WorkflowInternalMetadata(Model):
    has_unaddressed_error: bool | None = None
    """True when a run failed and nobody has looked at it; null when nobody wrote it."""

    last_errored_run_start: datetime | None = None
    """When the last failed run began, in UTC; null when nobody wrote it."""

    last_errored_run_uuid: UUID | None = None
    """The last failed run; null when nobody wrote it."""


class WorkflowInternalMetadataUpdate(Model):
    has_unaddressed_error: bool | None = None
    """True when a run failed and nobody has looked at it."""

    last_errored_run_start: UtcTime | None = None
    """When the last failed run began; a time without an offset is UTC."""

    last_errored_run_uuid: UUID | None = None
    """The last failed run."""


class WorkflowCreate(Model):
    main_prompt: str = ""
    """What is to be done: HTML or plain text, with `{x}`, `{{x}}` and `{$x}`; may be written later."""

    name: Name | None = None
    """What people call the workflow, at most 255 characters."""

    description: str | None = None
    """What the workflow is for, in words."""

    input_schema: str | None = None
    """JSON Schema of a run's inputs, as text; null allows all."""

    output_schema: str | None = None
    """JSON Schema of a run's output data, or `{"field": "type"}`, as text; null leaves it open."""

    includes_file_exports: bool = False
    """True: files that the prompt wants out become output attachments."""

    is_webhooks_enabled: bool = False
    """True: webhooks tell the end of a run, once servers send them; today it is only kept."""

    terminal_command_allowlist: list[str] | None = None
    """Commands a run may execute, `*` standing for anything; null allows all, empty none."""

    model_metadata: WorkflowModelMetadata | None = None
    """The model of each role; null takes the server's defaults."""

    post_run_check_failure_cleanup_prompt: str | None = None
    """What is to be done on the machine when a post-run check has failed."""

    post_run_checks: list[WorkflowPostRunCheckUpsert] | None = None
    """What must be true once a run's main part has ended well, in order."""

    run_time_limit_seconds: RunTimeLimit = None
    """Longest time a run may take from its start, in seconds; null takes the server's."""

    max_turns: MaxTurns = None
    """Most questions to the model in a run; null takes the server's."""

    wait_time_limit_seconds: WaitTimeLimit = None
    """Longest wait for a machine once it is a run's turn, in seconds; null takes the server's, if any."""

    cost_limit_usd: CostLimit = None
    """Most that language models may cost a run, in US dollars of known prices; null: the server's, if any."""


class WorkflowUpdate(Model):
    name: Name | None = None
    """What people call the workflow, at most 255 characters."""

    description: str | None = None
    """What the workflow is for, in words."""

    main_prompt: str | None = None
    """What is to be done: HTML or plain text, with `{x}`, `{{x}}` and `{$x}`; null leaves it."""

    input_schema: str | None = None
    """JSON Schema of a run's inputs, as text; null allows all."""

    output_schema: str | None = None
    """JSON Schema of a run's output data, or `{"field": "type"}`, as text; null leaves it open."""

    includes_file_exports: bool | None = None
    """True: files that the prompt wants out become output attachments; null leaves it."""

    is_webhooks_enabled: bool | None = None
    """True: webhooks tell the end of a run, once servers send them; null leaves it."""

    terminal_command_allowlist: list[str] | None = None
    """Commands a run may execute, `*` standing for anything; null allows all, empty none."""

    model_metadata: WorkflowModelMetadata | None = None
    """The model of each role; null takes the server's defaults."""

    post_run_check_failure_cleanup_prompt: str | None = None
    """What is to be done on the machine when a post-run check has failed."""

    workflow_metadata: WorkflowInternalMetadataUpdate | None = None
    """What is noted about failed runs."""

    post_run_checks: list[WorkflowPostRunCheckUpsert] | None = None
    """All checks of the workflow, in order; those not named are removed. Null leaves them."""

    run_time_limit_seconds: RunTimeLimit = None
    """Longest time a run may take from its start, in seconds; null takes the server's."""

    max_turns: MaxTurns = None
    """Most questions to the model in a run; null takes the server's."""

    wait_time_limit_seconds: WaitTimeLimit = None
    """Longest wait for a machine once it is a run's turn, in seconds; null takes the server's, if any."""

    cost_limit_usd: CostLimit = None
    """Most that language models may cost a run, in US dollars of known prices; null: the server's, if any."""


class WorkflowResponse(Model):
    main_prompt: str
    """What is to be done: HTML or plain text, with `{x}`, `{{x}}` and `{$x}`."""

    id: UUID
    """The workflow's id."""

    created_at: datetime
    """When the workflow was made, in UTC."""

    updated_at: datetime
    """When the workflow last changed, in UTC."""

    name: str | None = None
    """What people call the workflow; null when it has no name."""

    description: str | None = None
    """What the workflow is for, in words."""

    input_schema: str | None = None
    """JSON Schema of a run's inputs, as text; null allows all."""

    output_schema: str | None = None
    """JSON Schema of a run's output data, or `{"field": "type"}`, as text; null leaves it open."""

    includes_file_exports: bool = False
    """True: files that the prompt wants out become output attachments."""

    is_webhooks_enabled: bool = False
    """True: webhooks tell the end of a run, once servers send them; today it is only kept."""

    terminal_command_allowlist: list[str] | None = None
    """Commands a run may execute, `*` standing for anything; null allows all, empty none."""

    model_metadata: WorkflowModelMetadata | None = None
    """The model of each role; null takes the server's defaults."""

    post_run_check_failure_cleanup_prompt: str | None = None
    """What is to be done on the machine when a post-run check has failed."""

    user_id: UUID | None = None
    """Who made it; null when no person is known."""

    organization_id: str | None = None
    """The organization that owns it."""

    includes_input_variables: bool = False
    """True when the prompt has an `{x}` that a run must be given."""

    workflow_metadata: WorkflowInternalMetadata | None = None
    """What is noted about failed runs; null when nobody wrote it."""

    old_versions: list[JsonDict] | None = None
    """How it was before each change, oldest first."""

    tags: list[WorkflowTagResponse] | None = None
    """The tags it has."""

    post_run_checks: list[WorkflowPostRunCheckResponse] | None = None
    """What must be true once a run's main part has ended well, in order."""

    run_time_limit_seconds: RunTimeLimit = None
    """Longest time a run may take from its start, in seconds; null takes the server's."""

    max_turns: MaxTurns = None
    """Most questions to the model in a run; null takes the server's."""

    wait_time_limit_seconds: WaitTimeLimit = None
    """Longest wait for a machine once it is a run's turn, in seconds; null takes the server's, if any."""

    cost_limit_usd: CostLimit = None
    """Most that language models may cost a run, in US dollars of known prices; null: the server's, if any."""


class WorkflowResponseWithIncludes(WorkflowResponse):
    included: list[IncludedResource] | None = None
    """What `include` asked for, each once; null when it asked for nothing."""


class WorkflowDuplicateRequest(Model):
    include_trajectories: bool = False
    """True: generated trajectories are copied as well."""


class WorkflowMergeRequest(Model):
    target_workflow_id: UUID
    """The workflow that becomes like this one; it keeps its name."""

    copy_trajectories: bool = False
    """True: generated trajectories are copied to it as well."""
