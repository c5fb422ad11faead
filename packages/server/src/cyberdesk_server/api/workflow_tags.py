"""`/v1/workflow-tags`, and the tags of workflows."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.schemas.tags import (
    AddTagsRequest,
    BulkAddTagsRequest,
    ReorderRequest,
    WorkflowTagCreate,
    WorkflowTagResponse,
    WorkflowTagUpdate,
)
from cyberdesk_server.api.views import View, sent
from cyberdesk_server.api.workflow_views import tag_views
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import OrganizationId, TagGroupId, TagId, WorkflowId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.domain.tags import Tag
from cyberdesk_server.store import tags as store
from cyberdesk_server.store import workflows
from cyberdesk_server.usecases import tags

api = router(prefix="/v1/workflow-tags", tags=["workflow_tags"])
of_workflows = router(prefix="/v1/workflows", tags=["workflows"])

NEVER_NULL = frozenset({"name", "is_archived"})


@api.post("", status_code=201, response_model=WorkflowTagResponse, openapi_extra=WRITES)
async def create_tag(request: Request, body: WorkflowTagCreate, caller: Caller, parts: PartsOf) -> Response:
    """Create a tag. It stands behind all others until they are sorted."""

    async def work(conn: AsyncConnection) -> Response:
        tag = await tags.create(
            conn,
            body.model_dump(exclude={"group_id"}),
            group_id=None if body.group_id is None else TagGroupId(body.group_id),
            organization_id=caller.organization_id,
            now=parts.clock.now(),
        )
        return JsonAnswer(await _view(conn, tag), 201)

    return await write(request, work)


@api.get("", response_model=list[WorkflowTagResponse])
async def list_tags(caller: Caller, parts: PartsOf, include_archived: bool = False) -> Response:
    """All tags, in their order."""
    async with parts.database.read() as conn:
        found = await store.of_organization(conn, caller.organization_id, include_archived=include_archived)
        counts = await store.workflow_counts(conn, caller.organization_id)
    return JsonAnswer(tag_views(found, counts))


@api.put("/reorder", status_code=204, response_class=Response, openapi_extra=WRITES)
async def reorder_tags(request: Request, body: ReorderRequest, caller: Caller, parts: PartsOf) -> Response:
    """Sort the tags as listed; those that are not listed keep their places."""

    async def work(conn: AsyncConnection) -> Response:
        await tags.reorder(conn, caller.organization_id, [TagId(id_) for id_ in body.ids])
        return no_content()

    return await write(request, work)


@api.get("/{tag_id}", response_model=WorkflowTagResponse)
async def get_tag(tag_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The tag."""
    async with parts.database.read() as conn:
        tag = await store.get(conn, caller.organization_id, TagId(tag_id))
        if tag is None:
            raise Unknown(tags.TAG, tag_id)
        return JsonAnswer(await _view(conn, tag))


@api.patch("/{tag_id}", response_model=WorkflowTagResponse, openapi_extra=WRITES)
async def update_tag(
    request: Request, tag_id: UUID, body: WorkflowTagUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the members that are sent; null clears one, except the name. No `group_id` means no group.

    A tag does not move to a group while a workflow has it together with another tag of the group.
    """
    return await _change(
        request, tag_id, sent(body.model_dump(exclude_unset=True), not_null=NEVER_NULL), caller, parts
    )


@api.post("/{tag_id}/archive", response_model=WorkflowTagResponse, openapi_extra=WRITES)
async def archive_tag(request: Request, tag_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Leave the tag out of lists; it stays on its workflows."""
    return await _change(request, tag_id, {"is_archived": True}, caller, parts)


@api.post("/{tag_id}/unarchive", response_model=WorkflowTagResponse, openapi_extra=WRITES)
async def unarchive_tag(request: Request, tag_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """List the tag again."""
    return await _change(request, tag_id, {"is_archived": False}, caller, parts)


@api.delete("/{tag_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_tag(request: Request, tag_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Remove the tag, also from its workflows."""

    async def work(conn: AsyncConnection) -> Response:
        await tags.delete(conn, caller.organization_id, TagId(tag_id))
        return no_content()

    return await write(request, work)


@of_workflows.post("/bulk/tags", status_code=204, response_class=Response, openapi_extra=WRITES)
async def bulk_add_tags_to_workflows(
    request: Request, body: BulkAddTagsRequest, caller: Caller, parts: PartsOf
) -> Response:
    """Put all of these tags on each of these workflows: on all, or on none when an id is unknown.

    Each tag takes the place of another tag of its group; of several tags of one group the last one stays.
    """

    async def work(conn: AsyncConnection) -> Response:
        await tags.add_to_workflows(
            conn, caller.organization_id, list(map(WorkflowId, body.workflow_ids)), _tag_ids(body)
        )
        return no_content()

    return await write(request, work)


@of_workflows.post("/{workflow_id}/tags", response_model=list[WorkflowTagResponse], openapi_extra=WRITES)
async def add_tags_to_workflow(
    request: Request, workflow_id: UUID, body: AddTagsRequest, caller: Caller, parts: PartsOf
) -> Response:
    """Put these tags on the workflow; answers all it has now.

    Each tag takes the place of another tag of its group; of several tags of one group the last one stays.
    """

    async def work(conn: AsyncConnection) -> Response:
        await tags.add_to_workflows(conn, caller.organization_id, [WorkflowId(workflow_id)], _tag_ids(body))
        return JsonAnswer(await _views_of(conn, caller.organization_id, WorkflowId(workflow_id)))

    return await write(request, work)


@of_workflows.get("/{workflow_id}/tags", response_model=list[WorkflowTagResponse])
async def get_workflow_tags(workflow_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The tags of the workflow, archived ones too."""
    async with parts.database.read() as conn:
        if await workflows.get(conn, caller.organization_id, WorkflowId(workflow_id)) is None:
            raise Unknown("workflow", workflow_id)
        return JsonAnswer(await _views_of(conn, caller.organization_id, WorkflowId(workflow_id)))


@of_workflows.delete(
    "/{workflow_id}/tags/{tag_id}", status_code=204, response_class=Response, openapi_extra=WRITES
)
async def remove_tag_from_workflow(
    request: Request, workflow_id: UUID, tag_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """Take the tag off the workflow, which may not have had it."""

    async def work(conn: AsyncConnection) -> Response:
        await tags.remove_from_workflow(conn, caller.organization_id, WorkflowId(workflow_id), TagId(tag_id))
        return no_content()

    return await write(request, work)


async def _change(request: Request, tag_id: UUID, changes: View, caller: Caller, parts: PartsOf) -> Response:
    async def work(conn: AsyncConnection) -> Response:
        tag = await tags.update(conn, caller.organization_id, TagId(tag_id), changes, now=parts.clock.now())
        return JsonAnswer(await _view(conn, tag))

    return await write(request, work)


def _tag_ids(body: AddTagsRequest) -> list[TagId]:
    return list(map(TagId, body.tag_ids))


async def _view(conn: AsyncConnection, tag: Tag) -> View:
    (view,) = tag_views([tag], await store.workflow_counts(conn, tag.organization_id, [tag.id]))
    return view


async def _views_of(
    conn: AsyncConnection, organization_id: OrganizationId, workflow_id: WorkflowId
) -> list[View]:
    found = await store.of_workflow(conn, workflow_id)
    counts = await store.workflow_counts(conn, organization_id, [tag.id for tag in found])
    return tag_views(found, counts)
