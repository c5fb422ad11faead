"""Never run: `test_typing.py` lets mypy read it. Each `assert_type` is a promise to callers."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import httpx
from typing_extensions import assert_type

import cyberdesk
from cyberdesk import (
    ApiResponse,
    Attempt,
    AttemptResult,
    ChatMessage,
    CyberdeskClient,
    FileInput,
    HTTPValidationError,
    MachineStatus,
    NotFound,
    RunCreate,
    RunResponse,
    RunStatus,
    RunUpdate,
    TrajectoryCreate,
    ValidationFailed,
    WorkflowCreate,
)
from cyberdesk.client import (
    PoolCreate,
    PoolResponse,
    RunResponseWithIncludes,
    RunsAPI,
    WorkflowChainCreate,
)
from cyberdesk.models import (
    AuditLogEntryResponse,
    Model,
    MousePosition,
    PaginatedResponseWithIncludesRunResponse,
    RequestLogResponse,
    RunLlmCostTotalResponse,
)
from cyberdesk.webhooks import read
from openapi_client.cyberdesk_cloud_client.errors import UnexpectedStatus
from openapi_client.cyberdesk_cloud_client.models.run_completed_event import RunCompletedEvent
from openapi_client.cyberdesk_cloud_client.models.run_response import RunResponse as SameRunResponse

client = CyberdeskClient("key", timeout=5)


def blocking_calls(run_id: UUID) -> None:
    assert_type(client.runs, RunsAPI)
    assert_type(client.runs.create_sync(RunCreate(workflow_id="w")), ApiResponse[RunResponse])
    assert_type(client.runs.get_sync(run_id, include=["machine"]), ApiResponse[RunResponseWithIncludes])
    assert_type(client.runs.delete_sync("id"), ApiResponse[dict[str, bool]])
    assert_type(client.machines.get_pools_sync("id"), ApiResponse[list[PoolResponse]])
    assert_type(client.workflow_tags.delete_sync("id"), ApiResponse[None])
    assert_type(client.run_attachments.download_sync("id"), ApiResponse[bytes])
    assert_type(client.run_attachments.save_to_file_sync("id", "there/"), ApiResponse[dict[str, Any]])
    assert_type(client.runs.list_sync(limit=3), ApiResponse[PaginatedResponseWithIncludesRunResponse])


async def async_calls(run_id: UUID) -> None:
    assert_type(await client.runs.create(RunCreate(workflow_id="w")), ApiResponse[RunResponse])
    assert_type(await client.runs.get(run_id, include=["machine"]), ApiResponse[RunResponseWithIncludes])
    assert_type(await client.runs.delete("id"), ApiResponse[dict[str, bool]])
    assert_type(await client.machines.get_pools("id"), ApiResponse[list[PoolResponse]])
    assert_type(await client.workflow_tags.delete("id"), ApiResponse[None])
    assert_type(await client.run_attachments.download("id"), ApiResponse[bytes])
    async with CyberdeskClient("key") as other:
        assert_type(other, CyberdeskClient)


def those_who_prefer_exceptions(run_id: UUID) -> None:
    response = client.runs.get_sync(run_id)
    assert_type(response.unwrap(), RunResponseWithIncludes)
    assert_type(client.machines.get_pools_sync("id").unwrap(), list[PoolResponse])
    assert_type(response.status, int | None)
    assert_type(response.request_id, str | None)
    assert_type(response.content, bytes)
    try:
        client.run_attachments.download_sync("id").unwrap()
    except ValidationFailed as refusal:
        assert_type(refusal.details, HTTPValidationError)
    except NotFound as error:
        assert_type(error.status_code, int)


def the_loop_of_the_quick_start() -> RunResponse | None:
    response = client.runs.create_sync(RunCreate(workflow_id="w", pool_ids=["a"], input_values={"a": 1}))
    run = response.data
    while run and run.status in ["scheduling", "running"]:
        response = client.runs.get_sync(run.id)
        run = response.data
    if run and run.status == "success":
        assert_type(run.output_data, dict[str, Any] | None)
    if response.error:
        raise response.error
    return run


def pages_and_fields() -> None:
    page = client.runs.list_sync(status=RunStatus.COMPLETED).data
    assert page
    for run in page:
        assert_type(run, RunResponse)
        assert_type(run.id, UUID)
        assert_type(run.created_at, dt.datetime)
        assert_type(run.ended_at, dt.datetime | None)
        assert_type(run.error, list[str] | None)
    assert_type(MachineStatus.ACTIVE.lower(), str)


def clients_are_made_in_many_ways() -> None:
    def hear(result: AttemptResult) -> None:
        assert_type(result.attempt, Attempt)
        assert_type(result.status, int | None)

    async def hear_async(attempt: Attempt) -> None:
        print(attempt.path)

    own = CyberdeskClient(
        http_client=httpx.Client(), async_http_client=None, on_request=hear_async, on_response=hear
    )
    assert_type(own.with_options(timeout=5, max_retries=0, headers={"a": "b"}), CyberdeskClient)
    assert_type(own.with_options(idempotency_key="k").runs.delete_sync("id"), ApiResponse[dict[str, bool]])
    CyberdeskClient(http_client=httpx.AsyncClient())  # type: ignore[arg-type]
    CyberdeskClient(on_response=hear_async)  # type: ignore[arg-type]
    own.with_options(retries=0)  # type: ignore[call-arg]


def machines_by_hand() -> None:
    assert_type(client.computer.screenshot_sync("id").unwrap(), bytes)
    assert_type(client.computer.mouse_position_sync("id").unwrap(), MousePosition)
    assert_type(client.computer.powershell_exec_sync("id", "ls"), ApiResponse[dict[str, Any]])
    client.computer.mouse_scroll_sync("id", "sideways", 3)  # type: ignore[arg-type]


def iterators() -> None:
    assert_type(client.runs.iterate_sync(status=RunStatus.ERROR), Iterator[RunResponse])
    assert_type(client.runs.iterate(limit=10), AsyncIterator[RunResponse])
    assert_type(client.request_logs.iterate_sync(), Iterator[RequestLogResponse])
    assert_type(client.audit_log.iterate(), AsyncIterator[AuditLogEntryResponse])
    assert_type(client.usage.iterate_llm_costs(), AsyncIterator[RunLlmCostTotalResponse])
    for machine in client.machines.iterate_sync():
        assert_type(machine.id, UUID)
    client.runs.iterate_sync(limit="3")  # type: ignore[arg-type]


async def listeners_may_be_async() -> None:
    async def listen(run: RunResponse) -> None:
        print(run.status)

    ended = await client.runs.create_and_wait(RunCreate(workflow_id="w"), on_update=listen)
    assert_type(ended.unwrap(), RunResponseWithIncludes)


def models_are_built_as_the_guides_do() -> list[Model]:
    ids = ["a", "b"]
    return [
        RunCreate(
            workflow_id="w",
            pool_ids=ids,
            file_inputs=[FileInput(filename="a", content="b"), FileInput.from_path("c", "~/")],
        ),
        RunUpdate(status=RunStatus.CANCELLED, error=None),
        TrajectoryCreate(workflow_id="w", steps=[{"action": "click", "x": 1}]),
        WorkflowCreate(name="a", description="b"),
        PoolCreate("a", description=cyberdesk.UNSET),
        WorkflowChainCreate.from_dict({"steps": []}),
    ]


def mistakes_are_seen() -> None:
    client.runs.get_sync()  # type: ignore[call-arg]
    client.runs.get_sync("id", includes=["a"])  # type: ignore[call-arg]
    client.runs.create_sync({"workflow_id": "w"})  # type: ignore[arg-type]
    client.runs.list_sync(limit="3")  # type: ignore[arg-type]
    RunCreate()  # type: ignore[call-arg]
    RunCreate(workflow_id=7)  # type: ignore[arg-type]
    cyberdesk.NoSuchModel  # type: ignore[attr-defined]  # noqa: B018


def events(body: bytes) -> str:
    event = read(body, {}, "whsec_")
    if isinstance(event, RunCompletedEvent):
        run: SameRunResponse = event.run
        assert_type(run.id, UUID)
        assert_type(event.run.output_data, dict[str, Any] | None)
    return str(UnexpectedStatus(404, b"").status_code)


def history(run: RunResponse) -> list[str | None]:
    messages = [ChatMessage.from_dict(one) for one in run.run_message_history or []]
    return [block.text for message in messages for block in message.content]
