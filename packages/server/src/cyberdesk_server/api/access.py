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
USABLE_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class Access:
    """Gives every answer an `X-Request-Id`, the caller's own when it sent a usable one; and the edge at
    which our bugs become a 500, a database that is away a 503, and both are logged once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (REQUEST_ID.encode(), request_id.encode())]
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
