"""`/v1/runs`: one run, or pages of them. Many at once, chains and retries: `api.run_batches`."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.run_requests import sent_files, wish_of
from cyberdesk_server.api.run_views import explained_run_view, new_run_views, related, run_view
from cyberdesk_server.api.schemas.common import (
    WRITES,
    Limit,
    PaginatedResponseWithIncludes,
    Skip,
    UtcTime,
    inclusion,
)
from cyberdesk_server.api.schemas.runs import (
    RunCreate,
    RunImageSignedUrlResponse,
    RunResponse,
    RunResponseWithIncludes,
    RunUpdate,
)
from cyberdesk_server.api.schemas.workflows import WorkflowModelMetadata
from cyberdesk_server.api.secrets import sealing
from cyberdesk_server.api.views import page
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import MachineId, RunId, WorkflowId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.limits import RunLimits
from cyberdesk_server.domain.runs import RunField, RunListOrder, RunStatus
from cyberdesk_server.store import run_records
from cyberdesk_server.store.run_records import Wanted
from cyberdesk_server.topics import MACHINES_FREE, RUNS_WAITING
from cyberdesk_server.usecases import runs
from cyberdesk_server.usecases.attachments import delete_contents, uploading
from cyberdesk_server.usecases.endings import tell_ended
from cyberdesk_server.usecases.orders import Order
from cyberdesk_server.usecases.run_views import ALL_FIELDS, run_views

api = router(prefix="/v1/runs", tags=["runs"])

Included = Annotated[Collection[str], Depends(inclusion("workflow", "machine", "machine.pools"))]

Page = PaginatedResponseWithIncludes[RunResponse]


@api.post("", status_code=201, response_model=RunResponse, openapi_extra=WRITES)
async def create_run(request: Request, body: RunCreate, caller: Caller, parts: PartsOf) -> Response:
    """Create a run; it starts as soon as a machine can take it."""
    order = Order(
        workflow_id=WorkflowId(body.workflow_id),
        input_values=body.input_values,
        sensitive_input_values=body.sensitive_input_values,
        is_priority=body.is_priority,
        main_prompt=body.main_prompt,
        model_metadata=_model_metadata(body),
        session_alias=body.session_alias,
        release_session_after=body.release_session_after,
        limits=RunLimits.of(body),
    )

    async def work(conn: AsyncConnection) -> Response:
        made = await runs.create(
            conn,
            order,
            wish_of(body),
            organization_id=caller.organization_id,
            allowed=parts.limits,
            vault=vault,
            now=parts.clock.now(),
            files=files,
        )
        [view] = await new_run_views(conn, made, have_files=bool(files))
        return JsonAnswer(view, 201)

    sent = sent_files(body.file_inputs)
    secrets = (body.sensitive_input_values or {}).values()
    async with (
        sealing(parts, caller, secrets) as vault,
        uploading(parts.database, parts.blobs, caller.organization_id, sent) as files,
    ):
        answer = await write(request, work)
    await parts.bus.publish(RUNS_WAITING)
    return answer


@api.get("", response_model=Page)
async def list_runs(
    caller: Caller,
    parts: PartsOf,
    include: Included,
    workflow_id: UUID | None = None,
    machine_id: UUID | None = None,
    session_id: UUID | None = None,
    status: RunStatus | None = None,
    created_at_from: UtcTime | None = None,
    created_at_to: UtcTime | None = None,
    sort_mode: RunListOrder = RunListOrder.ACTIVITY,
    search: str | None = None,
    deep_search: bool = False,
    fields: Annotated[list[RunField] | None, Query()] = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Runs, newest first. With `fields` each holds the base members and those; without, all."""
    wanted = Wanted(
        workflow_id=None if workflow_id is None else WorkflowId(workflow_id),
        machine_id=None if machine_id is None else MachineId(machine_id),
        session_id=session_id,
        status=status,
        created_from=created_at_from,
        created_to=created_at_to,
        search=search or None,
        is_deep_search=deep_search,
    )
    asked = ALL_FIELDS if fields is None else frozenset(fields)
    async with parts.database.read() as conn:
        records, total = await run_records.find(
            conn,
            caller.organization_id,
            wanted,
            order=sort_mode,
            members=[field.value for field in asked],
            skip=skip,
            limit=limit,
        )
        views = await run_views(conn, records, asked)
        answer = page(views, total, skip=skip, limit=limit)
        answer["included"] = await related(conn, caller.organization_id, views, include) if include else None
    return JsonAnswer(answer)


@api.get("/{run_id}", response_model=RunResponseWithIncludes)
async def get_run(run_id: UUID, caller: Caller, parts: PartsOf, include: Included) -> Response:
    """The run with its history."""
    async with parts.database.read() as conn:
        view = await explained_run_view(conn, caller.organization_id, RunId(run_id))
        view["included"] = await related(conn, caller.organization_id, [view], include) if include else None
    return JsonAnswer(view)


@api.patch("/{run_id}", response_model=RunResponse, openapi_extra=WRITES)
async def update_run(
    request: Request, run_id: UUID, body: RunUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change a run that has not ended. A terminal status ends it: `cancelled` cancels."""
    changes = body.model_dump(exclude_unset=True, exclude={"status"})
    if body.post_run_checks is not None:
        changes["post_run_checks"] = [check.model_dump(mode="json") for check in body.post_run_checks]
    others: tuple[RunId, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal others
        others = await runs.update(
            conn,
            caller.organization_id,
            RunId(run_id),
            status=body.status,
            changes=changes,
            now=parts.clock.now(),
        )
        return JsonAnswer(await run_view(conn, caller.organization_id, RunId(run_id)))

    answer = await write(request, work)
    await tell_ended(parts.bus, (RunId(run_id), *others))
    await parts.bus.publish(MACHINES_FREE)
    return answer


@api.delete("/{run_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_run(request: Request, run_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Remove a run that has ended, with its history and files."""
    orphans: tuple[str, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal orphans
        orphans = await runs.delete(conn, caller.organization_id, RunId(run_id), now=parts.clock.now())
        return no_content()

    answer = await write(request, work)
    await delete_contents(parts.blobs, orphans)
    return answer


@api.get("/{run_id}/image/signed-url", response_model=RunImageSignedUrlResponse)
async def get_run_image_signed_url(
    run_id: UUID,
    image_url: str,
    caller: Caller,
    parts: PartsOf,
    expires_in: Annotated[int, Query(ge=10, le=3600)] = 3600,
) -> Response:
    """A link to a picture in the run's history that anybody can open for `expires_in` seconds."""
    async with parts.database.read() as conn:
        key = await runs.image_blob_key(conn, caller.organization_id, RunId(run_id), image_url)
    signed_url = parts.blobs.signed_url(key, expires_in_seconds=expires_in)
    return JsonAnswer({"supabase_url": image_url, "signed_url": signed_url, "expires_in": expires_in})


def _model_metadata(body: RunCreate) -> JsonObject | None:
    metadata = body.model_metadata
    if body.main_agent_model_id is not None:
        metadata = (metadata or WorkflowModelMetadata()).model_copy(
            update={"main_agent_model_id": body.main_agent_model_id}
        )
    return None if metadata is None else metadata.model_dump(mode="json")
