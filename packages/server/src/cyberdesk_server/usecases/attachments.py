"""Files of runs: taking them in, changing how long they are kept, removing them.

A content is written before the transaction that names it and deleted after the one that forgets it. A crash
in between leaves a content nobody names, and never a file without its content.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from mimetypes import guess_type
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.attachments import MAX_FILE_BYTES, Attachment, StoredFile, content_key
from cyberdesk_server.domain.base64_text import Base64Text, NotBase64
from cyberdesk_server.domain.ids import AttachmentId, OrganizationId
from cyberdesk_server.domain.refusals import Unknown, invalid
from cyberdesk_server.ports import Blobs
from cyberdesk_server.store import attachments, runs
from cyberdesk_server.store.database import Database

ANY_CONTENT = "application/octet-stream"
Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as a caller sends it."""

    location: Location
    """Of its content in the request, for refusals: `body`, `file_inputs`, 0, `content`."""

    filename: str
    content: Base64Text = field(repr=False)
    content_type: str | None = None
    """None: told from the name."""

    target_path: str | None = None
    cleanup_imports_after_run: bool = False


@asynccontextmanager
async def uploading(
    database: Database, blobs: Blobs, organization_id: OrganizationId, files: Sequence[SentFile]
) -> AsyncIterator[tuple[StoredFile, ...]]:
    """The files with their contents in the blob store, for a transaction inside the context to name.

    At the end the contents that no file came to have are deleted: the write was refused, or had been done
    before under its idempotency key. Raises `InvalidFields` for what is no base64 or too large.
    """
    stored: list[StoredFile] = []
    try:
        for file in files:
            stored.append(await _store(blobs, organization_id, file))
        yield tuple(stored)
    finally:
        keys = [file.blob_key for file in stored]
        if keys:
            async with database.read() as conn:
                used = await attachments.in_use(conn, keys)
            await delete_contents(blobs, (key for key in keys if key not in used))


async def delete_contents(blobs: Blobs, blob_keys: Iterable[str]) -> None:
    """Delete contents that nobody has any more; to be called after the commit that made them so."""
    for key in blob_keys:
        await blobs.delete(key)


async def create(conn: AsyncConnection, attachment: Attachment) -> Attachment:
    """The file, given to its run. Raises `Unknown` when the organization has no such run."""
    if await runs.get(conn, attachment.organization_id, attachment.run_id) is None:
        raise Unknown("run", attachment.run_id)
    await attachments.add(conn, attachment)
    return attachment


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, attachment_id: AttachmentId, *, now: datetime
) -> Attachment:
    """The file. Raises `Unknown`, also when its time is up."""
    found = await attachments.get(conn, organization_id, attachment_id, now=now)
    if found is None:
        raise Unknown("run attachment", attachment_id)
    return found


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    attachment_id: AttachmentId,
    changes: Mapping[str, datetime | None],
    *,
    now: datetime,
) -> Attachment:
    """The file with a new `expires_at`, when there is one in `changes`. Raises `Unknown`."""
    found = await get(conn, organization_id, attachment_id, now=now)
    if "expires_at" not in changes:
        return found
    await attachments.set_expiry(conn, organization_id, attachment_id, changes["expires_at"])
    return replace(found, expires_at=changes["expires_at"])


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, attachment_id: AttachmentId, *, now: datetime
) -> tuple[str, ...]:
    """Remove the file; returns the contents to delete after the commit. Raises `Unknown`."""
    await get(conn, organization_id, attachment_id, now=now)
    return await attachments.remove(conn, organization_id, attachment_id)


async def remove_expired(database: Database, blobs: Blobs, *, now: datetime) -> None:
    """Remove the files whose time is up, and their contents."""
    async with database.transaction() as conn:
        orphans = await attachments.remove_expired(conn, now=now)
    await delete_contents(blobs, orphans)


async def _store(blobs: Blobs, organization_id: OrganizationId, file: SentFile) -> StoredFile:
    size_bytes = file.content.size_bytes
    if size_bytes > MAX_FILE_BYTES:
        raise invalid(file.location, f"has {size_bytes} bytes, more than {MAX_FILE_BYTES}", "too_large")
    content_type = file.content_type or guess_type(file.filename)[0] or ANY_CONTENT
    key = content_key(organization_id, uuid4().hex, file.filename)
    try:
        await blobs.put_stream(key, _pieces(file.content), content_type=content_type)
    except NotBase64 as error:
        raise invalid(file.location, str(error), "base64") from None
    return StoredFile(
        filename=file.filename,
        content_type=content_type,
        size_bytes=size_bytes,
        blob_key=key,
        target_path=file.target_path,
        cleanup_imports_after_run=file.cleanup_imports_after_run,
    )


async def _pieces(content: Base64Text) -> AsyncIterator[bytes]:
    for piece in content.decoded():
        yield piece
