"""`/v1/workflows/prompt-image` and `/v1/workflows/prompt-images`."""

from typing import Annotated

from fastapi import File, UploadFile
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.schemas.prompt_images import (
    WorkflowPromptImageListItem,
    WorkflowPromptImageResponse,
    WorkflowPromptImageSignedUrlResponse,
)
from cyberdesk_server.api.views import View
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.prompt_images import PromptImage
from cyberdesk_server.store import prompt_images as store
from cyberdesk_server.usecases import prompt_images
from cyberdesk_server.usecases.prompt_images import LINK_SECONDS

Image = Annotated[
    UploadFile,
    File(description="A PNG, JPEG, GIF or WebP of at most 10 MB.", json_schema_extra={"format": "binary"}),
]

api = router(prefix="/v1/workflows", tags=["workflows"])


@api.post("/prompt-image", status_code=201, response_model=WorkflowPromptImageResponse, openapi_extra=WRITES)
async def upload_workflow_prompt_image(
    request: Request, file: Image, caller: Caller, parts: PartsOf
) -> Response:
    """Take in a PNG, JPEG, GIF or WebP of at most 10 MB. A prompt shows it by its `supabase_url`."""
    async with prompt_images.uploading(
        parts.database,
        parts.blobs,
        caller.organization_id,
        file.filename or "",
        await file.read(),
        now=parts.clock.now(),
    ) as image:

        async def work(conn: AsyncConnection) -> Response:
            await store.add(conn, image)
            told = {
                "filename": image.filename,
                "content_type": image.content_type,
                "size_bytes": image.size_bytes,
            }
            return JsonAnswer({**_link(image, parts), **told}, 201)

        return await write(request, work)


@api.get("/prompt-images", response_model=list[WorkflowPromptImageListItem])
async def list_workflow_prompt_images(caller: Caller, parts: PartsOf) -> Response:
    """All images, newest first."""
    async with parts.database.read() as conn:
        found = await store.of_organization(conn, caller.organization_id)
    return JsonAnswer(
        [
            {
                "supabase_url": image.address,
                "path": image.path,
                "filename": image.filename,
                "created_at": image.created_at,
                "size_bytes": image.size_bytes,
            }
            for image in found
        ]
    )


@api.get("/prompt-image/signed-url", response_model=WorkflowPromptImageSignedUrlResponse)
async def get_workflow_prompt_image_signed_url(path: str, caller: Caller, parts: PartsOf) -> Response:
    """A link that shows the image for an hour. `path` is its path or its `supabase://` address."""
    async with parts.database.read() as conn:
        image = await prompt_images.get(conn, caller.organization_id, path)
    return JsonAnswer({**_link(image, parts), "expires_in": LINK_SECONDS})


@api.delete("/prompt-image", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_workflow_prompt_image(
    request: Request, path: str, caller: Caller, parts: PartsOf
) -> Response:
    """Remove the image; prompts that show it cannot be followed any more."""
    forgotten: str | None = None

    async def work(conn: AsyncConnection) -> Response:
        nonlocal forgotten
        forgotten = await prompt_images.delete(conn, caller.organization_id, path)
        return no_content()

    answer = await write(request, work)
    if forgotten is not None:
        await parts.blobs.delete(forgotten)
    return answer


def _link(image: PromptImage, parts: Parts) -> View:
    signed = parts.blobs.signed_url(image.blob_key, expires_in_seconds=LINK_SECONDS)
    return {"supabase_url": image.address, "signed_url": signed}
