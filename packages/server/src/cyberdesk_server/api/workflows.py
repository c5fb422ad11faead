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
from cyberdesk_server.api.schemas.checks import WorkflowPostRunCheckUpsert
from cyberdesk_server.api.schemas.common import (
    WRITES,
    JsonDict,
    Limit,
    PaginatedResponseWithIncludes,
    Skip,
    UtcTime,
    inclusion,
)
from cyberdesk_server.api.schemas.tags import MOST_IDS
from cyberdesk_server.api.schemas.workflows import (
    WorkflowCreate,
    WorkflowResponse,
    WorkflowResponseWithIncludes,
    WorkflowUpdate,
)
from cyberdesk_server.api.views import page, sent
from cyberdesk_server.api.workflow_views import INCLUDABLE, related, workflow_view, workflow_views
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import OrganizationId, PostRunCheckId, TagId, WorkflowId
from cyberdesk_server.domain.post_run_checks import CheckSpec, WrittenCheck
from cyberdesk_server.domain.refusals import Unknown, invalid
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import workflows as store
from cyberdesk_server.usecases import workflows
from cyberdesk_server.usecases.attachments import delete_contents

api = router(prefix="/v1/workflows", tags=["workflows"])

IncludedInOne = Annotated[Collection[str], Depends(inclusion(*INCLUDABLE, default=INCLUDABLE))]


async def _included_in_list(
    names: Annotated[Collection[str], Depends(inclusion(*INCLUDABLE))],
    include: str | None = None,
    include_tags: bool = False,
) -> Collection[str]:
    """`include_tags` is how older clients write `include=tags`; `include` wins."""
    return {"tags"} if include is None and include_tags else names


IncludedInList = Annotated[Collection[str], Depends(_included_in_list)]

Page = PaginatedResponseWithIncludes[WorkflowResponse]

NEVER_NULL = frozenset({"main_prompt", "includes_file_exports", "is_webhooks_enabled"})


async def _tag_ids(request: Request, tag_ids: str | None = None) -> Collection[TagId]:
    """Ids separated by commas, in one parameter, as the contract describes it, or in several."""
    texts = ",".join(request.query_params.getlist("tag_ids")).split(",") if tag_ids is not None else ()
    try:
        found = {TagId(UUID(text.strip())) for text in texts if text.strip()}
    except ValueError:
        raise invalid(("query", "tag_ids"), "must be ids separated by commas", "uuid_parsing") from None
    if len(found) > MOST_IDS:
        raise invalid(("query", "tag_ids"), f"names more than {MOST_IDS} tags", "too_long")
    return found


TagIds = Annotated[Collection[TagId], Depends(_tag_ids)]


@api.post("", status_code=201, response_model=WorkflowResponse, openapi_extra=WRITES)
async def create_workflow(request: Request, body: WorkflowCreate, caller: Caller, parts: PartsOf) -> Response:
    """Create a workflow. It may get its prompt later."""

    async def work(conn: AsyncConnection) -> Response:
        workflow = await workflows.create(
            conn,
            _fields(body),
            checks=_checks(body),
            organization_id=caller.organization_id,
            allowed=parts.limits,
            now=parts.clock.now(),
        )
        return JsonAnswer(await workflow_view(conn, workflow), 201)

    return await write(request, work)


@api.get("", response_model=Page)
async def list_workflows(
    caller: Caller,
    parts: PartsOf,
    include: IncludedInList,
    tag_ids: TagIds,
    search: str | None = None,
    created_at_from: UtcTime | None = None,
    created_at_to: UtcTime | None = None,
    updated_at_from: UtcTime | None = None,
    updated_at_to: UtcTime | None = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Workflows, last updated first. They must have all the tags of `tag_ids`."""
    async with parts.database.read() as conn:
        found, total = await store.find(
            conn,
            caller.organization_id,
            search=search or None,
            created_from=created_at_from,
            created_to=created_at_to,
            updated_from=updated_at_from,
            updated_to=updated_at_to,
            tag_ids=tag_ids,
            skip=skip,
            limit=limit,
        )
        items = await workflow_views(conn, found)
    included = related(items, include) if include else None
    return JsonAnswer({**page(items, total, skip=skip, limit=limit), "included": included})


@api.get("/{workflow_id}", response_model=WorkflowResponseWithIncludes)
async def get_workflow(workflow_id: UUID, caller: Caller, parts: PartsOf, include: IncludedInOne) -> Response:
    """The workflow with its earlier versions. Without `include` its tags and checks are included."""
    async with parts.database.read() as conn:
        view = await workflow_view(conn, await _get(conn, caller.organization_id, WorkflowId(workflow_id)))
    return JsonAnswer({**view, "included": related([view], include) if include else None})


@api.get("/{workflow_id}/versions", response_model=list[JsonDict])
async def get_workflow_versions(workflow_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """What the workflow was before each change, oldest first."""
    async with parts.database.read() as conn:
        workflow = await _get(conn, caller.organization_id, WorkflowId(workflow_id))
        versions = await store.versions(conn, [workflow.id])
    return JsonAnswer(versions.get(workflow.id, ()))


@api.patch("/{workflow_id}", response_model=WorkflowResponse, openapi_extra=WRITES)
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
            checks=_checks(body),
            allowed=parts.limits,
            now=parts.clock.now(),
        )
        return JsonAnswer(await workflow_view(conn, workflow))

    return await write(request, work)


@api.delete("/{workflow_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_workflow(request: Request, workflow_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Remove a workflow without unfinished runs, and its trajectories; its ended runs stay."""
    orphans: tuple[str, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal orphans
        orphans = await workflows.delete(
            conn, caller.organization_id, WorkflowId(workflow_id), now=parts.clock.now()
        )
        return no_content()

    answer = await write(request, work)
    await delete_contents(parts.blobs, orphans)
    return answer


async def _get(conn: AsyncConnection, organization_id: OrganizationId, workflow_id: WorkflowId) -> Workflow:
    workflow = await store.get(conn, organization_id, workflow_id)
    if workflow is None:
        raise Unknown("workflow", workflow_id)
    return workflow


def _fields(body: WorkflowCreate | WorkflowUpdate) -> dict[str, Any]:
    fields = body.model_dump(mode="json", exclude_unset=True, exclude={"post_run_checks"})
    if isinstance(body, WorkflowCreate):
        fields["main_prompt"] = body.main_prompt
    allowlist = fields.get("terminal_command_allowlist")
    return fields if allowlist is None else {**fields, "terminal_command_allowlist": tuple(allowlist)}


def _checks(body: WorkflowCreate | WorkflowUpdate) -> list[WrittenCheck] | None:
    if body.post_run_checks is None:
        return None
    return [_check(written) for written in body.post_run_checks]


def _check(written: WorkflowPostRunCheckUpsert) -> WrittenCheck:
    spec = written.model_dump(exclude={"id"})
    names = spec["file_names"]
    return WrittenCheck(
        CheckSpec(**{**spec, "file_names": None if names is None else tuple(names)}),
        None if written.id is None else PostRunCheckId(written.id),
    )
