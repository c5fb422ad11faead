"""One tunnel while it stands: requests in, answers out, frames of two answers never mixed.

Reading never waits for a command, so a drop is noticed and a ping answered at once, whatever is going on.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from cyberdesk_wire import (
    BadField,
    BadHeader,
    DriverSide,
    Frame,
    Limits,
    MessageTooLarge,
    MissingField,
    ProtocolError,
    Request,
    Response,
    TooManyRequests,
)
from websockets.asyncio.connection import Connection as Socket
from websockets.exceptions import ConnectionClosed

from cyberdriver.answers import problem

ENDING = 1001
"""The close code of a driver that ends."""

logger = logging.getLogger(__name__)


class Answering(Protocol):
    async def answer(self, request: Request) -> Response: ...


class Connection:
    """Serves one socket until it closes."""

    def __init__(
        self, socket: Socket, dispatcher: Answering, on_request: Callable[[], None], limits: Limits
    ) -> None:
        self._socket = socket
        self._dispatcher = dispatcher
        self._on_request = on_request
        self._side = DriverSide(limits)
        self._send_lock = asyncio.Lock()
        self._answers: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Reads and answers until the socket closes; then takes back what has not begun."""
        try:
            async for frame in self._socket:
                for event in self._side.receive(frame):
                    self._take(event)
        except ConnectionClosed:
            pass
        finally:
            for task in self._answers:
                task.cancel()
            await asyncio.gather(*self._answers, return_exceptions=True)

    async def finish(self, grace_seconds: float) -> None:
        """Sends the answers of what is running, for at most this long, then says goodbye."""
        if self._answers:
            await asyncio.wait(self._answers, timeout=grace_seconds)
        await self._socket.close(ENDING, "the driver is ending")

    def _take(self, event: Request | ProtocolError) -> None:
        match event:
            case Request():
                self._on_request()
                self._start(event)
            case ProtocolError():
                logger.warning("wrong frame from the server request_id=%s error=%s", event.request_id, event)
                refusal = _refusal(event)
                if refusal is not None:
                    self._start(refusal)

    def _start(self, work: Request | Response) -> None:
        task = asyncio.create_task(self._answer(work))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, work: Request | Response) -> None:
        response = work if isinstance(work, Response) else await self._dispatcher.answer(work)
        frames = self._side.send(response)
        if isinstance(frames, ProtocolError):
            logger.warning("an answer cannot be sent request_id=%s error=%s", response.request_id, frames)
            instead = _response(response.request_id, 500, f"the answer cannot be sent: {frames}")
            frames = self._side.send(instead)
            if isinstance(frames, ProtocolError):
                return
        await self._send(frames)

    async def _send(self, frames: list[Frame]) -> None:
        async with self._send_lock:
            try:
                for frame in frames:
                    await self._socket.send(frame)
            except ConnectionClosed:
                return


def _refusal(error: ProtocolError) -> Response | None:
    """The answer to a request that could not be taken, where its id is known and the server waits for it."""
    if not error.request_id:
        return None
    match error:
        case TooManyRequests():
            return _response(error.request_id, 429, str(error))
        case MessageTooLarge():
            return _response(error.request_id, 413, str(error))
        case MissingField() | BadField() | BadHeader():
            return _response(error.request_id, 400, str(error))
        case _:
            return None


def _response(request_id: str, status: int, detail: str) -> Response:
    answer = problem(status, detail)
    return Response(request_id, answer.status, answer.headers, answer.body)
