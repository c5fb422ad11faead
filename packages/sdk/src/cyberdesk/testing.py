"""A server for tests of programs that use the SDK: it answers what the test says and keeps what it was asked.

    with ScriptedApi() as api:
        api.answers(Scripted(201, json=a_run()), Scripted(503, headers={"Retry-After": "0"}))
        client = CyberdeskClient("key", api.base_url)

It listens on a free port of the loopback interface, in a thread of its own.
"""

from __future__ import annotations

import json as json_module
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class Scripted:
    """One answer: `json`, else `content`, after `delay_seconds`.

    A `status` of 0 drops the connection; `dropped_after` does so after that many bytes of the body.
    """

    status: int = 200
    json: Any = None
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    dropped_after: int | None = None

    @property
    def body(self) -> bytes:
        """The bytes that are sent."""
        return self.content if self.json is None else json_module.dumps(self.json).encode()


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; header names are lower-case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None when there is no body."""
        return json_module.loads(self.body) if self.body else None


def _no_answer(asked: Asked) -> Scripted:
    return Scripted(500, json={"detail": f"the script has no answer for {asked.method} {asked.path}"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about callers that did not wait for their answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class ScriptedApi:
    """Answers requests in the order of the script; after its end as `otherwise` says, or with 500."""

    def __init__(self, otherwise: Callable[[Asked], Scripted] | None = None) -> None:
        self.asked: list[Asked] = []
        """All requests, oldest first."""
        self._otherwise = otherwise or _no_answer
        self._script: deque[Scripted] = deque()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def base_url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answers(self, *script: Scripted) -> None:
        """Add answers to the end of the script."""
        self._script.extend(script)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _next(self, asked: Asked) -> Scripted:
        self.asked.append(asked)
        return self._script.popleft() if self._script else self._otherwise(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                scripted = api._next(self.request_as_asked())
                time.sleep(scripted.delay_seconds)
                if scripted.status == 0:
                    self.close_connection = True
                    return
                self.send_response(scripted.status)
                for name, value in scripted.headers.items():
                    self.send_header(name, value)
                if scripted.status not in (204, 304):
                    self.send_header("Content-Length", str(len(scripted.body)))
                self.end_headers()
                if scripted.status not in (204, 304):
                    self.wfile.write(scripted.body[: scripted.dropped_after])
                if scripted.dropped_after is not None:
                    self.close_connection = True

            def request_as_asked(self) -> Asked:
                address = urlsplit(self.path)
                return Asked(
                    method=self.command,
                    path=address.path,
                    query=tuple(parse_qsl(address.query, keep_blank_values=True)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(int(self.headers.get("Content-Length", 0))),
                )

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # the names that http.server asks for

            def log_message(self, *args: object) -> None:
                """Keep quiet."""

        return Handler


def a_run(**changes: Any) -> dict[str, Any]:
    """The JSON of a run that waits for a machine, with these fields changed."""
    run = {
        "id": str(uuid4()),
        "workflow_id": str(uuid4()),
        "machine_id": None,
        "status": "scheduling",
        "created_at": "2025-01-31T12:00:00Z",
    }
    return {**run, **changes}


def a_page(*items: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The JSON of a page with these items."""
    return {"items": list(items), "total": len(items), "skip": 0, "limit": 100, **changes}
