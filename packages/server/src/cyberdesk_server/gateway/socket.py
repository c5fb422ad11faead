"""One WebSocket as the server gets it from ASGI, without a framework between: frames in, frames out."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

from cyberdesk_wire import Frame
from starlette.types import Receive, Scope, Send

from cyberdesk_server.gateway.websocket import MORE

CLOSE_SECONDS = 2.0
"""How long a driver that reads nothing may hold up the closing of its socket."""


ONE_WRITE_BYTES = 64 * 1024
"""Up to this size the frames of one message are handed to the system together."""


class SocketClosed(Exception):
    """The socket took no more frames."""


class Socket:
    """One connection. One task reads; writers take turns (the caller's lock)."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_open = False

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case; of a repeated name the last."""
        return {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._scope["headers"]
        }

    @property
    def ip_address(self) -> str | None:
        client = self._scope.get("client")
        return client[0] if client else None

    async def accept(self) -> None:
        """Open the socket; `SocketClosed` when the driver went away meanwhile."""
        await self._receive()
        self._is_open = True
        await self.send_event({"type": "websocket.accept"})

    async def refuse(self, status: int, detail: str) -> None:
        """Answer plain HTTP instead of opening the socket."""
        await self._receive()
        body = json.dumps({"detail": detail}).encode()
        headers = [(b"content-type", b"application/json")]
        try:
            await self._send({"type": "websocket.http.response.start", "status": status, "headers": headers})
            await self._send({"type": "websocket.http.response.body", "body": body})
        except OSError:
            return

    async def frames(self) -> AsyncIterator[Frame]:
        """What the driver sends, until either side closes."""
        while True:
            event = await self._receive()
            if event["type"] != "websocket.receive":
                self._is_open = False
                return
            text = event.get("text")
            yield event["bytes"] if text is None else text

    async def send(self, frames: Sequence[Frame]) -> None:
        """Send these frames one after another; in one write when they are small."""
        is_one_write = sum(map(len, frames)) <= ONE_WRITE_BYTES
        for frame in frames[:-1]:
            await self._send_frame(frame, {MORE: True} if is_one_write else {})
        await self._send_frame(frames[-1], {})

    async def _send_frame(self, frame: Frame, extra: dict[str, object]) -> None:
        kind = "text" if isinstance(frame, str) else "bytes"
        await self.send_event({"type": "websocket.send", kind: frame} | extra)

    async def send_event(self, event: dict[str, object]) -> None:
        if not self._is_open:
            raise SocketClosed
        try:
            await self._send(event)
        except OSError as error:
            self._is_open = False
            raise SocketClosed from error

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye; the reader then ends. Twice is the same as once."""
        if not self._is_open:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.send_event({"type": "websocket.close", "code": code, "reason": reason})
        except (SocketClosed, TimeoutError):
            return
        finally:
            self._is_open = False
