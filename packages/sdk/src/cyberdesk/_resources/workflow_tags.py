"""`client.workflow_tags`: labels on workflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from cyberdesk import models
from cyberdesk._answers import many, one, silent
from cyberdesk._arguments import Id, clearable, given, path_segment, query, texts
from cyberdesk._flow import Flow
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking

Tags: TypeAlias = "list[models.WorkflowTagResponse]"


class WorkflowTagsAPI(Resource):
    """Tags: of the tags of one group, a workflow carries one at most."""

    @asynchronous
    def list(self, include_archived: bool = False) -> Flow[Tags]:
        """All tags with the number of their workflows (`GET /v1/workflow-tags`)."""
        asked = query(include_archived=include_archived)
        return (
            yield from self._ask("GET", "/v1/workflow-tags", many(models.WorkflowTagResponse), query=asked)
        )

    list_sync = blocking(list)

    @asynchronous
    def create(
        self,
        name: str,
        description: str | None = None,
        emoji: str | None = None,
        color: str | None = None,
        group_id: Id | None = None,
    ) -> Flow[models.WorkflowTagResponse]:
        """A new tag, in a group if wanted (`POST /v1/workflow-tags`)."""
        body = models.WorkflowTagCreate(
            name=name,
            description=given(description),
            emoji=given(emoji),
            color=given(color),
            group_id=given(group_id or None),
        )
        promise = one(models.WorkflowTagResponse, 201)
        return (yield from self._ask("POST", "/v1/workflow-tags", promise, body=body))

    create_sync = blocking(create)

    @asynchronous
    def get(self, tag_id: Id) -> Flow[models.WorkflowTagResponse]:
        """The tag with this id (`GET /v1/workflow-tags/{tag_id}`)."""
        return (yield from self._ask("GET", _path(tag_id), one(models.WorkflowTagResponse)))

    get_sync = blocking(get)

    @asynchronous
    def update(
        self,
        tag_id: Id,
        *,
        name: str | None = None,
        description: str | None = None,
        emoji: str | None = None,
        color: str | None = None,
        group_id: Id | None = None,
    ) -> Flow[models.WorkflowTagResponse]:
        """The tag after the change (`PATCH /v1/workflow-tags/{tag_id}`).

        None keeps a field, an empty text clears it; `group_id=""` takes the tag out of its group.
        """
        body = models.WorkflowTagUpdate(
            name=given(name),
            description=clearable(description),
            emoji=clearable(emoji),
            color=clearable(color),
            group_id=clearable(group_id),
        )
        return (yield from self._ask("PATCH", _path(tag_id), one(models.WorkflowTagResponse), body=body))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, tag_id: Id) -> Flow[None]:
        """Nothing, once the tag is gone from everywhere (`DELETE /v1/workflow-tags/{tag_id}`)."""
        return (yield from self._ask("DELETE", _path(tag_id), silent()))

    delete_sync = blocking(delete)

    @asynchronous
    def archive(self, tag_id: Id) -> Flow[models.WorkflowTagResponse]:
        """The tag, kept by its workflows, left out of lists (`POST /v1/workflow-tags/{tag_id}/archive`)."""
        path = f"{_path(tag_id)}/archive"
        return (yield from self._ask("POST", path, one(models.WorkflowTagResponse)))

    archive_sync = blocking(archive)

    @asynchronous
    def unarchive(self, tag_id: Id) -> Flow[models.WorkflowTagResponse]:
        """The tag, back in lists (`POST /v1/workflow-tags/{tag_id}/unarchive`)."""
        path = f"{_path(tag_id)}/unarchive"
        return (yield from self._ask("POST", path, one(models.WorkflowTagResponse)))

    unarchive_sync = blocking(unarchive)

    @asynchronous
    def reorder(self, tag_ids: Sequence[Id]) -> Flow[None]:
        """Nothing, once the tags stand in this order (`PUT /v1/workflow-tags/reorder`)."""
        body = models.ReorderRequest(ids=texts(tag_ids))
        return (yield from self._ask("PUT", "/v1/workflow-tags/reorder", silent(), body=body))

    reorder_sync = blocking(reorder)

    @asynchronous
    def add_to_workflow(self, workflow_id: Id, tag_ids: Sequence[Id]) -> Flow[Tags]:
        """All tags of the workflow after these were added (`POST /v1/workflows/{workflow_id}/tags`).

        A tag replaces the one that the workflow has of the same group.
        """
        body = models.AddTagsRequest(tag_ids=texts(tag_ids))
        promise = many(models.WorkflowTagResponse)
        return (yield from self._ask("POST", _tags_path(workflow_id), promise, body=body))

    add_to_workflow_sync = blocking(add_to_workflow)

    @asynchronous
    def remove_from_workflow(self, workflow_id: Id, tag_id: Id) -> Flow[None]:
        """Nothing, once the tag is off (`DELETE /v1/workflows/{workflow_id}/tags/{tag_id}`)."""
        path = f"{_tags_path(workflow_id)}/{path_segment('tag_id', tag_id)}"
        return (yield from self._ask("DELETE", path, silent()))

    remove_from_workflow_sync = blocking(remove_from_workflow)

    @asynchronous
    def get_for_workflow(self, workflow_id: Id) -> Flow[Tags]:
        """The tags of a workflow (`GET /v1/workflows/{workflow_id}/tags`)."""
        return (yield from self._ask("GET", _tags_path(workflow_id), many(models.WorkflowTagResponse)))

    get_for_workflow_sync = blocking(get_for_workflow)

    @asynchronous
    def bulk_add_to_workflows(self, workflow_ids: Sequence[Id], tag_ids: Sequence[Id]) -> Flow[None]:
        """Nothing, once all these workflows carry all these tags (`POST /v1/workflows/bulk/tags`)."""
        body = models.BulkAddTagsRequest(workflow_ids=texts(workflow_ids), tag_ids=texts(tag_ids))
        return (yield from self._ask("POST", "/v1/workflows/bulk/tags", silent(), body=body))

    bulk_add_to_workflows_sync = blocking(bulk_add_to_workflows)


def _path(tag_id: Id) -> str:
    return f"/v1/workflow-tags/{path_segment('tag_id', tag_id)}"


def _tags_path(workflow_id: Id) -> str:
    return f"/v1/workflows/{path_segment('workflow_id', workflow_id)}/tags"
