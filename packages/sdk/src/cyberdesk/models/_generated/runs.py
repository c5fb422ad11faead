# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

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
    """The workflow that this step carries out."""

    session_alias: str | None = UNSET
    """The name by which later steps refer to its output; unique in the session."""

    inputs: Mapping[str, Any] | None = UNSET
    """Values of `{x}`, by name; `{"$ref": "ALIAS.outputs.PATH"}` takes one from an earlier step."""

    sensitive_inputs: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    """Secrets for `{$x}`, by name; sealed, and gone when the step's run ends."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time the step may take from its start, in seconds; None takes the workflow's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in the step; None takes the workflow's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for the machine once it is the step's turn, in seconds; None takes the workflow's."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost the run, in US dollars of known prices; None: the workflow's."""

    _reads: ClassVar[Reads] = {"workflow_id": uuid}


@define(on_setattr=given)
class FileInput(ReadFromPath):
    """Part of other models."""

    filename: str
    """The file's name, 1 to 255 characters."""

    content: str
    """The file as base64, at most 100 MB."""

    target_path: str | None = UNSET
    """Where it goes on the machine, a file or a folder; None is the transfer folder."""

    cleanup_imports_after_run: bool = False
    """True: it is removed from the machine when the run has ended, however it ended."""


@define(on_setattr=given)
class RunBulkCreate(Model):
    """Sent by `POST /v1/runs/bulk`."""

    workflow_id: UUID | str
    """The workflow that is carried out."""

    count: int
    """How many runs are made, 1 to 1000."""

    is_priority: bool = False
    """True: they go before waiting runs that are not."""

    machine_id: UUID | str | None = UNSET
    """The machine they wait for, and no other; then `pool_ids` do not matter."""

    pool_ids: Sequence[UUID | str] | None = UNSET
    """Pools the machine must be in, all of them; None takes any machine."""

    input_values: Mapping[str, Any] | None = UNSET
    """Values of `{x}` in the prompt, by name; the same for each run."""

    file_inputs: Sequence[FileInput] | None = UNSET
    """Files that are put on the machine before each run begins."""

    sensitive_input_values: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    """Secrets for `{$x}` in the prompt, by name; sealed, and gone when the run ends."""

    session_id: UUID | str | None = UNSET
    """The session they join, on that session's machine; None joins none."""

    start_session: bool | None = False
    """True: they start one session together and follow each other in it."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time each run may take from its start, in seconds; None takes the workflow's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in each run; None takes the workflow's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is the run's turn, in seconds; None takes the workflow's."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost the run, in US dollars of known prices; None: the workflow's."""

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
    """The runs that were made."""

    failed_count: int = 0
    """How many runs could not be made."""

    errors: list[str] | None = UNSET
    """Why they could not be made, in words."""

    _reads: ClassVar[Reads] = {"created_runs": each(nested("RunResponse"))}


@define(on_setattr=given)
class RunCompletedEvent(Answered):
    """Delivered by the webhook `run_complete`."""

    run: RunCompletedWebhookRunPayload
    """The run, complete."""

    event_id: UUID | None = UNSET
    """The message's id: the same for every endpoint and on every attempt, and in the header `webhook-id`."""

    event_type: str = "run_complete"
    """Which event it is: `run_complete`."""

    occurred_at: datetime | None = UNSET
    """When it happened, in UTC."""

    _reads: ClassVar[Reads] = {
        "run": nested("RunCompletedWebhookRunPayload"),
        "event_id": uuid,
        "occurred_at": moment,
    }


