"""Runs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.checks import RunPostRunCheckSnapshot
from cyberdesk_server.api.schemas.common import IncludedResource, JsonDict, Model, UtcTime
from cyberdesk_server.api.schemas.files import FileContent, FileName
from cyberdesk_server.api.schemas.limits import CostLimit, MaxTurns, RunTimeLimit, WaitTimeLimit
from cyberdesk_server.api.schemas.workflows import WorkflowModelMetadata
from cyberdesk_server.domain.attachments import TRANSFER_FOLDER
from cyberdesk_server.domain.runs import RunStatus


class FileInput(Model):
    filename: FileName
    """The file's name, 1 to 255 characters."""

    content: FileContent
    """The file as base64, at most 100 MB."""

    target_path: str | None = TRANSFER_FOLDER
    """Where it goes on the machine, a file or a folder; null is the transfer folder."""

    cleanup_imports_after_run: bool = False
    """True: it is removed from the machine when the run has ended, however it ended."""


class RunCreate(Model):
    workflow_id: UUID
    """The workflow that is carried out."""

    is_priority: bool = False
    """True: it goes before waiting runs that are not."""

    main_prompt: str | None = None
    """A prompt for this run in place of the workflow's; null takes the workflow's."""

    main_agent_model_id: UUID | None = None
    """Id of the model configuration that acts in this run; null takes the workflow's."""

    model_metadata: WorkflowModelMetadata | None = None
    """The model of each role in this run; a role that is null takes the workflow's."""

    machine_id: UUID | None = None
    """The machine it waits for, and no other; then `pool_ids` do not matter."""

    pool_ids: list[UUID] | None = None
    """Pools the machine must be in, all of them; null takes any machine."""

    input_values: JsonDict | None = None
    """Values of `{x}` in the prompt, by name."""

    file_inputs: list[FileInput] | None = Field(default=None, repr=False)
    """Files that are put on the machine before the run begins."""

    sensitive_input_values: JsonDict | None = Field(default=None, repr=False)
    """Secrets for `{$x}` in the prompt, by name; sealed, and gone when the run ends."""

    session_id: UUID | None = None
    """The session it joins, on that session's machine; null joins none."""

    start_session: bool | None = False
    """True: it starts a session, which reserves its machine for the runs that join."""

    session_alias: str | None = None
    """The name by which later runs of its session refer to its output."""

    release_session_after: bool | None = None
    """True: its session ends with it, whatever its outcome."""

    run_time_limit_seconds: RunTimeLimit = None
    """Longest time the run may take from its start, in seconds; null takes the workflow's."""

    max_turns: MaxTurns = None
    """Most questions to the model in the run; null takes the workflow's."""

    wait_time_limit_seconds: WaitTimeLimit = None
    """Longest wait for a machine once it is the run's turn, in seconds; null takes the workflow's."""

    cost_limit_usd: CostLimit = None
    """Most that language models may cost the run, in US dollars of known prices; null: the workflow's."""


class RunBulkCreate(Model):
    workflow_id: UUID
    """The workflow that is carried out."""

    count: Annotated[int, Field(ge=1, le=1000)]
    """How many runs are made, 1 to 1000."""

    is_priority: bool = False
    """True: they go before waiting runs that are not."""

    machine_id: UUID | None = None
    """The machine they wait for, and no other; then `pool_ids` do not matter."""

    pool_ids: list[UUID] | None = None
    """Pools the machine must be in, all of them; null takes any machine."""

    input_values: JsonDict | None = None
    """Values of `{x}` in the prompt, by name; the same for each run."""

    file_inputs: list[FileInput] | None = Field(default=None, repr=False)
    """Files that are put on the machine before each run begins."""

    sensitive_input_values: JsonDict | None = Field(default=None, repr=False)
    """Secrets for `{$x}` in the prompt, by name; sealed, and gone when the run ends."""

    session_id: UUID | None = None
    """The session they join, on that session's machine; null joins none."""

    start_session: bool | None = False
    """True: they start one session together and follow each other in it."""

    run_time_limit_seconds: RunTimeLimit = None
    """Longest time each run may take from its start, in seconds; null takes the workflow's."""

    max_turns: MaxTurns = None
    """Most questions to the model in each run; null takes the workflow's."""

    wait_time_limit_seconds: WaitTimeLimit = None
    """Longest wait for a machine once it is the run's turn, in seconds; null takes the workflow's."""

    cost_limit_usd: CostLimit = None
    """Most that language models may cost the run, in US dollars of known prices; null: the workflow's."""


