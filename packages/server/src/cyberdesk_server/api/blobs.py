"""`/v1/blobs`: the links that the embedded blob store signs. The link is the key."""

from mimetypes import guess_type
from typing import Annotated

from fastapi import Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.downloads import ANY_CONTENT, file_answer
from cyberdesk_server.api.routes import PartsOf, open_router

api = open_router(prefix="/v1/blobs", tags=["blobs"], include_in_schema=False)

SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Types a browser may show; everything else is downloaded, for it could be a page with scripts."""


@api.get("/{key:path}")
async def download_blob(
    request: Request,
    parts: PartsOf,
    key: str,
    expires: Annotated[int, Query()],
    signature: Annotated[str, Query()],
) -> Response:
    """The blob of a link, or a range of it; 403 when the link is not ours or its time is up."""
    if parts.links is None or not parts.links.is_valid(key, expires=expires, signature=signature):
        raise HTTPException(403, "the link is not valid, or no longer")
    content_type = guess_type(key)[0] or ANY_CONTENT
    return await file_answer(
        request,
        parts.blobs,
        key,
        filename=key,
        content_type=content_type,
        disposition="inline" if content_type in SHOWN_INLINE else "attachment",
        cache_control="private, max-age=3600",
    )
