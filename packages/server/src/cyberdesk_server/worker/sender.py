"""Sends webhooks as soon as they are due: woken by the bus, by the clock, and by a slow sweep.

    outbox -> spread to the endpoints -> claimed -> attempted, each endpoint in its lane -> outcome written

Several servers do this on one database. What one has claimed the others leave alone until its lease is over.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ServerId, WebhookEndpointId
from cyberdesk_server.domain.webhooks import Answer
from cyberdesk_server.ports import Bus, Clock, Message, Vault
from cyberdesk_server.store import webhook_claims, webhook_messages
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.webhook_claims import ClaimedDelivery
from cyberdesk_server.topics import WEBHOOKS_WAITING
from cyberdesk_server.usecases.webhook_deliveries import Courier, Patience, attempt, note
from cyberdesk_server.usecases.webhook_messages import spread
from cyberdesk_server.worker.lanes import Lanes

log = structlog.get_logger(__name__)

PROMPT_MS = 2_000
"""An answer that takes longer makes its lane narrow."""

NOTED_AT_A_TIME = 200
"""Outcomes that are written in one transaction."""

CLAIMED_AT_A_TIME = 64
"""Endpoints whose deliveries are claimed in one transaction."""

SUSPECT_SHARE = 4
"""Endpoints that do not answer promptly share one part in so many of all that is under way."""


@dataclass(frozen=True, slots=True)
class SenderLimits:
    """How much one sender does at a time, and how long it waits."""

    concurrency: int = 256
    """Messages under way at the same time."""

    lease_seconds: float = 60.0
    """How long a claim lasts; longer than an attempt can take."""

    sweep_seconds: float = 0.5
    """How long a sender sleeps that nobody wakes."""

    shutdown_seconds: float = 5.0
    """How long a stopping sender waits for answers."""


class Sender:
    """Sends webhooks until it is stopped."""

    def __init__(
        self,
        server_id: ServerId,
        database: Database,
        bus: Bus,
        clock: Clock,
        courier: Courier,
        vault: Vault,
        patience: Patience,
        limits: SenderLimits,
    ) -> None:
        self._server_id = server_id
        self._database = database
        self._bus = bus
        self._clock = clock
        self._courier = courier
        self._vault = vault
        self._patience = patience
        self._limits = limits
        suspect = max(1, limits.concurrency // SUSPECT_SHARE)
        self._lanes = Lanes(at_once=max(1, limits.concurrency - suspect), suspect_at_once=suspect)
        self._awake = asyncio.Event()
        self._is_stopping = False
        self._under_way: set[asyncio.Task[None]] = set()
        self._answers: asyncio.Queue[tuple[ClaimedDelivery, Answer]] = asyncio.Queue()

    async def run(self) -> None:
        """Send, until `stop`; returns when the last outcome is written or left to the lease."""
        async with self._bus.listen(WEBHOOKS_WAITING) as wake_ups, asyncio.TaskGroup() as beside:
            listener = beside.create_task(self._hear(wake_ups))
            writer = beside.create_task(self._write_outcomes())
            async with asyncio.TaskGroup() as sending:
                while not self._is_stopping:
                    self._awake.clear()
                    await self._sleep(await self._advance(sending))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.shutdown_seconds):
                    await self._answers.join()
            listener.cancel()
            writer.cancel()

    async def stop(self) -> None:
        """Send nothing more, wait for answers for a while, and leave the rest to the next sender."""
        self._is_stopping = True
        self._awake.set()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self._limits.shutdown_seconds)
        for task in self._under_way:
            task.cancel()

    async def _advance(self, sending: asyncio.TaskGroup) -> float:
        """Do what is to be done now; how many seconds until there may be more."""
        now = self._clock.now()
        try:
            async with self._database.read() as conn:
                is_news = await webhook_messages.is_any_unspread(conn)
                due = await webhook_claims.due(conn)
            if not is_news and not self._ready(due, now):
                return self._until_next(due, now)
            is_more, claimed = await self._claim(due, now, is_news=is_news)
        except SQLAlchemyError:
            log.warning("no webhook could be claimed, trying again", exc_info=True)
            return self._limits.sweep_seconds
        if self._is_stopping:
            return 0.0  # what was claimed this late is left to the next sender
        for delivery in claimed:
            task = sending.create_task(self._attempt(delivery))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return 0.0 if is_more or claimed else self._limits.sweep_seconds

    async def _claim(
        self, due: Sequence[tuple[WebhookEndpointId, datetime]], now: datetime, *, is_news: bool
    ) -> tuple[bool, Sequence[ClaimedDelivery]]:
        claimed: list[ClaimedDelivery] = []
        is_more = False
        try:
            async with self._database.transaction() as conn:
                if is_news:
                    is_more = await spread(conn, now=now)
                    due = await webhook_claims.due(conn)
                for endpoint_id in self._ready(due, now)[:CLAIMED_AT_A_TIME]:
                    claimed += await self._claim_for(conn, endpoint_id, now)
        except BaseException:
            for delivery in claimed:
                self._lanes.end(delivery.endpoint_id, is_prompt=None)
            raise
        return is_more, claimed

    async def _claim_for(
        self, conn: AsyncConnection, endpoint_id: WebhookEndpointId, now: datetime
    ) -> Sequence[ClaimedDelivery]:
        claimed = await webhook_claims.claim(
            conn,
            endpoint_id,
            at_most=self._lanes.room(endpoint_id),
            server_id=self._server_id,
            now=now,
            lease_seconds=self._limits.lease_seconds,
        )
        self._lanes.begin(endpoint_id, len(claimed))
        return claimed

    def _ready(
        self, due: Sequence[tuple[WebhookEndpointId, datetime]], now: datetime
    ) -> Sequence[WebhookEndpointId]:
        """The endpoints to which something may go now, the longest due first."""
        ready = []
        for endpoint_id, due_at in due:
            if due_at > now:
                break
            if self._lanes.room(endpoint_id):
                ready.append(endpoint_id)
            else:
                self._lanes.wait(endpoint_id)
        return ready

    def _until_next(self, due: Sequence[tuple[WebhookEndpointId, datetime]], now: datetime) -> float:
        waits = ((due_at - now).total_seconds() for _, due_at in due if due_at > now)
        return min(next(waits, self._limits.sweep_seconds), self._limits.sweep_seconds)

    async def _attempt(self, delivery: ClaimedDelivery) -> None:
        is_prompt: bool | None = None
        try:
            answer = await attempt(delivery, self._courier, self._vault, now=self._clock.now())
            is_prompt = answer.error is None and answer.duration_ms <= PROMPT_MS
            self._answers.put_nowait((delivery, answer))
        except Exception:  # the edge: one message's trouble must not end the sender
            log.exception("a webhook could not be attempted; it is left to its lease")
        finally:
            if self._lanes.end(delivery.endpoint_id, is_prompt=is_prompt):
                self._awake.set()

    async def _write_outcomes(self) -> None:
        while True:
            answers = [await self._answers.get()]
            while not self._answers.empty() and len(answers) < NOTED_AT_A_TIME:
                answers.append(self._answers.get_nowait())
            while not await self._is_noted(answers):
                await self._clock.sleep(self._limits.sweep_seconds)
            for _ in answers:
                self._answers.task_done()

    async def _is_noted(self, answers: Sequence[tuple[ClaimedDelivery, Answer]]) -> bool:
        try:
            async with self._database.transaction() as conn:
                await note(conn, answers, self._patience, now=self._clock.now())
        except SQLAlchemyError:
            log.warning("outcomes of webhooks not written, trying again", exc_info=True)
            return False
        return True

    async def _hear(self, wake_ups: AsyncIterator[tuple[str, Message]]) -> None:
        async for _ in wake_ups:
            self._awake.set()

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()
