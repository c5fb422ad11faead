"""`client.workflows`: what runs are runs of, and the images in their prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from cyberdesk import models
from cyberdesk._answers import done, many, objects, one
from cyberdesk._arguments import Id, Moment, identifier, joined, query
from cyberdesk._flow import Flow, blocked
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking

if TYPE_CHECKING:
    from pathlib import Path

Versions: TypeAlias = "list[dict[str, Any]]"
PromptImages: TypeAlias = "list[models.WorkflowPromptImageListItem]"

IMAGE_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
"""File extension -> media type."""


class WorkflowsAPI(Resource):
    """Workflows: a prompt and all that belongs to it."""

    @asynchronous
    def list(
        self,
        skip: int | None = None,
        limit: int | None = None,
        *,
        search: str | None = None,
        created_at_from: Moment | None = None,
        created_at_to: Moment | None = None,
        updated_at_from: Moment | None = None,
        updated_at_to: Moment | None = None,
        tag_ids: str | Sequence[Id] | None = None,
        include_tags: bool = False,
        include: Sequence[str] | None = None,
    ) -> Flow[models.PaginatedResponseWithIncludesWorkflowResponse]:
        """A page of the workflows that match all given filters, latest change first (`GET /v1/workflows`).

        `tag_ids` is a list of ids, or their text joined with commas.
        """
        return (
            yield from self._ask(
                "GET",
                "/v1/workflows",
                one(models.PaginatedResponseWithIncludesWorkflowResponse),
                query=query(
                    skip=skip,
                    limit=limit,
                    search=search,
                    created_at_from=created_at_from,
                    created_at_to=created_at_to,
                    updated_at_from=updated_at_from,
                    updated_at_to=updated_at_to,
                    tag_ids=joined(tag_ids),
                    include_tags=include_tags,
                    include=joined(include),
                ),
            )
        )

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

    @asynchronous
    def create(self, data: models.WorkflowCreate) -> Flow[models.WorkflowResponse]:
        """A new workflow (`POST /v1/workflows`)."""
        return (yield from self._ask("POST", "/v1/workflows", one(models.WorkflowResponse, 201), body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(
        self, workflow_id: Id, *, include: Sequence[str] | None = None
    ) -> Flow[models.WorkflowResponseWithIncludes]:
        """The workflow with this id (`GET /v1/workflows/{workflow_id}`)."""
        path = f"/v1/workflows/{identifier('workflow_id', workflow_id)}"
        promise = one(models.WorkflowResponseWithIncludes)
        return (yield from self._ask("GET", path, promise, query=query(include=joined(include))))

    get_sync = blocking(get)

    @asynchronous
    def update(self, workflow_id: Id, data: models.WorkflowUpdate) -> Flow[models.WorkflowResponse]:
        """The workflow after the change (`PATCH /v1/workflows/{workflow_id}`)."""
        path = f"/v1/workflows/{identifier('workflow_id', workflow_id)}"
        return (yield from self._ask("PATCH", path, one(models.WorkflowResponse), body=data))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, workflow_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the workflow is gone (`DELETE /v1/workflows/{workflow_id}`)."""
        path = f"/v1/workflows/{identifier('workflow_id', workflow_id)}"
        return (yield from self._ask("DELETE", path, done()))

    delete_sync = blocking(delete)

    @asynchronous
    def duplicate(
        self, workflow_id: Id, *, include_trajectories: bool = False
    ) -> Flow[models.WorkflowResponse]:
        """A copy, with the trajectories if wanted (`POST /v1/workflows/{workflow_id}/duplicate`)."""
        path = f"/v1/workflows/{identifier('workflow_id', workflow_id)}/duplicate"
        body = models.WorkflowDuplicateRequest(include_trajectories=include_trajectories)
        return (yield from self._ask("POST", path, one(models.WorkflowResponse, 201), body=body))

    duplicate_sync = blocking(duplicate)

    @asynchronous
    def get_versions(self, workflow_id: Id) -> Flow[Versions]:
        """Earlier states of the workflow, as plain dicts (`GET /v1/workflows/{workflow_id}/versions`)."""
        path = f"/v1/workflows/{identifier('workflow_id', workflow_id)}/versions"
        return (yield from self._ask("GET", path, objects()))

    get_versions_sync = blocking(get_versions)

    @asynchronous
    def merge(
        self, workflow_id: Id, *, target_workflow_id: Id, copy_trajectories: bool = False
    ) -> Flow[models.WorkflowResponse]:
        """The target after this workflow was merged into it (`POST /v1/workflows/{workflow_id}/merge`)."""
        path = f"/v1/workflows/{identifier('workflow_id', workflow_id)}/merge"
        target = identifier("target_workflow_id", target_workflow_id)
        body = models.WorkflowMergeRequest(target_workflow_id=target, copy_trajectories=copy_trajectories)
        return (yield from self._ask("POST", path, one(models.WorkflowResponse), body=body))

    merge_sync = blocking(merge)

    @asynchronous
    def upload_prompt_image(
        self,
        file_path: str | Path | None = None,
        file_content: bytes | None = None,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> Flow[models.WorkflowPromptImageResponse]:
        """An image for prompts: embed its `supabase_url` (`POST /v1/workflows/prompt-image`).

        Give the path of a file or its content. The API takes PNG, JPEG, GIF and WebP up to 10 MB. The type
        follows from the extension unless given.
        """
        from pathlib import Path  # here, because few programs read images

        if bool(file_path) == bool(file_content):
            raise ValueError("give either file_path or file_content")
        content = file_content or (yield from blocked(Path(file_path or "").read_bytes))
        name = filename or (Path(file_path).name if file_path else "image")
        image = models.File(content, name, content_type or _image_type(name))
        promise = one(models.WorkflowPromptImageResponse, 201)
        return (yield from self._ask("POST", "/v1/workflows/prompt-image", promise, files={"file": image}))

    upload_prompt_image_sync = blocking(upload_prompt_image)

    @asynchronous
    def list_prompt_images(self) -> Flow[PromptImages]:
        """All prompt images of the organization (`GET /v1/workflows/prompt-images`)."""
        promise = many(models.WorkflowPromptImageListItem)
        return (yield from self._ask("GET", "/v1/workflows/prompt-images", promise))

    list_prompt_images_sync = blocking(list_prompt_images)

    @asynchronous
    def get_prompt_image_signed_url(self, path: str) -> Flow[models.WorkflowPromptImageSignedUrlResponse]:
        """A fresh link to a prompt image (`GET /v1/workflows/prompt-image/signed-url`)."""
        promise = one(models.WorkflowPromptImageSignedUrlResponse)
        asked = query(path=path)
        return (yield from self._ask("GET", "/v1/workflows/prompt-image/signed-url", promise, query=asked))

    get_prompt_image_signed_url_sync = blocking(get_prompt_image_signed_url)

    @asynchronous
    def delete_prompt_image(self, path: str) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the image is gone (`DELETE /v1/workflows/prompt-image`)."""
        asked = query(path=path)
        return (yield from self._ask("DELETE", "/v1/workflows/prompt-image", done(), query=asked))

    delete_prompt_image_sync = blocking(delete_prompt_image)


def _image_type(name: str) -> str:
    extension = name.rpartition(".")[2].lower()
    return IMAGE_TYPES.get(extension, "application/octet-stream")
