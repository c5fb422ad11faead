"""One log line and one id per request."""

import re
import time
from uuid import uuid4

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.store.database import is_away

log = structlog.get_logger(__name__)

REQUEST_ID = "x-request-id"
HARMLESS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox"),
    (b"referrer-policy", b"no-referrer"),
)
"""Headers of every answer: a browser runs nothing of it, frames it nowhere, tells nobody a signed link."""

ONLY_HTTPS = (*HARMLESS, (b"strict-transport-security", b"max-age=31536000"))
"""The same over TLS, which a browser then insists on for a year."""

USABLE_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class Access:
    """Gives every answer an `X-Request-Id`, the caller's own when it sent a usable one, and headers that keep
    browsers from harm. It is the edge at which our bugs become a 500, a database that is away a 503, and both
    are logged once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        harmless = ONLY_HTTPS if scope.get("scheme") == "https" else HARMLESS

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (REQUEST_ID.encode(), request_id.encode())
                message["headers"] = [*message["headers"], own, *harmless]
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:  # the edge: a bug of ours must not end the connection without a word
            asked = {"method": scope["method"], "path": scope["path"]}
            if is_away(error):
                log.warning("the database is away", **asked, reason=str(error))
            else:
                log.exception("request failed", **asked)
            if status:
                raise
            await _answer_to(error)(scope, receive, send_with_id)
        log.info(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            duration_ms=round((time.perf_counter() - started) * 1000, 1),
        )


def _answer_to(error: Exception) -> JsonAnswer:
    if is_away(error):
        return JsonAnswer({"detail": "the database does not answer"}, 503, {"Retry-After": "1"})
    return JsonAnswer(
        {"detail": "something went wrong in the server; the log knows it by the request id"}, 500
    )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == REQUEST_ID.encode() and USABLE_ID.fullmatch(text := value.decode("latin-1")):
            return str(text)
    return uuid4().hex
