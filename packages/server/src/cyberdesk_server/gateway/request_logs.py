"""What went through the tunnels, written down in the background: a click never waits for it.

Kept is which request it was and how it ended; never a body, for somebody's secret may be typed in it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cyberdesk_server.domain.ids import RequestLogId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.request_logs import RequestLog
from cyberdesk_server.ports import Clock
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question, detail_of
from cyberdesk_server.store import request_logs
from cyberdesk_server.store.database import Database

log = structlog.get_logger(__name__)

WRITE_SECONDS = 1.0
"""Between two writings, so that many requests are one transaction."""

MAX_WAITING = 10_000
"""What comes when so many wait to be written is lost, and counted."""

BATCH = 100
"""Rows of one transaction: few, because a click may wait while they are put together."""

Note = Callable[[Question, DriverAnswer | NoAnswer, float], None]
"""Takes a request, what came of it, and how many seconds it took."""


@dataclass(slots=True)
class _Noted:
    """A row in the making: the rest is work for later."""

    machine: Machine
    request_id: str
    method: str
    path: str
    query: str
    request_bytes: int
    status: int | None
    answer_bytes: int | None
    error: str | None
    seconds: float
    ended_at: datetime


class RequestLogs:
    """The requests of all tunnels of this process."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: deque[_Noted] = deque()
        self._lost = 0
        self._is_over = asyncio.Event()

    def of(self, machine: Machine) -> Note:
        """Takes the requests of this machine; takes microseconds."""

        def note(question: Question, answer: DriverAnswer | NoAnswer, seconds: float) -> None:
            if len(self._waiting) >= MAX_WAITING:
                self._lost += 1
                return
            status, answer_bytes, error = _outcome(question, answer)
            self._waiting.append(
                _Noted(
                    machine,
                    question.request_id,
                    question.method,
                    question.path,
                    question.query,
                    len(question.body),
                    status,
                    answer_bytes,
                    error,
                    seconds,
                    self._clock.now(),
                )
            )

        return note

    async def keep_written(self) -> None:
        """Write what was noted, until the end; then write what is left."""
        is_over = False
        while not is_over:
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._is_over.wait()
            is_over = self._is_over.is_set()
            await self._write()

    def end(self) -> None:
        """Nothing more comes."""
        self._is_over.set()

    async def _write(self) -> None:
        """Write all that waits; what the database does not take now waits for the next time."""
        try:
            while self._waiting:
                batch = list(islice(self._waiting, BATCH))
                async with self._database.transaction() as conn:
                    await request_logs.add(conn, [_row(noted) for noted in batch])
                for _ in batch:
                    self._waiting.popleft()
        except SQLAlchemyError:
            log.warning("request logs not written, trying again", exc_info=True)
        if self._lost:
            log.warning("request logs were lost: more came than could be written", lost=self._lost)
            self._lost = 0


def _outcome(
    question: Question, answer: DriverAnswer | NoAnswer
) -> tuple[int | None, int | None, str | None]:
    """Status, bytes of the answer, and what went wrong.

    A driver's words about a request with a body are left out: they may repeat what was in it.
    """
    match answer:
        case DriverAnswer(status=status, body=body):
            has_words = status >= 400 and not question.body
            return status, len(body), detail_of(answer) if has_words else None
        case NoAnswer(reason=reason):
            return None, None, reason


def _row(noted: _Noted) -> RequestLog:
    return RequestLog(
        id=RequestLogId(uuid4()),
        organization_id=noted.machine.organization_id,
        machine_id=noted.machine.id,
        request_id=noted.request_id,
        method=noted.method,
        path=f"{noted.path}?{noted.query}" if noted.query else noted.path,
        created_at=noted.ended_at - timedelta(seconds=noted.seconds),
        completed_at=noted.ended_at,
        status_code=noted.status,
        request_size_bytes=noted.request_bytes,
        response_size_bytes=noted.answer_bytes,
        duration_ms=round(noted.seconds * 1000),
        error_message=noted.error,
    )
