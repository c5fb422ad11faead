"""One claimed run: carried out while its lease lasts, and ended in one transaction.

Every write names the claim's attempt, so a worker that lost its lease changes nothing (invariant 4).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.parts import Ending, ExecutorParts
from cyberdesk_server.store import claims
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import is_away
from cyberdesk_server.topics import MACHINES_FREE, run_topic
from cyberdesk_server.usecases import trajectories
from cyberdesk_server.usecases.endings import finish
from cyberdesk_server.worker.gate import GatedDesktop

log = structlog.get_logger(__name__)

DATABASE_AWAY_SECONDS = 60.0
"""How long an ending waits for a database that has gone; after that it is left to the lease."""

INSISTING_SECONDS = 0.5
"""Between two attempts to write it."""

INTERNAL_ERROR = "the server failed in a way it should not have; its log tells more under this run's id"


class Job:
    """A claim on its way to its ending."""

    def __init__(self, claim: Claim, parts: ExecutorParts, *, lease_until: datetime) -> None:
        self._claim = claim
        self._gate = GatedDesktop(parts.desktop, parts.clock, open_until=lease_until)
        self._parts = replace(parts, desktop=self._gate)
        self._execution: asyncio.Task[Ending | None] | None = None

    @property
    def held(self) -> tuple[RunId, int]:
        """The run and the attempt in which it is held: what `store.claims.renew` takes."""
        return self._claim.run.id, self._claim.attempt

    async def carry_out(self) -> None:
        """Execute the run and write its ending; or leave it to the next worker, when it was given up."""
        self._execution = asyncio.create_task(self._execute())
        try:
            await asyncio.wait({self._execution})
        finally:
            self._execution.cancel()
            await asyncio.gather(self._execution, return_exceptions=True)
        ending = None if self._execution.cancelled() else self._execution.result()
        await self._insist(self.leave if ending is None else partial(self._end, ending))
        await self._parts.bus.publish(run_topic(self._claim.run.id))
        await self._parts.bus.publish(MACHINES_FREE)

    async def give_up(self, *, timeout_seconds: float) -> None:
        """Stop in front of the next look or action, and leave the run to the next worker."""
        if self._execution is None or self._execution.done():
            return
        held = asyncio.create_task(self._gate.hold())
        await asyncio.wait(
            {held, self._execution}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        held.cancel()
        self._execution.cancel()

    async def leave(self) -> None:
        """Let the next worker take the run over at once."""
        async with self._parts.database.transaction() as conn:
            await claims.leave(conn, *self.held, now=self._parts.clock.now())
        log.info("run left to the next worker")

    async def renewed(self, status: RunStatus | None, *, lease_until: datetime) -> None:
        """The lease lasts until then; or it is lost, when there is no status."""
        if status is None:
            self._gate.close()
        else:
            self._gate.open_until(lease_until)  # also when the run was ended: its files are to be taken away
        if status is None or status.is_terminal:
            # The executor listens to this topic and looks for itself; the news it missed reaches it now.
            await self._parts.bus.publish(run_topic(self._claim.run.id))

    async def _execute(self) -> Ending | None:
        """How the run ended; None when the database went away in the middle, and the next worker goes on."""
        try:
            return await execute(self._claim, self._parts)
        except Exception as error:  # the edge: our own bugs end here, once, with the ids of the context
            if is_away(error):
                log.warning("the database is away, the run waits for it", exc_info=True)
                return None
            log.exception("execution failed")
            return Ending(RunStatus.ERROR, error=(INTERNAL_ERROR,))

    async def _insist(self, write: Callable[[], Awaitable[None]]) -> None:
        """Do this write, which names the attempt and may be done twice; while the database is away, again."""
        clock = self._parts.clock
        give_up_at = clock.now() + timedelta(seconds=DATABASE_AWAY_SECONDS)
        while True:
            try:
                return await write()
            except Exception as error:
                if not is_away(error) or clock.now() >= give_up_at:
                    raise
            await clock.sleep(INSISTING_SECONDS)

    async def _end(self, ending: Ending) -> None:
        now = self._parts.clock.now()
        run_id, attempt = self.held
        async with self._parts.database.transaction() as conn:
            ended: tuple[RunId, ...] = ()
            if ending.status is not RunStatus.CANCELLED:
                ended = await finish(
                    conn,
                    run_id,
                    attempt,
                    status=ending.status,
                    error=ending.error or None,
                    output_data=ending.output_data,
                    usage_metadata=ending.usage_metadata,
                    now=now,
                )
            if ended and ending.status is RunStatus.SUCCESS and ending.display is not None:
                run, prompt = self._claim.run, self._claim.prompt
                await trajectories.record(conn, run, prompt, ending.display, now=now)
            if not ended:
                await claims.release(conn, run_id, attempt, now=now)
        log.info(
            "run ended" if ended else "run was ended or taken over by somebody else", status=ending.status
        )
        for other in ended:
            await self._parts.bus.publish(run_topic(other))
