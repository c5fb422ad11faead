"""Is the run still ours to work on? Notices a cancellation at once; interrupts waits, never an action."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cyberdesk_server.executor.parts import CheckParts
from cyberdesk_server.executor.signals import RunFails, RunStopped
from cyberdesk_server.ports import Message
from cyberdesk_server.store import leases, llm_costs
from cyberdesk_server.store.claims import CheckClaim
from cyberdesk_server.topics import run_topic

T = TypeVar("T")

log = structlog.get_logger(__name__)

OWN_NEWS = "step"
"""In the head of a message that the executor sends itself: nothing about the run's life changed."""


class Watch:
    """One claim's right to go on.

    Every wait of the executor goes through here, so that a cancelled run stops within milliseconds.
    """

    def __init__(self, claim: CheckClaim, parts: CheckParts) -> None:
        self._claim = claim
        self._parts = parts
        self._stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        started_at: datetime = claim.run.started_at or parts.clock.now()
        self._deadline = started_at + timedelta(seconds=parts.limits.run_time_limit_seconds)

    @property
    def seconds_left(self) -> float:
        """Until the run's time limit; 0 when it is over."""
        return max((self._deadline - self._parts.clock.now()).total_seconds(), 0.0)

    def check(self) -> None:
        """Go on, or raise `RunStopped` or, past the time limit, `RunFails`."""
        if self._stopped.done():
            raise RunStopped
        if self.seconds_left == 0:
            raise RunFails(
                f"the run took longer than its limit of {self._parts.limits.run_time_limit_seconds:g} seconds"
            )

    async def confirm(self) -> None:
        """`check`, and ask the store: for the moment before an action."""
        self.check()
        async with self._parts.database.read() as conn:
            may_act = await leases.may_act(conn, self._claim.held)
        if not may_act:
            raise RunStopped

    async def afford(self) -> None:
        """Go on, or raise `RunFails` when the run has cost more than it may: for before a model is asked.

        Calls whose price nobody knows do not count.
        """
        limit = self._parts.limits.cost_limit_usd
        if limit is None:
            return
        async with self._parts.database.read() as conn:
            spent = await llm_costs.spent_usd(conn, self._claim.run.id)
        if spent > limit:
            raise RunFails(
                f"language models have cost ${spent:.4f}, more than the run's cost_limit_usd of ${limit:g}"
            )

    async def unless_stopped(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which is interrupted when the run stops. Never hand over an action."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait((task, self._stopped), return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                self.check()
            return await task
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def sleep(self, seconds: float) -> None:
        """Wait, but not past the time limit and not when the run stops."""
        self.check()
        await self.unless_stopped(self._parts.clock.sleep(min(seconds, self.seconds_left)))
        self.check()

    async def _hear(self, messages: AsyncIterator[tuple[str, Message]]) -> None:
        async for _, message in messages:
            if OWN_NEWS not in message.head:
                await self._look_up()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._parts.limits.stop_sweep_seconds)
            await self._look_up()

    async def _look_up(self) -> None:
        try:
            await self.confirm()
        except RunStopped:
            if not self._stopped.done():
                self._stopped.set_result(None)
        except RunFails:
            return  # the time limit: the loop finds out by itself, before its next action
        except SQLAlchemyError:
            log.warning("the run could not be looked up, trying again", exc_info=True)


@asynccontextmanager
async def watching(claim: CheckClaim, parts: CheckParts) -> AsyncIterator[Watch]:
    """A watch over the claimed run for as long as the context is open."""
    watch = Watch(claim, parts)
    async with parts.bus.listen(run_topic(claim.run.id)) as messages:
        tasks = asyncio.create_task(watch._hear(messages)), asyncio.create_task(watch._sweep())
        try:
            yield watch
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
