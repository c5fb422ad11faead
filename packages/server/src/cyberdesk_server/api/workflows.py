"""`/v1/workflows`."""

from collections.abc import Collection
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import (
    WRITES,
    JsonDict,
    Limit,
    PaginatedResponseWithIncludes,
    Skip,
    UtcTime,
    inclusion,
)
from cyberdesk_server.api.schemas.workflows import (
    WorkflowCreate,
    WorkflowResponse,
    WorkflowResponseWithIncludes,
    WorkflowUpdate,
)
from cyberdesk_server.api.views import page, sent, workflow_view
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import OrganizationId, WorkflowId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.refusals import Unknown, invalid
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import workflows as store
from cyberdesk_server.usecases import workflows

api = router(prefix="/v1/workflows", tags=["workflows"])

Included = Annotated[Collection[str], Depends(inclusion("tags", "post_run_checks"))]

Page = PaginatedResponseWithIncludes[WorkflowResponse]

NEVER_NULL = frozenset({"main_prompt", "includes_file_exports", "is_webhooks_enabled"})


@api.post("", status_code=201, response_model=WorkflowResponse, dependencies=WRITES)
async def create_workflow(request: Request, body: WorkflowCreate, caller: Caller, parts: PartsOf) -> Response:
    """Create a workflow. It may get its prompt later."""

    async def work(conn: AsyncConnection) -> Response:
        workflow = await workflows.create(
            conn, _fields(body), organization_id=caller.organization_id, now=parts.clock.now()
        )
        return JsonAnswer(workflow_view(workflow), 201)

    return await write(request, work)


@api.get("", response_model=Page)
async def list_workflows(
    caller: Caller,
    parts: PartsOf,
    include: Included,
    search: str | None = None,
    created_at_from: UtcTime | None = None,
    created_at_to: UtcTime | None = None,
    updated_at_from: UtcTime | None = None,
    updated_at_to: UtcTime | None = None,
    tag_ids: str | None = None,
    include_tags: bool = False,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Workflows, last updated first. `tag_ids` are ids separated by commas, all of which they must have."""
    async with parts.database.read() as conn:
        found, total = await store.find(
            conn,
            caller.organization_id,
            search=search or None,
            created_from=created_at_from,
            created_to=created_at_to,
            updated_from=updated_at_from,
            updated_to=updated_at_to,
            # No workflow has a tag, so none has these.
            ids=() if _ids(tag_ids) else None,
            skip=skip,
            limit=limit,
        )
        versions = await store.versions(conn, [workflow.id for workflow in found])
    items = [workflow_view(workflow, versions.get(workflow.id, ())) for workflow in found]
    return JsonAnswer({**page(items, total, skip=skip, limit=limit), "included": [] if include else None})


@api.get("/{workflow_id}", response_model=WorkflowResponseWithIncludes)
async def get_workflow(workflow_id: UUID, caller: Caller, parts: PartsOf, include: Included) -> Response:
    """The workflow with its earlier versions."""
    async with parts.database.read() as conn:
        workflow, old_versions = await _get(conn, caller.organization_id, WorkflowId(workflow_id))
    return JsonAnswer({**workflow_view(workflow, old_versions), "included": [] if include else None})


@api.get("/{workflow_id}/versions", response_model=list[JsonDict])
async def get_workflow_versions(workflow_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """What the workflow was before each change, oldest first."""
    async with parts.database.read() as conn:
        _, old_versions = await _get(conn, caller.organization_id, WorkflowId(workflow_id))
    return JsonAnswer(old_versions)


@api.patch("/{workflow_id}", response_model=WorkflowResponse, dependencies=WRITES)
async def update_workflow(
    request: Request, workflow_id: UUID, body: WorkflowUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the fields that are sent; the state before goes to the history."""

    async def work(conn: AsyncConnection) -> Response:
        workflow = await workflows.update(
            conn,
            caller.organization_id,
            WorkflowId(workflow_id),
            sent(_fields(body), not_null=NEVER_NULL),
            now=parts.clock.now(),
        )
        old_versions = await store.versions(conn, [workflow.id])
        return JsonAnswer(workflow_view(workflow, old_versions.get(workflow.id, ())))

    return await write(request, work)


@api.delete("/{workflow_id}", status_code=204, response_class=Response, dependencies=WRITES)
async def delete_workflow(request: Request, workflow_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Remove a workflow without unfinished runs; its ended runs stay."""

    async def work(conn: AsyncConnection) -> Response:
        await workflows.delete(conn, caller.organization_id, WorkflowId(workflow_id), now=parts.clock.now())
        return no_content()

    return await write(request, work)


async def _get(
    conn: AsyncConnection, organization_id: OrganizationId, workflow_id: WorkflowId
) -> tuple[Workflow, tuple[JsonObject, ...]]:
    workflow = await store.get(conn, organization_id, workflow_id)
    if workflow is None:
        raise Unknown("workflow", workflow_id)
    return workflow, (await store.versions(conn, [workflow_id])).get(workflow_id, ())


def _fields(body: WorkflowCreate | WorkflowUpdate) -> dict[str, Any]:
    if body.post_run_checks:
        raise invalid(("body", "post_run_checks"), "this server has no post-run checks")
    fields = body.model_dump(mode="json", exclude_unset=True, exclude={"post_run_checks"})
    if isinstance(body, WorkflowCreate):
        fields["main_prompt"] = body.main_prompt
    allowlist = fields.get("terminal_command_allowlist")
    return fields if allowlist is None else {**fields, "terminal_command_allowlist": tuple(allowlist)}


def _ids(text: str | None) -> tuple[UUID, ...]:
    try:
        return tuple(UUID(part.strip()) for part in (text or "").split(",") if part.strip())
    except ValueError:
        raise invalid(("query", "tag_ids"), "must be ids separated by commas", "uuid_parsing") from None