@define(on_setattr=given)
class RunCreate(Model):
    """Sent by `POST /v1/runs`."""

    workflow_id: UUID | str
    """The workflow that is carried out."""

    is_priority: bool = False
    """True: it goes before waiting runs that are not."""

    main_prompt: str | None = UNSET
    """A prompt for this run in place of the workflow's; None takes the workflow's."""

    main_agent_model_id: UUID | str | None = UNSET
    """Id of the model configuration that acts in this run; None takes the workflow's."""

    model_metadata: WorkflowModelMetadata | None = UNSET
    """The model of each role in this run; a role that is None takes the workflow's."""

    machine_id: UUID | str | None = UNSET
    """The machine it waits for, and no other; then `pool_ids` do not matter."""

    pool_ids: Sequence[UUID | str] | None = UNSET
    """Pools the machine must be in, all of them; None takes any machine."""

    input_values: Mapping[str, Any] | None = UNSET
    """Values of `{x}` in the prompt, by name."""

    file_inputs: Sequence[FileInput] | None = UNSET
    """Files that are put on the machine before the run begins."""

    sensitive_input_values: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    """Secrets for `{$x}` in the prompt, by name; sealed, and gone when the run ends."""

    session_id: UUID | str | None = UNSET
    """The session it joins, on that session's machine; None joins none."""

    start_session: bool | None = False
    """True: it starts a session, which reserves its machine for the runs that join."""

    session_alias: str | None = UNSET
    """The name by which later runs of its session refer to its output."""

    release_session_after: bool | None = UNSET
    """True: its session ends with it, whatever its outcome."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time the run may take from its start, in seconds; None takes the workflow's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in the run; None takes the workflow's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is the run's turn, in seconds; None takes the workflow's."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost the run, in US dollars of known prices; None: the workflow's."""

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
    """Answered by `GET /v1/runs/{run_id}/image/signed-url`.

    Answered by `GET /v1/trajectories/{trajectory_id}/image/signed-url`.
    """

    supabase_url: str
    """The picture's address, as the run's history has it."""

    signed_url: str
    """A link that shows the picture to anybody while it is valid."""

    expires_in: int
    """How long the link is valid, in seconds."""


@define(on_setattr=given)
class RunLlmCostRow(Answered):
    """Part of other models."""

    role: str
    """What the model was asked as: `main_agent`, `cache_detection`, `extraction`, …"""

    billing_platform: str
    """Who sends the bill: `anthropic`, `aws_bedrock`, …"""

    model: str
    """The provider's name of the model."""

    endpoint_type: str
    """Which of the platform's interfaces was called, for prices differ."""

    call_count: int
    """How many calls there were."""

    input_tokens: int
    """Tokens that were sent, cached ones included."""

    uncached_input_tokens: int
    """Tokens that were sent and were in no cache."""

    cache_read_tokens: int
    """Tokens that were read from the provider's cache."""

    cache_write_5m_tokens: int
    """Tokens that were put in the provider's cache for five minutes."""

    cache_write_1h_tokens: int
    """Tokens that were put in the provider's cache for an hour."""

    output_tokens: int
    """Tokens that were answered, reasoning included."""

    reasoning_tokens: int
    """Tokens of the answers that were reasoning."""

    source: str
    """Whose credential paid: `cyberdesk` or `organization`."""

    cost_usd: float | None = UNSET
    """What the calls cost, in US dollars; None when nobody knows the price of one of them."""


@define(on_setattr=given)
class RunLlmCostTotalResponse(Answered):
    """Part of other models."""

    run_id: UUID
    """The run whose calls they were."""

    workflow_id: UUID
    """The workflow of the run."""

    created_at: datetime
    """When the run was made, in UTC."""

    has_unpriced: bool
    """True when some calls have no price; the total leaves them out."""

    total_cost_usd: float | None = UNSET
    """What the calls cost, in US dollars; None when no call has a price."""

    _reads: ClassVar[Reads] = {"run_id": uuid, "workflow_id": uuid, "created_at": moment}


@define(on_setattr=given)
class RunLlmCostsResponse(Answered):
    """Answered by `GET /v1/runs/{run_id}/llm-costs`."""

    run_id: UUID
    """The run whose calls they were."""

    has_unpriced: bool
    """True when some calls have no price; the total leaves them out."""

    rows: list[RunLlmCostRow]
    """The calls, those of one kind in one row."""

    total_cost_usd: float | None = UNSET
    """What the calls cost, in US dollars; None when no call has a price."""

    _reads: ClassVar[Reads] = {"run_id": uuid, "rows": each(nested("RunLlmCostRow"))}


