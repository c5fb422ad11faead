"""`/v1/workflow-tag-groups`."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.schemas.tags import (
    ReorderRequest,
    WorkflowTagGroupCreate,
    WorkflowTagGroupResponse,
    WorkflowTagGroupUpdate,
)
from cyberdesk_server.api.views import sent
from cyberdesk_server.api.workflow_views import tag_group_view
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import TagGroupId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.store import tag_groups as store
from cyberdesk_server.usecases import tags

api = router(prefix="/v1/workflow-tag-groups", tags=["workflow_tag_groups"])


@api.post("", status_code=201, response_model=WorkflowTagGroupResponse, openapi_extra=WRITES)
async def create_tag_group(
    request: Request, body: WorkflowTagGroupCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Create a group. It stands behind all others until they are sorted."""

    async def work(conn: AsyncConnection) -> Response:
        group = await tags.create_group(
            conn, body.model_dump(), organization_id=caller.organization_id, now=parts.clock.now()
        )
        return JsonAnswer(tag_group_view(group), 201)

    return await write(request, work)


@api.get("", response_model=list[WorkflowTagGroupResponse])
async def list_tag_groups(caller: Caller, parts: PartsOf) -> Response:
    """All groups, in their order."""
    async with parts.database.read() as conn:
        found = await store.of_organization(conn, caller.organization_id)
    return JsonAnswer([tag_group_view(group) for group in found])


@api.put("/reorder", status_code=204, response_class=Response, openapi_extra=WRITES)
async def reorder_tag_groups(
    request: Request, body: ReorderRequest, caller: Caller, parts: PartsOf
) -> Response:
    """Sort the groups as listed; those that are not listed keep their places."""

    async def work(conn: AsyncConnection) -> Response:
        await tags.reorder_groups(conn, caller.organization_id, [TagGroupId(id_) for id_ in body.ids])
        return no_content()

    return await write(request, work)


@api.get("/{group_id}", response_model=WorkflowTagGroupResponse)
async def get_tag_group(group_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The group."""
    async with parts.database.read() as conn:
        group = await store.get(conn, caller.organization_id, TagGroupId(group_id))
    if group is None:
        raise Unknown(tags.GROUP, group_id)
    return JsonAnswer(tag_group_view(group))


@api.patch("/{group_id}", response_model=WorkflowTagGroupResponse, openapi_extra=WRITES)
async def update_tag_group(
    request: Request, group_id: UUID, body: WorkflowTagGroupUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the members that are sent; null clears one, except the name."""
    changes = sent(body.model_dump(exclude_unset=True), not_null=frozenset({"name"}))

    async def work(conn: AsyncConnection) -> Response:
        group = await tags.update_group(
            conn, caller.organization_id, TagGroupId(group_id), changes, now=parts.clock.now()
        )
        return JsonAnswer(tag_group_view(group))

    return await write(request, work)


@api.delete("/{group_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_tag_group(request: Request, group_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Remove the group; its tags stay, in no group."""

    async def work(conn: AsyncConnection) -> Response:
        await tags.delete_group(conn, caller.organization_id, TagGroupId(group_id))
        return no_content()

    return await write(request, work)
