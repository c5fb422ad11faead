"""Files as answers: streamed, in ranges when asked (RFC 9110, section 14), named safely.

One range is served; a request for several, or one that is no byte range, gets the whole file, as the standard
allows.
"""

import re
from typing import Literal
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.domain.attachments import safe_name
from cyberdesk_server.ports import BlobMissing, Blobs

ANY_CONTENT = "application/octet-stream"

_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(; ?charset=[\w-]+)?", re.ASCII)
_BYTE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class FileAnswer(StreamingResponse):
    """A file, or a range of it, piece by piece."""

    media_type = ANY_CONTENT


class Unsatisfiable(Exception):
    """The range lies behind the end of the file."""


async def file_answer(
    request: Request,
    blobs: Blobs,
    key: str,
    *,
    filename: str,
    content_type: str = ANY_CONTENT,
    disposition: Literal["inline", "attachment"] = "attachment",
    cache_control: str = "private, no-cache",
) -> Response:
    """The content of a blob whose content never changes; its key is its entity tag.

    404 when the blob is missing, 304 when the caller has it, 206 for a range, 416 for one behind the end.
    """
    try:
        size = await blobs.size(key)
    except BlobMissing:
        raise HTTPException(404, "there is no such file") from None
    tag = f'"{quote(key, safe="/")}"'
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": cache_control,
        "Content-Disposition": f"{disposition}; {_name(filename)}",
        "ETag": tag,
    }
    if _is_known(request.headers, tag):
        return Response(status_code=304, headers=headers)
    try:
        wanted = _wanted(request.headers, tag, size)
    except Unsatisfiable:
        refusal = {"detail": f"the file has {size} bytes"}
        return JsonAnswer(refusal, 416, {"Content-Range": f"bytes */{size}"})
    start, end = wanted or (0, size)
    headers["Content-Length"] = str(end - start)
    if wanted:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    media_type = content_type if _MEDIA_TYPE.fullmatch(content_type) else ANY_CONTENT
    pieces = blobs.read(key, start=start, end=end)
    return FileAnswer(pieces, 206 if wanted else 200, headers, media_type)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """From which byte to before which; None when the whole file is to be answered.

    Raises `Unsatisfiable` when no byte of the file is in the range.
    """
    asked = _BYTE_RANGE.fullmatch(header.replace(" ", ""))
    if asked is None or asked[0] == "bytes=-":
        return None
    first, last = asked.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise Unsatisfiable
    return start, end


def _wanted(headers: Headers, tag: str, size: int) -> tuple[int, int] | None:
    asked = headers.get("range")
    is_same_file = headers.get("if-range", tag) == tag
    return byte_range(asked, size) if asked and is_same_file else None


def _is_known(headers: Headers, tag: str) -> bool:
    known = [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]
    return tag in known or known == ["*"]


def _name(filename: str) -> str:
    """The name twice (RFC 6266): plain for old clients, and in full."""
    name = safe_name(filename)
    plain = re.sub(r"[^\w .()-]", "_", name, flags=re.ASCII)
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
