"""How soon a worker claims a run that is committed while a machine is idle."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from time import perf_counter

import structlog
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.executor.parts import CheckParts, ExecutorParts
from cyberdesk_server.store.claims import CheckClaim, Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import HERE, a_machine, a_run, a_workflow, an_organization
from cyberdesk_server.topics import RUNS_WAITING, run_topic
from cyberdesk_server.worker import Worker, WorkerLimits

from bench.goals import Goal

SAMPLES = 150
WARM_UP_SAMPLES = 20
END_SECONDS = 10.0
P50_MS, P99_MS = 5, 30


class NothingToDo(Exception):
    """The run is claimed: that is all that is measured."""


async def no_checks(claim: CheckClaim) -> CheckParts:
    raise AssertionError("a run has checks")


@contextmanager
def silence() -> Iterator[None]:
    """Nobody is told that runs have nothing to do."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.reset_defaults()


async def measure(name: str, database: Database) -> None:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        workflow = await a_workflow(conn, organization_id)
        await a_machine(conn, organization_id)
    bus, claimed_at = InProcessBus(), 0.0

    async def parts_for(claim: Claim) -> ExecutorParts:
        nonlocal claimed_at
        claimed_at = perf_counter()
        raise NothingToDo  # the worker ends the run, and the machine is free for the next

    limits = WorkerLimits(sweep_seconds=600, lease_seconds=600)
    worker = Worker(HERE, database, bus, SystemClock(), parts_for, no_checks, limits)
    with silence():
        working = asyncio.create_task(worker.run())
        taken = []
        for _ in range(WARM_UP_SAMPLES + SAMPLES):
            async with database.transaction() as conn:
                run = await a_run(conn, workflow)
            committed_at = perf_counter()
            async with bus.listen(run_topic(run.id)) as news, asyncio.timeout(END_SECONDS):
                await bus.publish(RUNS_WAITING)
                await anext(news)
            taken.append(1000 * (claimed_at - committed_at))
            await asyncio.sleep(0.01)  # the worker looks around once more and falls asleep
        await worker.stop()
        await working
    Goal(f"scheduler_{name}_commit_to_claim_p50_ms", P50_MS).tell(median(taken[WARM_UP_SAMPLES:]))
    p99 = quantiles(taken[WARM_UP_SAMPLES:], n=100)[-1]
    Goal(f"scheduler_{name}_commit_to_claim_p99_ms", P99_MS).tell(p99)