@define(on_setattr=given)
class RunPostRunCheckSnapshot(Answered):
    """Part of other models."""

    status: PostRunCheckStatus
    """How far the check is, or how it ended."""

    id: UUID | str | None = UNSET
    """Id of this snapshot; another one in every run."""

    post_run_check_id: UUID | str | None = UNSET
    """The workflow's check it was taken from."""

    snapshot_version: int | None = UNSET
    """Version of the snapshot's shape; 1 today."""

    name: str | None = UNSET
    """What people call the check."""

    description: str | None = UNSET
    """What the check is for; None when its author says nothing."""

    type_: PostRunCheckType | None = UNSET
    """What is checked."""

    order: int | None = UNSET
    """Its place among the run's checks, from 0."""

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

    started_at: datetime | str | None = UNSET
    """When the check began, in UTC; None before that."""

    ended_at: datetime | str | None = UNSET
    """When the check ended, in UTC; None before that."""

    error_message: str | None = UNSET
    """Why the check could not be made; None when it could."""

    messages: Sequence[str] | None = UNSET
    """What the check found, in words; None before it ended."""

    matched_filenames: Sequence[str] | None = UNSET
    """Names of the files it looked at; None before it ended and for checks of output data."""

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
    """The workflow that is carried out."""

    machine_id: UUID | None
    """The machine it was made for or got; None while that is open, or when the machine was deleted."""

    id: UUID
    """The run's id; a retry keeps it."""

    status: RunStatus
    """How far the run is, or how it ended."""

    created_at: datetime
    """When the run was made, in UTC."""

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    is_priority: bool = False
    """True: it goes before waiting runs that are not."""

    error: list[str] | None = UNSET
    """Why the run did not succeed, in words; None when nothing went wrong."""

    output_data: dict[str, Any] | None = UNSET
    """Its structured result; None when there is none."""

    input_attachment_ids: list[str] | None = UNSET
    """Ids of the files that go to the machine."""

    output_attachment_ids: list[str] | None = UNSET
    """Ids of the files that came from the machine."""

    run_message_history: list[dict[str, Any]] | None = UNSET
    """What the agent saw, thought and did, one message after the other."""

    input_values: dict[str, Any] | None = UNSET
    """Values of `{x}` as they were sent; those of machine and pools are not among them."""

    main_prompt: str | None = UNSET
    """The prompt of this run in place of the workflow's; None means the workflow's."""

    model_metadata: WorkflowModelMetadata | None = UNSET
    """The model of each role, where the run has its own."""

    pool_ids: list[UUID] | None = UNSET
    """Pools the machine must be in, all of them; None when none were named."""

    sensitive_input_aliases: dict[str, str] | None = UNSET
    """Name of each secret, and its alias; outlives the secret, which is never shown."""

    usage_metadata: dict[str, Any] | None = UNSET
    """Counters of agentic and cached steps, and `billing_outcome`; None before it ended."""

    post_run_checks: list[RunPostRunCheckSnapshot] | None = UNSET
    """The workflow's checks as they were when the run was made, with what came of each."""

    session_id: UUID | None = UNSET
    """The session it belongs to; None when it belongs to none."""

    session_alias: str | None = UNSET
    """The name by which later runs of its session refer to its output."""

    release_session_after: bool | None = UNSET
    """True: its session ends with it."""

    started_at: datetime | None = UNSET
    """When the run began, in UTC; None while it waits."""

    ended_at: datetime | None = UNSET
    """When the run ended, in UTC; None before that."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time it may take from its start, in seconds; None means the workflow's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in it; None means the workflow's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is the run's turn, in seconds; None means the workflow's."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost the run, in US dollars of known prices; None: the workflow's."""

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
    """New values of `{x}`, in place of all the run had; None keeps those."""

    sensitive_input_values: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    """All secrets of the new try; those of the last one are gone."""

    file_inputs: Sequence[FileInput] | None = UNSET
    """New input files, in place of those the run had; None keeps those."""

    machine_id: UUID | str | None = UNSET
    """The machine it waits for; `pool_ids` go before it here."""

    pool_ids: Sequence[UUID | str] | None = UNSET
    """Pools the machine must be in, all of them; they go before `machine_id` here."""

    reuse_session: bool | None = True
    """True: it stays in its session as long as that has not ended."""

    session_id: UUID | str | None = UNSET
    """Another session that it joins; None joins none."""

    start_session: bool | None = False
    """True: it starts a session of its own."""

    session_alias: str | None = UNSET
    """The name by which later runs of its session refer to its output; None keeps it."""

    release_session_after: bool | None = UNSET
    """True: its session ends with it; None keeps what the run had."""

    is_priority: bool | None = UNSET
    """True: it goes before waiting runs that are not; None keeps what the run had."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time the run may take from its start, in seconds; None keeps what the run had."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in the run; None keeps what the run had."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is the run's turn, in seconds; None keeps what the run had."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost the run, in US dollars of known prices; None: what it had."""

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
    """A status that ends the run: `cancelled` cancels it; None leaves it."""

    error: Sequence[str] | None = UNSET
    """Why the run did not succeed, in words."""

    output_data: Mapping[str, Any] | None = UNSET
    """The run's structured result."""

    output_attachment_ids: Sequence[str] | None = UNSET
    """Ids of the files that came out of the run, in place of those it had."""

    run_message_history: Sequence[Mapping[str, Any]] | None = UNSET
    """The run's messages, in place of those the server tells."""

    input_values: Mapping[str, Any] | None = UNSET
    """Values of `{x}` in the prompt, by name; only before the run begins."""

    usage_metadata: Mapping[str, Any] | None = UNSET
    """The run's counters of steps."""

    post_run_checks: Sequence[RunPostRunCheckSnapshot] | None = UNSET
    """The run's checks, in place of those it had."""

    started_at: datetime | str | None = UNSET
    """When the run began; a time without an offset is UTC."""

    ended_at: datetime | str | None = UNSET
    """When the run ended; a time without an offset is UTC."""

    release_session_after: bool | None = UNSET
    """True: its session ends with it, whatever its outcome."""

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
    """What is done, one after the other on one machine: 1 to 1000 steps."""

    is_priority: bool = False
    """True: its runs go before waiting runs that are not."""

    shared_inputs: Mapping[str, Any] | None = UNSET
    """Values of `{x}` for every step whose workflow uses the name; a step's own value wins."""

    shared_sensitive_inputs: Mapping[str, Any] | None = field(default=UNSET, repr=masked)
    """Secrets for `{$x}` in every step, by name; a step's own secret wins."""

    shared_file_inputs: Sequence[FileInput] | None = UNSET
    """Files that are put on the machine before the first step begins."""

    keep_session_after_completion: bool | None = False
    """True: the session goes on after the last step."""

    machine_id: UUID | str | None = UNSET
    """The machine the chain waits for, and no other; then `pool_ids` do not matter."""

    pool_ids: Sequence[UUID | str] | None = UNSET
    """Pools the machine must be in, all of them; None takes any machine."""

    session_id: UUID | str | None = UNSET
    """The session it joins, on that session's machine; None starts one."""

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
    """The session of the chain's runs."""

    run_ids: list[UUID]
    """Its runs, in the order of the steps."""

    _reads: ClassVar[Reads] = {"session_id": uuid, "run_ids": each(uuid)}


