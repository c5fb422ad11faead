"""uvicorn's WebSocket protocol with what tunnels need besides: patience, and whole requests in one write.

Patience: the published drivers do not answer pings while they press keys (or, some, during any request). So
the limit for a pong is suspended while the driver owes an answer. A driver that never answers is noticed all
the same: every question has a deadline, and after it the pong is due.

One write: a request is three frames, and each write of its own would cost a system call here and a wake-up
there. A frame sent with `MORE` waits for the next one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

PING_SECONDS = 20.0
PONG_LIMIT_SECONDS = 60.0

MORE = "cyberdesk.more"
"""In a `websocket.send` event: another frame follows at once. Servers that do not know it write at once."""

_PATIENCE = "cyberdesk.patience"


@dataclass(slots=True)
class Patience:
    """Asked when a pong is overdue."""

    owes_answer: Callable[[], bool] = bool
    """True while silence is excusable."""


class TunnelWebSocketProtocol(WebSocketsSansIOProtocol):
    """For `uvicorn.Config(ws=...)`; see `patience_of` and `MORE`."""

    def handle_connect(self, event: Request) -> None:
        self._patience = Patience()
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][_PATIENCE] = {"patience": self._patience}

    async def send(self, message: ASGISendEvent) -> None:
        event: dict[str, Any] = dict(message)
        if MORE in event and self.conn.state is State.OPEN:
            self._hold(event)
            return
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # refused on purpose; uvicorn would log it as our error

    def keepalive_timeout(self) -> None:
        if self._patience.owes_answer():
            assert self.ping_timeout is not None
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

    def _hold(self, event: dict[str, Any]) -> None:
        if "bytes" in event:
            self.conn.send_binary(event["bytes"])
        else:
            self.conn.send_text(event["text"].encode())


def patience_of(scope: Scope) -> Patience:
    """This connection's patience; one that changes nothing under a server that knows none."""
    extension = scope.get("extensions", {}).get(_PATIENCE)
    return extension["patience"] if extension else Patience()
