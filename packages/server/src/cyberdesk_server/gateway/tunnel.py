"""One live connection to a driver: questions go out, answers find whoever asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import structlog
from cyberdesk_wire import ProtocolError, Request, Response, ServerSide

from cyberdesk_server.gateway.dialect import Dialect, is_input
from cyberdesk_server.gateway.request_logs import Note
from cyberdesk_server.gateway.socket import Socket, SocketClosed
from cyberdesk_server.ports import Message
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question

log = structlog.get_logger(__name__)

MAX_WRONG_FRAMES = 100
"""A driver that breaks the protocol more often is none: its tunnel is closed."""

BROKEN = 1002, "too many frames against the protocol"

_GONE = "the connection to the desktop broke"
_GIVEN_UP = NoAnswer("whoever asked gave up", was_sent=True)


class Tunnel:
    """The protocol over one socket.

    `_writing` keeps the frames of two requests apart; `_in_flight` and `_inputs` are the driver's manners
    (see `Dialect`). A question is answered in the task of whoever asked it; only reading has its own.
    """

    def __init__(self, socket: Socket, dialect: Dialect, note: Note) -> None:
        self._socket = socket
        self._dialect = dialect
        self._note = note
        self._protocol = ServerSide()
        self._waiters: dict[str, asyncio.Future[DriverAnswer | NoAnswer]] = {}
        self._writing = asyncio.Lock()
        self._in_flight = asyncio.Semaphore(dialect.max_in_flight)
        self._inputs = asyncio.Lock()
        self._wrong_frames = 0

    @property
    def owes_answer(self) -> bool:
        """True while the driver has been asked something and has not answered."""
        return self._protocol.outstanding > 0

    async def answer(self, message: Message) -> Message:
        """Put one question to the driver: an `Answer` for the machine's topic."""
        question, began = Question.from_message(message), perf_counter()
        answer: DriverAnswer | NoAnswer = _GIVEN_UP
        try:
            answer = await self._answer(question)
            return answer.to_message()
        finally:
            self._note(question, answer, perf_counter() - began)

    async def read(self) -> None:
        """Hand out answers until the socket closes; then everybody who still waits learns that it did."""
        try:
            async for frame in self._socket.frames():
                for event in self._protocol.receive(frame):
                    self._deliver(event)
                if self._wrong_frames > MAX_WRONG_FRAMES:
                    await self.close(*BROKEN)
                    return
        finally:
            for waiter in self._waiters.values():
                if not waiter.done():
                    waiter.set_result(NoAnswer(_GONE, was_sent=True))

    async def close(self, code: int, reason: str) -> None:
        await self._socket.close(code, reason)

    async def _answer(self, asked: Question) -> DriverAnswer | NoAnswer:
        question = self._dialect.put(asked)
        if isinstance(question, DriverAnswer):
            return question
        async with self._turn(question):
            return await self._exchange(question)

    @asynccontextmanager
    async def _turn(self, question: Question) -> AsyncIterator[None]:
        if is_input(question.path) and not self._dialect.orders_inputs:
            async with self._inputs, self._in_flight:
                yield
        else:
            async with self._in_flight:
                yield

    async def _exchange(self, question: Question) -> DriverAnswer | NoAnswer:
        request = Request(
            question.request_id,
            question.method,
            question.path,
            question.query,
            question.headers,
            question.body,
        )
        framed = self._protocol.send(request)
        if isinstance(framed, ProtocolError):
            return NoAnswer(f"the request cannot be sent: {framed}", was_sent=False)
        waiter: asyncio.Future[DriverAnswer | NoAnswer] = asyncio.get_running_loop().create_future()
        self._waiters[request.request_id] = waiter
        was_sent = False
        try:
            async with asyncio.timeout(question.answer_seconds):
                async with self._writing:
                    await self._socket.send(framed)
                was_sent = True
                return await waiter
        except TimeoutError:
            reason = f"the desktop did not answer within {question.answer_seconds:g} s"
            return NoAnswer(reason, was_sent, was_late=True)
        except SocketClosed:
            return NoAnswer(_GONE, was_sent=False)
        finally:
            del self._waiters[request.request_id]
            self._protocol.abandon(request.request_id)

    def _deliver(self, event: Response | ProtocolError) -> None:
        waiter = self._waiters.get(event.request_id) if event.request_id is not None else None
        match event:
            case Response(status=status, headers=headers, body=body):
                answer: DriverAnswer | NoAnswer = DriverAnswer(status, headers, body)
            case ProtocolError():
                self._wrong_frames += 1
                answer = NoAnswer(f"the desktop answered against the protocol: {event}", was_sent=True)
                log.warning("driver broke the protocol", reason=str(event))
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)
