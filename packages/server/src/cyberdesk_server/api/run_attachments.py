"""`/v1/run-attachments`: files of runs."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.downloads import ANY_CONTENT, FileAnswer, file_answer
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES, Limit, Skip
from cyberdesk_server.api.schemas.run_attachments import (
    PaginatedResponseRunAttachmentResponse,
    RunAttachmentCreate,
    RunAttachmentDownloadUrlResponse,
    RunAttachmentResponse,
    RunAttachmentUpdate,
)
from cyberdesk_server.api.views import attachment_view, page
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.attachments import Attachment, AttachmentType
from cyberdesk_server.domain.ids import AttachmentId, RunId
from cyberdesk_server.domain.refusals import invalid
from cyberdesk_server.store import attachments as stored_attachments
from cyberdesk_server.usecases import attachments
from cyberdesk_server.usecases.attachments import SentFile, uploading

api = router(prefix="/v1/run-attachments", tags=["run_attachments"])

CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {ANY_CONTENT: {"schema": {"type": "string", "format": "binary"}}}}
}


@api.post("", status_code=201, response_model=RunAttachmentResponse, openapi_extra=WRITES)
async def create_run_attachment(
    request: Request, body: RunAttachmentCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Give a run a file. An input that comes after the run has started is there for its next try."""
    now = parts.clock.now()
    if body.expires_at is not None and body.expires_at <= now:
        raise invalid(("body", "expires_at"), "must be in the future")
    sent = SentFile(("body", "content"), body.filename, body.content, body.content_type)
    async with uploading(parts.database, parts.blobs, caller.organization_id, [sent]) as [file]:
        attachment = Attachment(
            id=AttachmentId(uuid4()),
            organization_id=caller.organization_id,
            run_id=RunId(body.run_id),
            type=body.attachment_type,
            filename=file.filename,
            content_type=file.content_type,
            size_bytes=file.size_bytes,
            blob_key=file.blob_key,
            created_at=now,
            target_path=body.target_path,
            cleanup_imports_after_run=body.cleanup_imports_after_run,
            expires_at=body.expires_at,
        )

        async def work(conn: AsyncConnection) -> Response:
            return JsonAnswer(attachment_view(await attachments.create(conn, attachment)), 201)

        return await write(request, work)


@api.get("", response_model=PaginatedResponseRunAttachmentResponse)
async def list_run_attachments(
    caller: Caller,
    parts: PartsOf,
    run_id: UUID | None = None,
    attachment_type: AttachmentType | None = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Files, oldest first."""
    async with parts.database.read() as conn:
        found, total = await stored_attachments.find(
            conn,
            caller.organization_id,
            run_id=None if run_id is None else RunId(run_id),
            type_=attachment_type,
            now=parts.clock.now(),
            skip=skip,
            limit=limit,
        )
    return JsonAnswer(page([attachment_view(one) for one in found], total, skip=skip, limit=limit))


@api.get("/{attachment_id}", response_model=RunAttachmentResponse)
async def get_run_attachment(attachment_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """What is known about a file; its content is under `download`."""
    return JsonAnswer(attachment_view(await _attachment(attachment_id, caller, parts)))


@api.put("/{attachment_id}", response_model=RunAttachmentResponse, openapi_extra=WRITES)
async def update_run_attachment(
    request: Request, attachment_id: UUID, body: RunAttachmentUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change until when the file is kept; null keeps it as long as its run."""

    async def work(conn: AsyncConnection) -> Response:
        updated = await attachments.update(
            conn,
            caller.organization_id,
            AttachmentId(attachment_id),
            body.model_dump(exclude_unset=True),
            now=parts.clock.now(),
        )
        return JsonAnswer(attachment_view(updated))

    return await write(request, work)


@api.delete("/{attachment_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_run_attachment(
    request: Request, attachment_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """Remove the file."""
    orphans: tuple[str, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal orphans
        orphans = await attachments.delete(
            conn, caller.organization_id, AttachmentId(attachment_id), now=parts.clock.now()
        )
        return no_content()

    answer = await write(request, work)
    await attachments.delete_contents(parts.blobs, orphans)
    return answer


@api.get("/{attachment_id}/download", response_class=FileAnswer, responses=CONTENT)
async def download_run_attachment(
    request: Request, attachment_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """The content, or with a `Range` header a part of it."""
    found = await _attachment(attachment_id, caller, parts)
    return await file_answer(
        request,
        parts.blobs,
        found.blob_key,
        filename=found.filename,
        content_type=found.content_type,
    )


@api.get("/{attachment_id}/download-url", response_model=RunAttachmentDownloadUrlResponse)
async def get_run_attachment_download_url(
    attachment_id: UUID,
    caller: Caller,
    parts: PartsOf,
    expires_in: Annotated[int, Query(ge=10, le=3600)] = 300,
) -> Response:
    """A link that anybody can download the file by for `expires_in` seconds, but not after it has expired."""
    found = await _attachment(attachment_id, caller, parts)
    if found.expires_at is not None:
        seconds_left = int((found.expires_at - parts.clock.now()).total_seconds())
        expires_in = min(expires_in, max(seconds_left, 0))
    url = parts.blobs.signed_url(found.blob_key, expires_in_seconds=expires_in)
    return JsonAnswer({"url": url, "expires_in": expires_in})


async def _attachment(attachment_id: UUID, caller: Caller, parts: PartsOf) -> Attachment:
    async with parts.database.read() as conn:
        return await attachments.get(
            conn, caller.organization_id, AttachmentId(attachment_id), now=parts.clock.now()
        )