class RunRetry(Model):
    input_values: JsonDict | None = None
    """New values of `{x}`, in place of all the run had; null keeps those."""

    sensitive_input_values: JsonDict | None = Field(default=None, repr=False)
    """All secrets of the new try; those of the last one are gone."""

    file_inputs: list[FileInput] | None = Field(default=None, repr=False)
    """New input files, in place of those the run had; null keeps those."""

    machine_id: UUID | None = None
    """The machine it waits for; `pool_ids` go before it here."""

    pool_ids: list[UUID] | None = None
    """Pools the machine must be in, all of them; they go before `machine_id` here."""

    reuse_session: bool | None = True
    """True: it stays in its session as long as that has not ended."""

    session_id: UUID | None = None
    """Another session that it joins; null joins none."""

    start_session: bool | None = False
    """True: it starts a session of its own."""

    session_alias: str | None = None
    """The name by which later runs of its session refer to its output; null keeps it."""

    release_session_after: bool | None = None
    """True: its session ends with it; null keeps what the run had."""

    is_priority: bool | None = None
    """True: it goes before waiting runs that are not; null keeps what the run had."""

    run_time_limit_seconds: RunTimeLimit = None
    """Longest time the run may take from its start, in seconds; null keeps what the run had."""

    max_turns: MaxTurns = None
    """Most questions to the model in the run; null keeps what the run had."""

    wait_time_limit_seconds: WaitTimeLimit = None
    """Longest wait for a machine once it is the run's turn, in seconds; null keeps what the run had."""

    cost_limit_usd: CostLimit = None
    """Most that language models may cost the run, in US dollars of known prices; null: what it had."""


class ChainStep(Model):
    workflow_id: UUID
    """The workflow that this step carries out."""

    session_alias: str | None = None
    """The name by which later steps refer to its output; unique in the session."""

    inputs: JsonDict | None = None
    """Values of `{x}`, by name; `{"$ref": "ALIAS.outputs.PATH"}` takes one from an earlier step."""

    sensitive_inputs: JsonDict | None = Field(default=None, repr=False)
    """Secrets for `{$x}`, by name; sealed, and gone when the step's run ends."""

    run_time_limit_seconds: RunTimeLimit = None
    """Longest time the step may take from its start, in seconds; null takes the workflow's."""

    max_turns: MaxTurns = None
    """Most questions to the model in the step; null takes the workflow's."""

    wait_time_limit_seconds: WaitTimeLimit = None
    """Longest wait for the machine once it is the step's turn, in seconds; null takes the workflow's."""

    cost_limit_usd: CostLimit = None
    """Most that language models may cost the run, in US dollars of known prices; null: the workflow's."""


class WorkflowChainCreate(Model):
    steps: Annotated[list[ChainStep], Field(min_length=1, max_length=1000)]
    """What is done, one after the other on one machine: 1 to 1000 steps."""

    is_priority: bool = False
    """True: its runs go before waiting runs that are not."""

    shared_inputs: JsonDict | None = None
    """Values of `{x}` for every step whose workflow uses the name; a step's own value wins."""

    shared_sensitive_inputs: JsonDict | None = Field(default=None, repr=False)
    """Secrets for `{$x}` in every step, by name; a step's own secret wins."""

    shared_file_inputs: list[FileInput] | None = Field(default=None, repr=False)
    """Files that are put on the machine before the first step begins."""

    keep_session_after_completion: bool | None = False
    """True: the session goes on after the last step."""

    machine_id: UUID | None = None
    """The machine the chain waits for, and no other; then `pool_ids` do not matter."""

    pool_ids: list[UUID] | None = None
    """Pools the machine must be in, all of them; null takes any machine."""

    session_id: UUID | None = None
    """The session it joins, on that session's machine; null starts one."""


class WorkflowChainResponse(Model):
    session_id: UUID
    """The session of the chain's runs."""

    run_ids: list[UUID]
    """Its runs, in the order of the steps."""


