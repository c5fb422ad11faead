"""One claimed run: carried out and checked while its lease lasts, and ended in one transaction.

Every write names the claim's attempt, so a worker that lost its lease changes nothing (invariant 4).
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.executor.cleaning import clean_up
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.parts import CheckParts, ExecutorParts
from cyberdesk_server.executor.post_run_checks import check
from cyberdesk_server.store import leases
from cyberdesk_server.store.claims import CheckClaim, Claim
from cyberdesk_server.store.database import is_away
from cyberdesk_server.store.leases import Held
from cyberdesk_server.topics import MACHINES_FREE, run_topic
from cyberdesk_server.usecases import trajectories
from cyberdesk_server.usecases.endings import tell_ended
from cyberdesk_server.worker.endings import Endings
from cyberdesk_server.worker.gate import GatedDesktop

log = structlog.get_logger(__name__)

DATABASE_AWAY_SECONDS = 60.0
"""How long an ending waits for a database that has gone; after that it is left to the lease."""

INSISTING_SECONDS = 0.5
"""Between two attempts to write it."""

INTERNAL_ERROR = "the server failed in a way it should not have; its log tells more under this run's id"


class Job(ABC):
    """A claim on its way to its ending."""

    def __init__(self, claim: CheckClaim, parts: CheckParts, endings: Endings) -> None:
        self._claim = claim
        self._parts = parts
        self._endings = endings
        self._work: asyncio.Task[Ending | None] | None = None

    @property
    def held(self) -> Held:
        """The run and the attempt in which it is held: what `store.leases.renew` takes."""
        return self._claim.held

    async def carry_out(self) -> None:
        """Do the work and write how it ended; or leave the run to the next worker, when it was given up."""
        self._work = asyncio.create_task(self._work_on())
        try:
            await asyncio.wait({self._work})
        finally:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        ending = None if self._work.cancelled() else self._work.result()
        await self._insist(self.leave if ending is None else partial(self._end, ending))
        await self._parts.bus.publish(run_topic(self._claim.run.id))
        await self._parts.bus.publish(MACHINES_FREE)

    async def give_up(self, *, timeout_seconds: float) -> None:
        """Stop where nothing is half done, or when the time is over, and leave the run to the next worker."""
        if self._work is None or self._work.done():
            return
        stands_still = asyncio.create_task(self._stand_still())
        await asyncio.wait(
            {stands_still, self._work}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        stands_still.cancel()
        self._work.cancel()

    async def leave(self) -> None:
        """Let the next worker take the run over at once."""
        async with self._parts.database.transaction() as conn:
            await leases.leave(conn, self.held, now=self._parts.clock.now())
        log.info("run left to the next worker")

    async def renewed(self, status: RunStatus | None, *, lease_until: datetime) -> None:
        """The lease lasts until then; or it is lost, when there is no status."""
        if status is None or status.is_terminal:
            # The executor listens to this topic and looks for itself; the news it missed reaches it now.
            await self._parts.bus.publish(run_topic(self._claim.run.id))

    @abstractmethod
    async def _do(self) -> Ending:
        """The work itself."""

    @abstractmethod
    async def _stand_still(self) -> None:
        """Returns once the work waits in front of something that must not be left half done."""

    async def _work_on(self) -> Ending | None:
        """How the run ended; None when the database went away in the middle, and the next worker goes on."""
        try:
            return await self._do()
        except Exception as error:  # the edge: our own bugs end here, once, with the ids of the context
            if is_away(error):
                log.warning("the database is away, the run waits for it", exc_info=True)
                return None
            log.exception("execution failed")
            return Ending(RunStatus.ERROR, error=(INTERNAL_ERROR,))

    async def _check(self, claim: CheckClaim) -> Ending:
        ending = await check(claim, self._parts)
        log.info("post-run checks made", status=ending.status)
        return ending

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
        if ending.status is RunStatus.SUCCESS and ending.display is None:
            ending = replace(ending, display=await self._display())
        ended = await self._endings.write(self._claim, ending)
        log.info(
            "run ended" if ended else "run was ended or taken over by somebody else", status=ending.status
        )
        await tell_ended(self._parts.bus, ended)

    async def _display(self) -> Size | None:
        """Of the desktop, when it was another worker that looked at it; None when nobody did."""
        async with self._parts.database.read() as conn:
            return await trajectories.display_of(conn, self._claim.run.id, self._parts.blobs)


class RunJob(Job):
    """Carries a run out on its machine and, when that went well, makes its post-run checks and what is to be
    done when one has failed."""

    def __init__(
        self, claim: Claim, parts: ExecutorParts, endings: Endings, *, lease_until: datetime
    ) -> None:
        self._gate = GatedDesktop(parts.desktop, parts.clock, open_until=lease_until)
        self._to_carry_out = claim
        self._equipment = replace(parts, desktop=self._gate)
        super().__init__(claim, self._equipment, endings)

    async def renewed(self, status: RunStatus | None, *, lease_until: datetime) -> None:
        if status is None:
            self._gate.close()
        else:
            self._gate.open_until(lease_until)  # also when the run was ended: its files are to be taken away
        await super().renewed(status, lease_until=lease_until)

    async def _do(self) -> Ending:
        claim = self._to_carry_out
        if claim.run.status is RunStatus.RUNNING_CHECKS:
            return await self._checked(claim.run)
        ending = await execute(claim, self._equipment)
        if ending.status is not RunStatus.SUCCESS or not claim.run.post_run_checks:
            return ending
        async with self._parts.database.transaction() as conn:
            run = await leases.begin_checks(
                conn,
                self.held,
                output_data=ending.output_data,
                now=self._parts.clock.now(),
                needs_machine=claim.cleanup_prompt is not None,
            )
        if run is None:
            return Ending(RunStatus.CANCELLED)
        await self._parts.bus.publish(run_topic(run.id))
        if run.has_left_machine:
            await self._parts.bus.publish(MACHINES_FREE)
        return replace(await self._checked(run), display=ending.display, trials=ending.trials)

    async def _checked(self, run: Run) -> Ending:
        claim = replace(self._to_carry_out, run=run)
        checked = await self._check(claim.to_check(run))
        return await clean_up(claim, self._equipment, checked)

    async def _stand_still(self) -> None:
        await self._gate.hold()


class CheckJob(Job):
    """Goes on with the post-run checks of a run that another worker has left."""

    async def _do(self) -> Ending:
        return await self._check(self._claim)

    async def _stand_still(self) -> None:
        await asyncio.get_running_loop().create_future()  # a check is made to its end, if there is time
