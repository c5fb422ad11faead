"""Claims runs as soon as they can start: woken by the bus, and by a slow sweep in case a wake-up got lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.executor.parts import CheckParts, ExecutorParts
from cyberdesk_server.ports import Bus, Clock, Message
from cyberdesk_server.store import claims, leases, openings
from cyberdesk_server.store.claims import CheckClaim, Claim, Claimed
from cyberdesk_server.store.database import Database, is_away
from cyberdesk_server.topics import MACHINES_FREE, RUNS_WAITING
from cyberdesk_server.usecases.endings import tell_ended
from cyberdesk_server.worker.endings import Endings
from cyberdesk_server.worker.job import INTERNAL_ERROR, CheckJob, Job, RunJob

log = structlog.get_logger(__name__)

WAKE_UPS = (RUNS_WAITING, MACHINES_FREE)
RENEWALS_PER_LEASE = 3
NOTHING = Claimed((), is_all=True)

LOOK_SECONDS = 0.1
"""For so long after one decision has looked for runs that nobody works on any more, the others do not."""

ENDINGS_SECONDS = 0.05
"""How long a decision waits for endings that are being written."""


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """How much one worker does at a time, and how long it waits."""

    concurrency: int = 64
    """Runs at the same time."""

    lease_seconds: float = 3.0
    """How long a claim lasts without a renewal."""

    sweep_seconds: float = 0.5
    """How long a worker sleeps that nobody wakes."""

    shutdown_seconds: float = 5.0
    """How long a stopping worker waits for actions under way."""


class Worker:
    """Carries out runs until it is stopped."""

    def __init__(
        self,
        server_id: ServerId,
        database: Database,
        bus: Bus,
        clock: Clock,
        parts_for: Callable[[Claim], Awaitable[ExecutorParts]],
        check_parts_for: Callable[[CheckClaim], Awaitable[CheckParts]],
        limits: WorkerLimits,
    ) -> None:
        """`parts_for` builds what one run is executed with: its desktop, its model, its reader;
        `check_parts_for` what the checks are made with of a run that another worker has left in them."""
        self._server_id = server_id
        self._database = database
        self._bus = bus
        self._clock = clock
        self._parts_for = parts_for
        self._check_parts_for = check_parts_for
        self._limits = limits
        self._endings = Endings(database, clock)
        self._at_work = 0
        self._awake = asyncio.Event()
        self._may_find_a_machine = True
        self._next_look = 0.0
        self._has_looked = True
        self._is_stopping = False
        self._jobs: set[Job] = set()

    async def run(self) -> None:
        """Claim and carry out, until `stop`; returns when the last run is ended or left."""
        async with self._bus.listen(*WAKE_UPS) as wake_ups, asyncio.TaskGroup() as beside:
            listener = beside.create_task(self._hear(wake_ups))
            keeper = beside.create_task(self._keep_leases())
            writer = beside.create_task(self._endings.keep_writing())
            async with asyncio.TaskGroup() as carrying:
                while not self._is_stopping:
                    self._awake.clear()
                    await self._let_endings_be_written()
                    claimed = await self._claim() if self._slots else NOTHING
                    for claim in claimed.claims:
                        self._at_work += 1
                        carrying.create_task(self._work(claim))
                    if not self._is_stopping and (claimed.is_all or not self._slots):
                        await self._sleep()
            listener.cancel()
            keeper.cancel()
            writer.cancel()

    async def stop(self) -> None:
        """Claim nothing more, let actions under way end, and leave unfinished runs to the next worker."""
        self._is_stopping = True
        self._awake.set()
        timeout_seconds = self._limits.shutdown_seconds
        await asyncio.gather(*(job.give_up(timeout_seconds=timeout_seconds) for job in tuple(self._jobs)))

    @property
    def _slots(self) -> int:
        """How many runs more it could work on."""
        return self._limits.concurrency - self._at_work

    async def _let_endings_be_written(self) -> None:
        """Runs that are ending give back slots and machines in a moment: one decision gives all of them away
        then, where otherwise every decision would find a few."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDINGS_SECONDS):
                await self._endings.all_written()

    async def _claim(self) -> Claimed:
        self._may_find_a_machine = True  # what comes while it looks may come too late to be seen
        self._has_looked = (time := asyncio.get_running_loop().time()) >= self._next_look
        try:
            async with self._database.transaction() as conn:
                claimed = await claims.claim(
                    conn,
                    server_id=self._server_id,
                    now=self._clock.now(),
                    lease_seconds=self._limits.lease_seconds,
                    at_most=self._slots,
                    looks_for_abandoned=self._has_looked,
                )
                # While no machine is free a new run is no reason to look again; a machine that gets free is.
                # Who has just found one need not ask whether there are more.
                is_in_vain = claimed.is_all and not claimed.claims
                if is_in_vain and not await openings.is_any_machine_free(conn, self._server_id):
                    self._may_find_a_machine = False
            if self._has_looked:
                self._next_look = time + LOOK_SECONDS
            return claimed
        except SQLAlchemyError:
            log.warning("no run could be claimed, trying again", exc_info=True)
            return NOTHING

    async def _work(self, claim: Claim | CheckClaim) -> None:
        run = claim.run
        ids = {"run_id": str(run.id), "machine_id": str(run.machine_id), "attempt": claim.attempt}
        with structlog.contextvars.bound_contextvars(**ids):
            log.info("run claimed")
            try:
                await self._carry_out(claim)
            except Exception:  # the edge: one run's trouble must not end the worker
                log.exception("the ending could not be written; the run is left to its lease")
            finally:
                self._at_work -= 1
                self._awake.set()

    async def _carry_out(self, claim: Claim | CheckClaim) -> None:
        try:
            job = await self._job(claim)
        except Exception as error:  # the edge: as in a job, our own bugs end the run and not the worker
            if is_away(error):
                log.warning("the database is away, the run is left to its lease", exc_info=True)
                return
            log.exception("the run could not be begun")
            await self._end_unbegun(claim)
            return
        self._jobs.add(job)
        try:
            await (job.leave() if self._is_stopping else job.carry_out())
        finally:
            self._jobs.discard(job)

    async def _job(self, claim: Claim | CheckClaim) -> Job:
        if not isinstance(claim, Claim):
            return CheckJob(claim, await self._check_parts_for(claim), self._endings)
        assert claim.run.lease_expires_at is not None
        parts = await self._parts_for(claim)
        return RunJob(claim, parts, self._endings, lease_until=claim.run.lease_expires_at)

    async def _end_unbegun(self, claim: Claim | CheckClaim) -> None:
        is_checked = claim.run.status is RunStatus.RUNNING_CHECKS
        checks = claim.run.post_run_checks or () if is_checked else None
        ended = await self._endings.write(
            claim, Ending(RunStatus.ERROR, error=(INTERNAL_ERROR,), checks=checks)
        )
        await tell_ended(self._bus, ended)
        await self._bus.publish(MACHINES_FREE)

    async def _keep_leases(self) -> None:
        while True:
            await self._clock.sleep(self._limits.lease_seconds / RENEWALS_PER_LEASE)
            if not self._jobs:
                continue
            jobs = tuple(self._jobs)
            lease_until = self._clock.now() + timedelta(seconds=self._limits.lease_seconds)
            try:
                async with self._database.transaction() as conn:
                    held = await leases.renew(
                        conn,
                        [job.held for job in jobs],
                        server_id=self._server_id,
                        lease_until=lease_until,
                    )
            except SQLAlchemyError:
                log.warning("leases not renewed, trying again", exc_info=True)
                continue
            for job in jobs:
                await job.renewed(held.get(job.held[0]), lease_until=lease_until)

    async def _hear(self, wake_ups: AsyncIterator[tuple[str, Message]]) -> None:
        async for topic, _ in wake_ups:
            if topic == MACHINES_FREE or self._may_find_a_machine:
                self._awake.set()

    async def _sleep(self) -> None:
        looks_soon = self._slots and not self._has_looked
        seconds = LOOK_SECONDS if looks_soon else self._limits.sweep_seconds
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()