class RunUpdate(Model):
    status: RunStatus | None = None
    """A status that ends the run: `cancelled` cancels it; null leaves it."""

    error: list[str] | None = None
    """Why the run did not succeed, in words."""

    output_data: JsonDict | None = None
    """The run's structured result."""

    output_attachment_ids: list[str] | None = None
    """Ids of the files that came out of the run, in place of those it had."""

    run_message_history: list[JsonDict] | None = None
    """The run's messages, in place of those the server tells."""

    input_values: JsonDict | None = None
    """Values of `{x}` in the prompt, by name; only before the run begins."""

    usage_metadata: JsonDict | None = None
    """The run's counters of steps."""

    post_run_checks: list[RunPostRunCheckSnapshot] | None = None
    """The run's checks, in place of those it had."""

    started_at: UtcTime | None = None
    """When the run began; a time without an offset is UTC."""

    ended_at: UtcTime | None = None
    """When the run ended; a time without an offset is UTC."""

    release_session_after: bool | None = None
    """True: its session ends with it, whatever its outcome."""


class RunResponse(Model):
    workflow_id: UUID
    """The workflow that is carried out."""

    machine_id: UUID | None
    """The machine it was made for or got; null while that is open, or when the machine was deleted."""

    id: UUID
    """The run's id; a retry keeps it."""

    status: RunStatus
    """How far the run is, or how it ended."""

    created_at: datetime
    """When the run was made, in UTC."""

    user_id: UUID | None = None
    """Who made it; null when no person is known."""

    organization_id: str | None = None
    """The organization that owns it."""

    is_priority: bool = False
    """True: it goes before waiting runs that are not."""

    error: list[str] | None = None
    """Why the run did not succeed, in words; null when nothing went wrong."""

    output_data: JsonDict | None = None
    """Its structured result; null when there is none."""

    input_attachment_ids: list[str] | None = None
    """Ids of the files that go to the machine."""

    output_attachment_ids: list[str] | None = None
    """Ids of the files that came from the machine."""

    run_message_history: list[JsonDict] | None = None
    """What the agent saw, thought and did, one message after the other."""

    input_values: JsonDict | None = None
    """Values of `{x}` as they were sent; those of machine and pools are not among them."""

    main_prompt: str | None = None
    """The prompt of this run in place of the workflow's; null means the workflow's."""

    model_metadata: WorkflowModelMetadata | None = None
    """The model of each role, where the run has its own."""

    pool_ids: list[UUID] | None = None
    """Pools the machine must be in, all of them; null when none were named."""

    sensitive_input_aliases: dict[str, str] | None = None
    """Name of each secret, and its alias; outlives the secret, which is never shown."""

    usage_metadata: JsonDict | None = None
    """Counters of agentic and cached steps, and `billing_outcome`; null before it ended."""

    post_run_checks: list[RunPostRunCheckSnapshot] | None = None
    """The workflow's checks as they were when the run was made, with what came of each."""

    session_id: UUID | None = None
    """The session it belongs to; null when it belongs to none."""

    session_alias: str | None = None
    """The name by which later runs of its session refer to its output."""

    release_session_after: bool | None = None
    """True: its session ends with it."""

    started_at: datetime | None = None
    """When the run began, in UTC; null while it waits."""

    ended_at: datetime | None = None
    """When the run ended, in UTC; null before that."""

    run_time_limit_seconds: RunTimeLimit = None
    """Longest time it may take from its start, in seconds; null means the workflow's."""

    max_turns: MaxTurns = None
    """Most questions to the model in it; null means the workflow's."""

    wait_time_limit_seconds: WaitTimeLimit = None
    """Longest wait for a machine once it is the run's turn, in seconds; null means the workflow's."""

    cost_limit_usd: CostLimit = None
    """Most that language models may cost the run, in US dollars of known prices; null: the workflow's."""


class RunBulkCreateResponse(Model):
    created_runs: list[RunResponse]
    """The runs that were made."""

    failed_count: int = 0
    """How many runs could not be made."""

    errors: list[str] = Field(default_factory=list)
    """Why they could not be made, in words."""


class RunResponseWithIncludes(RunResponse):
    machine_id: UUID | None = None
    """The machine it was made for or got; null while that is open, or when the machine was deleted."""

    waiting_reason: str | None = None
    """Why it has not started, in one sentence; null when it does not wait, and in lists."""

    included: list[IncludedResource] | None = None
    """What `include` asked for, each once; null when it asked for nothing."""


class RunImageSignedUrlResponse(Model):
    supabase_url: str
    """The picture's address, as the run's history has it."""

    signed_url: str
    """A link that shows the picture to anybody while it is valid."""

    expires_in: int
    """How long the link is valid, in seconds."""
