"""Is the other end still there? WebSocket pings, with patience for a driver that is at work.

The published drivers do not answer pings while they press keys (or, some, during any request). So the limit
for a pong is suspended while the driver owes an answer. A driver that never answers is noticed all the same:
every question has a deadline, and after it the pong is due.
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Scope
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

PING_SECONDS = 20.0
PONG_LIMIT_SECONDS = 60.0

_EXTENSION = "cyberdesk.patience"


@dataclass(slots=True)
class Patience:
    """Asked when a pong is overdue."""

    owes_answer: Callable[[], bool] = bool
    """True while silence is excusable."""


class PatientWebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, whose pong limit can be suspended by the application (`patience_of`)."""

    def handle_connect(self, event: Request) -> None:
        self._patience = Patience()
        super().handle_connect(event)
        if hasattr(self, "scope"):
            self.scope["extensions"][_EXTENSION] = {"patience": self._patience}

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # refused on purpose; uvicorn would log it as our error

    def keepalive_timeout(self) -> None:
        if self._patience.owes_answer():
            assert self.ping_timeout is not None
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()


def patience_of(scope: Scope) -> Patience:
    """This connection's patience; one that changes nothing under a server that knows none."""
    extension = scope.get("extensions", {}).get(_EXTENSION)
    return extension["patience"] if extension else Patience()
