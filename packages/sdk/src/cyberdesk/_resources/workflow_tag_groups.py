"""`client.workflow_tag_groups`: groups of which a workflow has one tag at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from cyberdesk import models
from cyberdesk._answers import many, one, silent
from cyberdesk._arguments import Id, clearable, given, path_segment, texts
from cyberdesk._flow import Flow
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking

Groups: TypeAlias = "list[models.WorkflowTagGroupResponse]"


class WorkflowTagGroupsAPI(Resource):
    """Tag groups: a workflow carries one tag of a group at most."""

    @asynchronous
    def list(self) -> Flow[Groups]:
        """All tag groups, in their order (`GET /v1/workflow-tag-groups`)."""
        promise = many(models.WorkflowTagGroupResponse)
        return (yield from self._ask("GET", "/v1/workflow-tag-groups", promise))

    list_sync = blocking(list)

    @asynchronous
    def create(
        self, name: str, description: str | None = None, emoji: str | None = None, color: str | None = None
    ) -> Flow[models.WorkflowTagGroupResponse]:
        """A new tag group (`POST /v1/workflow-tag-groups`)."""
        body = models.WorkflowTagGroupCreate(
            name=name, description=given(description), emoji=given(emoji), color=given(color)
        )
        promise = one(models.WorkflowTagGroupResponse, 201)
        return (yield from self._ask("POST", "/v1/workflow-tag-groups", promise, body=body))

    create_sync = blocking(create)

    @asynchronous
    def get(self, group_id: Id) -> Flow[models.WorkflowTagGroupResponse]:
        """The tag group with this id (`GET /v1/workflow-tag-groups/{group_id}`)."""
        return (yield from self._ask("GET", _path(group_id), one(models.WorkflowTagGroupResponse)))

    get_sync = blocking(get)

    @asynchronous
    def update(
        self,
        group_id: Id,
        *,
        name: str | None = None,
        description: str | None = None,
        emoji: str | None = None,
        color: str | None = None,
    ) -> Flow[models.WorkflowTagGroupResponse]:
        """The tag group after the change (`PATCH /v1/workflow-tag-groups/{group_id}`).

        None keeps a field, an empty text clears it.
        """
        body = models.WorkflowTagGroupUpdate(
            name=given(name),
            description=clearable(description),
            emoji=clearable(emoji),
            color=clearable(color),
        )
        promise = one(models.WorkflowTagGroupResponse)
        return (yield from self._ask("PATCH", _path(group_id), promise, body=body))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, group_id: Id) -> Flow[None]:
        """Nothing, once the group is gone; its tags stay (`DELETE /v1/workflow-tag-groups/{group_id}`)."""
        return (yield from self._ask("DELETE", _path(group_id), silent()))

    delete_sync = blocking(delete)

    @asynchronous
    def reorder(self, group_ids: Sequence[Id]) -> Flow[None]:
        """Nothing, once the groups stand in this order (`PUT /v1/workflow-tag-groups/reorder`)."""
        body = models.ReorderRequest(ids=texts(group_ids))
        return (yield from self._ask("PUT", "/v1/workflow-tag-groups/reorder", silent(), body=body))

    reorder_sync = blocking(reorder)


def _path(group_id: Id) -> str:
    return f"/v1/workflow-tag-groups/{path_segment('group_id', group_id)}"
