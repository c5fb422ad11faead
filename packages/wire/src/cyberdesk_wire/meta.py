"""The JSON text that opens a message: written from a message, read back into one, judged on the way.

Strict in what is sent; lenient in what is read as far as the published drivers and servers differ: a method
in lower case, a query that is absent, null or begins with `?`, headers that are absent, null or of one hop.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from cyberdesk_wire.errors import (
    BadField,
    BadHeader,
    MalformedMeta,
    MessageTooLarge,
    MissingField,
    ProtocolError,
)
from cyberdesk_wire.limits import Limits
from cyberdesk_wire.messages import Request, Response

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers of one hop (RFC 9110, section 7.6.1): never sent, dropped when they come."""

NEVER_FORWARDED = HOP_BY_HOP | {"host", "content-length"}
"""What a request must not carry besides: the drivers answer 500 to a length or host that is not their own."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_to_json = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make an encoder per message
_METHOD = re.compile(r"[A-Z]+")
_NOT_IN_A_VALUE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def write_meta(message: Request | Response) -> str:
    """The meta text of this message: compact ASCII JSON."""
    match message:
        case Request():
            fields: dict[str, object] = {
                "requestId": message.request_id,
                "method": message.method,
                "path": message.path,
                "query": message.query,
                "headers": dict(message.headers),
            }
        case Response():
            fields = {
                "requestId": message.request_id,
                "status": message.status,
                "headers": dict(message.headers),
            }
    return _to_json(fields)


def read_request(text: str, limits: Limits) -> Request | ProtocolError:
    """The request this text opens, still without its body."""
    meta = _read_object(text, limits)
    if isinstance(meta, ProtocolError):
        return meta
    request_id = _request_id(meta)
    if isinstance(request_id, ProtocolError):
        return request_id
    for name in ("method", "path"):
        if meta.get(name) is None:
            return MissingField(request_id, name)
        if not isinstance(meta[name], str):
            return BadField(request_id, name, "must be a string")
    query = meta.get("query")
    if query is not None and not isinstance(query, str):
        return BadField(request_id, "query", "must be a string")
    headers = _headers(request_id, meta, NEVER_FORWARDED)
    if isinstance(headers, ProtocolError):
        return headers
    request = Request(
        request_id, meta["method"].upper(), meta["path"], (query or "").removeprefix("?"), headers
    )
    return check_request(request, limits) or request


def read_response(text: str, limits: Limits) -> Response | ProtocolError:
    """The response this text opens, still without its body."""
    meta = _read_object(text, limits)
    if isinstance(meta, ProtocolError):
        return meta
    request_id = _request_id(meta)
    if isinstance(request_id, ProtocolError):
        return request_id
    status = meta.get("status")
    if status is None:
        return MissingField(request_id, "status")
    if type(status) is not int:
        return BadField(request_id, "status", "must be an integer")
    headers = _headers(request_id, meta, HOP_BY_HOP)
    if isinstance(headers, ProtocolError):
        return headers
    response = Response(request_id, status, headers)
    return check_response(response, limits) or response


def check_request(request: Request, limits: Limits) -> ProtocolError | None:
    """Why this request must not travel, body aside, or None."""
    if not request.request_id:
        return BadField(request.request_id, "requestId", "must not be empty")
    if not _METHOD.fullmatch(request.method):
        return BadField(request.request_id, "method", "must be a word in upper case")
    if not request.path.startswith("/"):
        return BadField(request.request_id, "path", "must start with /")
    if "?" in request.path or "#" in request.path:
        return BadField(request.request_id, "path", "must not hold a query or a fragment")
    return _check_headers(request, NEVER_FORWARDED, limits)


def check_response(response: Response, limits: Limits) -> ProtocolError | None:
    """Why this response must not travel, body aside, or None."""
    if not response.request_id:
        return BadField(response.request_id, "requestId", "must not be empty")
    if not 100 <= response.status <= 599:
        return BadField(response.request_id, "status", "must be between 100 and 599")
    return _check_headers(response, HOP_BY_HOP, limits)


def _read_object(text: str, limits: Limits) -> dict[str, Any] | ProtocolError:
    if len(text.encode("utf-8", "surrogatepass")) > limits.max_meta_bytes:
        return MessageTooLarge(None, "meta", limits.max_meta_bytes)
    try:
        meta = json.loads(text)
    except ValueError:
        return MalformedMeta(None, "is not JSON")
    except RecursionError:
        return MalformedMeta(None, "is nested too deeply")
    if not isinstance(meta, dict):
        return MalformedMeta(None, "is not a JSON object")
    return meta


def _request_id(meta: Mapping[str, Any]) -> str | ProtocolError:
    request_id = meta.get("requestId")
    if request_id is None:
        return MissingField(None, "requestId")
    if not isinstance(request_id, str):
        return BadField(None, "requestId", "must be a string")
    return request_id


def _headers(
    request_id: str, meta: Mapping[str, Any], dropped: frozenset[str]
) -> dict[str, str] | ProtocolError:
    headers = meta.get("headers")
    if headers is None:
        return {}
    if not isinstance(headers, dict):
        return BadField(request_id, "headers", "must be an object")
    for name, value in headers.items():
        if not isinstance(value, str):
            return BadHeader(request_id, name, "must be a string")
    return {name: value for name, value in headers.items() if name.lower() not in dropped}


def _check_headers(
    message: Request | Response, forbidden: frozenset[str], limits: Limits
) -> ProtocolError | None:
    total_bytes = 0
    for count, (name, value) in enumerate(message.headers.items(), start=1):
        if not _TOKEN.fullmatch(name):
            return BadHeader(message.request_id, name[:64], "is no header name")
        if name in forbidden:
            return BadHeader(message.request_id, name, "is not forwarded")
        if _NOT_IN_A_VALUE.search(value):
            return BadHeader(message.request_id, name, "holds a control character")
        total_bytes += len(name) + len(value.encode("utf-8", "surrogatepass"))
        if count > limits.max_headers:
            return BadHeader(message.request_id, name, f"is one more than the {limits.max_headers} allowed")
        if total_bytes > limits.max_header_bytes:
            return BadHeader(
                message.request_id, name, f"makes the headers longer than {limits.max_header_bytes} bytes"
            )
    return None