@define(on_setattr=given)
class PaginatedResponseRunLlmCostTotalResponse(Page[RunLlmCostTotalResponse]):
    """Answered by `GET /v1/usage/llm-costs`."""

    items: list[RunLlmCostTotalResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""

    _reads: ClassVar[Reads] = {"items": each(nested("RunLlmCostTotalResponse"))}


@define(on_setattr=given)
class PaginatedResponseWithIncludesRunResponse(Page[RunResponse]):
    """Answered by `GET /v1/runs`."""

    items: list[RunResponse]
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
        "items": each(nested("RunResponse")),
        "included": each(nested("IncludedResource")),
    }


@define(on_setattr=given)
class RunCompletedWebhookRunPayload(RunResponse):
    """A run as it was when it had ended.

    Part of other models.
    """

    workflow_id: UUID
    """The workflow that is carried out."""

    machine_id: UUID | None
    """The machine it was made for or got; None while that is open, or when the machine was deleted."""

    id: UUID
    """The run's id; a retry keeps it."""

    status: RunStatus
    """How far the run is, or how it ended."""

    created_at: datetime
    """When the run was made, in UTC."""

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    is_priority: bool = False
    """True: it goes before waiting runs that are not."""

    error: list[str] | None = UNSET
    """Why the run did not succeed, in words; None when nothing went wrong."""

    output_data: dict[str, Any] | None = UNSET
    """Its structured result; None when there is none."""

    input_attachment_ids: list[str] | None = UNSET
    """Ids of the files that go to the machine."""

    output_attachment_ids: list[str] | None = UNSET
    """Ids of the files that came from the machine."""

    run_message_history: list[dict[str, Any]] | None = UNSET
    """What the agent saw, thought and did, one message after the other."""

    input_values: dict[str, Any] | None = UNSET
    """Values of `{x}` as they were sent; those of machine and pools are not among them."""

    main_prompt: str | None = UNSET
    """The prompt of this run in place of the workflow's; None means the workflow's."""

    model_metadata: WorkflowModelMetadata | None = UNSET
    """The model of each role, where the run has its own."""

    pool_ids: list[UUID] | None = UNSET
    """Pools the machine must be in, all of them; None when none were named."""

    sensitive_input_aliases: dict[str, str] | None = UNSET
    """Name of each secret, and its alias; outlives the secret, which is never shown."""

    usage_metadata: dict[str, Any] | None = UNSET
    """Counters of agentic and cached steps, and `billing_outcome`; None before it ended."""

    post_run_checks: list[RunPostRunCheckSnapshot] | None = UNSET
    """The workflow's checks as they were when the run was made, with what came of each."""

    session_id: UUID | None = UNSET
    """The session it belongs to; None when it belongs to none."""

    session_alias: str | None = UNSET
    """The name by which later runs of its session refer to its output."""

    release_session_after: bool | None = UNSET
    """True: its session ends with it."""

    started_at: datetime | None = UNSET
    """When the run began, in UTC; None while it waits."""

    ended_at: datetime | None = UNSET
    """When the run ended, in UTC; None before that."""

    run_time_limit_seconds: int | None = UNSET
    """Longest time it may take from its start, in seconds; None means the workflow's."""

    max_turns: int | None = UNSET
    """Most questions to the model in it; None means the workflow's."""

    wait_time_limit_seconds: int | None = UNSET
    """Longest wait for a machine once it is the run's turn, in seconds; None means the workflow's."""

    cost_limit_usd: float | None = UNSET
    """Most that language models may cost the run, in US dollars of known prices; None: the workflow's."""

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
    """The run's id; a retry keeps it."""

    workflow_id: UUID
    """The workflow that is carried out."""

    status: RunStatus
    """How far the run is, or how it ended."""

    created_at: datetime
    """When the run was made, in UTC."""

    machine_id: UUID | None = UNSET
    """The machine it was made for or got; None while that is open, or when the machine was deleted."""

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    is_priority: bool = False
    """True: it goes before waiting runs that are not."""

    error: list[str] | None = UNSET
    """Why the run did not succeed, in words; None when nothing went wrong."""

    output_data: dict[str, Any] | None = UNSET
    """Its structured result; None when there is none."""

    input_attachment_ids: list[str] | None = UNSET
    """Ids of the files that go to the machine."""

    output_attachment_ids: list[str] | None = UNSET
    """Ids of the files that came from the machine."""

    run_message_history: list[dict[str, Any]] | None = UNSET
    """What the agent saw, thought and did, one message after the other."""

    input_values: dict[str, Any] | None = UNSET
    """Values of `{x}` as they were sent; those of machine and pools are not among them."""

    main_prompt: str | None = UNSET
    """The prompt of this run in place of the workflow's; None means the workflow's."""

    model_metadata: WorkflowModelMetadata | None = UNSET
    """The model of each role, where the run has its own."""

    pool_ids: list[UUID] | None = UNSET
    """Pools the machine must be in, all of them; None when none were named."""

    sensitive_input_aliases: dict[str, str] | None = UNSET
    """Name of each secret, and its alias; outlives the secret, which is never shown."""

    usage_metadata: dict[str, Any] | None = UNSET
    """Counters of agentic and cached steps, and `billing_outcome`; None before it ended."""

    post_run_checks: list[RunPostRunCheckSnapshot] | None = UNSET
    """The workflow's checks as they were when the run was made, with what came of each."""

    session_id: UUID | None = UNSET
    """The session it belongs to; None when it belongs to none."""

    session_alias: str | None = UNSET
    """The name by which later runs of its session refer to its output."""

    release_session_after: bool | None = UNSET
    """True: its session ends with it."""

    started_at: datetime | None = UNSET
    """When the run began, in UTC; None while it waits."""

    ended_at: datetime | None = UNSET
    """When the run ended, in UTC; None before that."""

    included: list[IncludedResource] | None = UNSET
    """What `include` asked for, each once; None when it asked for nothing."""

    run_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest time it may take from its start, in seconds; None means the workflow's."""

    max_turns: int | None = field(default=UNSET, kw_only=True)
    """Most questions to the model in it; None means the workflow's."""

    wait_time_limit_seconds: int | None = field(default=UNSET, kw_only=True)
    """Longest wait for a machine once it is the run's turn, in seconds; None means the workflow's."""

    cost_limit_usd: float | None = field(default=UNSET, kw_only=True)
    """Most that language models may cost the run, in US dollars of known prices; None: the workflow's."""

    waiting_reason: str | None = field(default=UNSET, kw_only=True)
    """Why it has not started, in one sentence; None when it does not wait, and in lists."""

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
