"""Taking in, copying and removing the images of prompts."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.prompt_images import (
    ENDINGS,
    MAX_BYTES,
    PromptImage,
    content_type_of,
    image_key,
    image_name,
    own_key,
)
from cyberdesk_server.domain.refusals import Unknown, invalid
from cyberdesk_server.ports import BlobMissing, Blobs
from cyberdesk_server.store import prompt_images
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases.contents import kept_if_named

NOUN = "prompt image"
LINK_SECONDS = 3600


@asynccontextmanager
async def uploading(
    database: Database,
    blobs: Blobs,
    organization_id: OrganizationId,
    filename: str,
    content: bytes,
    *,
    now: datetime,
) -> AsyncIterator[PromptImage]:
    """The image with its content in the blob store, for a transaction inside the context to name.

    Raises `InvalidFields` for what is too large or no image that may be shown.
    """
    if len(content) > MAX_BYTES:
        raise invalid(("body", "file"), f"has {len(content)} bytes, more than {MAX_BYTES}", "too_large")
    content_type = content_type_of(content)
    if content_type is None:
        known = ", ".join(kind.removeprefix("image/") for kind in ENDINGS)
        raise invalid(("body", "file"), f"is none of the images that can be shown: {known}", "content_type")
    name = image_name(filename, content_type)
    image = PromptImage(
        blob_key=image_key(organization_id, uuid4().hex, name),
        organization_id=organization_id,
        filename=name,
        content_type=content_type,
        size_bytes=len(content),
        created_at=now,
    )
    async with kept_if_named(database, blobs, prompt_images.named) as written:
        written.append(image.blob_key)
        await blobs.put(image.blob_key, content, content_type=content_type)
        yield image


@asynccontextmanager
async def copying(
    database: Database,
    blobs: Blobs,
    organization_id: OrganizationId,
    addresses: Iterable[str],
    *,
    now: datetime,
) -> AsyncIterator[dict[str, PromptImage]]:
    """Copies of the images with these addresses, by the old address, for a transaction to name.

    What is not there is left out.
    """
    keys = {address: own_key(address, organization_id) for address in addresses}
    async with database.read() as conn:
        known = await prompt_images.get_many(conn, organization_id, [key for key in keys.values() if key])
    async with kept_if_named(database, blobs, prompt_images.named) as written:
        copies: dict[str, PromptImage] = {}
        for address, key in keys.items():
            original = known.get(key or "")
            if original is None:
                continue
            try:
                content = await blobs.get(original.blob_key)
            except BlobMissing:
                continue
            new_key = image_key(organization_id, uuid4().hex, original.filename)
            written.append(new_key)
            await blobs.put(new_key, content, content_type=original.content_type)
            copies[address] = replace(original, blob_key=new_key, created_at=now)
        yield copies


async def get(conn: AsyncConnection, organization_id: OrganizationId, path: str) -> PromptImage:
    """The image by its address, key or path. Raises `Unknown`."""
    key = own_key(path, organization_id) or ""
    known = await prompt_images.get_many(conn, organization_id, [key])
    if key not in known:
        raise Unknown(NOUN, path)
    return known[key]


async def delete(conn: AsyncConnection, organization_id: OrganizationId, path: str) -> str:
    """Forget the image; returns the key of the content to delete after the commit. Raises `Unknown`."""
    key = own_key(path, organization_id)
    if key is None or not await prompt_images.delete(conn, organization_id, key):
        raise Unknown(NOUN, path)
    return key
