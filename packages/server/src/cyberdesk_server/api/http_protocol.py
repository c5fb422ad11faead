"""What one HTTP connection may cost: how much of a request's head, and how slow a client.

uvicorn takes heads of any size, and waits for ever for a client that stops in the middle of a request or does
not read its answer. Here, every `CHECK_SECONDS`:

    a request was coming all the time, or a new connection silent, and fewer than
    `LEAST_BYTES` came                                                               cut, with 408
    an answer waits to be read, and nothing of it was                                cut

Between requests `timeout_keep_alive` applies. A server that is slow itself, so that it takes nothing in, cuts
nobody.
"""

import asyncio
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger(__name__)

MAX_HEAD_BYTES = 64 * 1024
"""Of request line and headers, as far as they come in more than one piece."""

CHECK_SECONDS = 15.0
LEAST_BYTES = 15 * 1024
"""A kilobyte a second: slower is no line that people work with."""


class GuardedHttpProtocol(HttpToolsProtocol):
    """For `uvicorn.Config(http=...)`."""

    _timer: asyncio.TimerHandle | None = None
    _is_head_coming = True
    _is_request_coming = True
    _is_new = True
    """The request began after the last check, or the server took nothing in then."""
    _head_bytes = 0
    _received_bytes = 0
    _unread_bytes: int | None = None
    """Of the answer, at the last check since it had to wait."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._check_later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._check_no_more()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._check_no_more()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        self._received_bytes += len(data)
        super().data_received(data)
        if self._is_head_coming:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self._cut(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        self._is_head_coming = self._is_request_coming = self._is_new = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_head_coming, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_request_coming = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        self._unread_bytes = None
        super().pause_writing()

    def _check_later(self) -> None:
        self._timer = self.loop.call_later(CHECK_SECONDS, self._check)

    def _check_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        if self.transport.is_closing():
            return
        came, self._received_bytes = self._received_bytes, 0
        was_new, self._is_new = self._is_new, self.flow.read_paused
        if self._is_request_coming and not was_new and not self._is_new and came < LEAST_BYTES:
            self._cut(HTTPStatus.REQUEST_TIMEOUT)
            return
        if self.flow.write_paused:
            before, self._unread_bytes = self._unread_bytes, self.transport.get_write_buffer_size()
            if before is not None and self._unread_bytes >= before:
                self._cut(None)
                return
        self._check_later()

    def _cut(self, status: HTTPStatus | None) -> None:
        """End the connection; with this status, unless an answer has begun."""
        log.info("connection cut", client=self.client, status=status)
        cycle: Any = self.cycle
        if status is None or (cycle is not None and cycle.response_started and not cycle.response_complete):
            self.transport.abort()
            return
        head = f"HTTP/1.1 {status.value} {status.phrase}", "content-length: 0", "connection: close", "", ""
        self.transport.write("\r\n".join(head).encode())
        self.transport.close()
