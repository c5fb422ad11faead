"""One tunnel while it stands: requests in, answers out, frames of two answers never mixed.

Reading waits for no command but a brief one, so a drop is noticed and a ping answered at once, whatever is
going on.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
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
from websockets.protocol import State

from cyberdriver.answers import Answer, problem

ENDING = 1001
"""The close code of a driver that ends."""
ONE_WRITE_BYTES = 64 * 1024
"""Up to this size the frames of one answer are handed to the system together."""

logger = logging.getLogger(__name__)


class Beginning(Protocol):
    def begin(self, request: Request) -> Future[Answer]: ...


class Connection:
    """Serves one socket until it closes."""

    def __init__(
        self, socket: Socket, dispatcher: Beginning, on_request: Callable[[], None], limits: Limits
    ) -> None:
        self._socket = socket
        self._dispatcher = dispatcher
        self._on_request = on_request
        self._side = DriverSide(limits)
        self._loop = asyncio.get_running_loop()
        self._running: set[Future[Answer]] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._send_lock = asyncio.Lock()
        self._unsent_bytes = 0
        self._most_unsent_bytes = limits.max_message_bytes

    async def serve(self) -> None:
        """Reads and answers until the socket closes; then takes back what has not begun."""
        try:
            async for frame in self._socket:
                for event in self._side.receive(frame):
                    self._take(event)
                await self._room()
        except ConnectionClosed:
            pass
        finally:
            for running in self._running:
                running.cancel()
            for sending in self._sending:
                sending.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def finish(self, grace_seconds: float) -> None:
        """Sends the answers of what is running, for at most this long, then says goodbye."""
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                while self._running or self._sending:
                    running = {asyncio.wrap_future(one) for one in self._running}
                    await asyncio.wait(running | self._sending)
        await self._socket.close(ENDING, "the driver is ending")

    async def _room(self) -> None:
        """Back when no more is unsent than the largest answer: those of a server that asks and does not read
        do not pile up here."""
        while self._unsent_bytes > self._most_unsent_bytes and self._sending:
            await asyncio.wait(self._sending, return_when=asyncio.FIRST_COMPLETED)

    def _take(self, event: Request | ProtocolError) -> None:
        match event:
            case Request():
                self._on_request()
                running = self._dispatcher.begin(event)
                if running.done() and not self._running:
                    self._finished(event.request_id, running)
                else:
                    self._running.add(running)
                    running.add_done_callback(partial(self._tell, event.request_id))
            case ProtocolError():
                logger.warning("wrong frame from the server request_id=%s error=%s", event.request_id, event)
                refusal = _refusal(event)
                if refusal is not None:
                    self._answer(refusal)

    def _tell(self, request_id: str, running: Future[Answer]) -> None:
        """In the thread that did the work; straight to the loop, where a future of its own is a turn more."""
        with suppress(RuntimeError):  # the loop has ended, and nobody waits for this answer
            self._loop.call_soon_threadsafe(self._finished, request_id, running)

    def _finished(self, request_id: str, running: Future[Answer]) -> None:
        self._running.discard(running)
        if not running.cancelled():
            answer = running.result()
            self._answer(Response(request_id, answer.status, answer.headers, answer.body))

    def _answer(self, response: Response) -> None:
        frames = self._side.send(response)
        if isinstance(frames, ProtocolError):
            logger.warning("an answer cannot be sent request_id=%s error=%s", response.request_id, frames)
            instead = _response(response.request_id, 500, f"the answer cannot be sent: {frames}")
            frames = self._side.send(instead)
            if isinstance(frames, ProtocolError):
                return
        size_bytes = sum(map(len, frames))
        if size_bytes <= ONE_WRITE_BYTES and not self._is_behind():
            self._send_at_once(frames)
        else:
            self._unsent_bytes += size_bytes
            sending = asyncio.create_task(self._send(frames))
            self._sending.add(sending)
            sending.add_done_callback(partial(self._sent, size_bytes))

    def _is_behind(self) -> bool:
        """Whether the server has still to read what it was told before."""
        unread_bytes = self._socket.transport.get_write_buffer_size()
        return self._send_lock.locked() or bool(self._sending) or unread_bytes > ONE_WRITE_BYTES

    def _sent(self, size_bytes: int, sending: asyncio.Task[None]) -> None:
        self._sending.discard(sending)
        self._unsent_bytes -= size_bytes

    def _send_at_once(self, frames: list[Frame]) -> None:
        """In one write: each of its own would cost a system call here and a wake-up there."""
        protocol = self._socket.protocol
        if protocol.state is not State.OPEN:
            return
        for frame in frames:
            if isinstance(frame, str):
                protocol.send_text(frame.encode())
            else:
                protocol.send_binary(frame)
        self._socket.transport.writelines(protocol.data_to_send())

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
