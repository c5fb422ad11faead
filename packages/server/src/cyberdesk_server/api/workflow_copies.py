"""`/v1/workflows/{workflow_id}/duplicate` and `/v1/workflows/{workflow_id}/merge`."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.schemas.workflows import (
    WorkflowDuplicateRequest,
    WorkflowMergeRequest,
    WorkflowResponse,
)
from cyberdesk_server.api.workflow_views import workflow_view
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import WorkflowId
from cyberdesk_server.usecases import trajectories, workflow_copies
from cyberdesk_server.usecases.attachments import delete_contents
from cyberdesk_server.usecases.contents import kept_if_named

api = router(prefix="/v1/workflows/{workflow_id}", tags=["workflows"])


@api.post("/duplicate", status_code=201, response_model=WorkflowResponse, openapi_extra=WRITES)
async def duplicate_workflow(
    request: Request,
    workflow_id: UUID,
    caller: Caller,
    parts: PartsOf,
    body: WorkflowDuplicateRequest | None = None,
) -> Response:
    """Make a new workflow of this one, with its checks and tags and images of its own.

    With `include_trajectories` the generated trajectories are copied as well.
    """
    now = parts.clock.now()
    async with workflow_copies.contents_of_a_copy(
        parts.database, parts.blobs, caller.organization_id, WorkflowId(workflow_id), now=now
    ) as copied:

        async def work(conn: AsyncConnection) -> Response:
            copy = await workflow_copies.duplicate(
                conn,
                caller.organization_id,
                WorkflowId(workflow_id),
                copied,
                include_trajectories=body is not None and body.include_trajectories,
                blobs=parts.blobs,
                now=now,
            )
            return JsonAnswer(await workflow_view(conn, copy), 201)

        return await write(request, work)


@api.post("/merge", response_model=WorkflowResponse, openapi_extra=WRITES)
async def merge_workflow(
    request: Request, workflow_id: UUID, body: WorkflowMergeRequest, caller: Caller, parts: PartsOf
) -> Response:
    """Make the target equal to this workflow in all but its name, and delete this one.

    What the target was goes to its history; checks and tags only the target had are gone. Refused while
    this workflow has unfinished runs.
    """
    orphans: tuple[str, ...] = ()
    async with kept_if_named(parts.database, parts.blobs, trajectories.named) as written:

        async def work(conn: AsyncConnection) -> Response:
            nonlocal orphans
            target, orphans = await workflow_copies.merge(
                conn,
                caller.organization_id,
                WorkflowId(workflow_id),
                WorkflowId(body.target_workflow_id),
                copy_trajectories=body.copy_trajectories,
                blobs=parts.blobs,
                written=written,
                now=parts.clock.now(),
            )
            return JsonAnswer(await workflow_view(conn, target))

        answer = await write(request, work)
    await delete_contents(parts.blobs, orphans)
    return answer
