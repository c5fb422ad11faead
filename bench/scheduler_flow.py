"""Runs that a worker claims and ends in a second, pools and sessions among them; jobs of procrastinate."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import Any

from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.domain.ids import SessionId
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import (
    HERE,
    PostgresqlForTests,
    a_machine,
    a_pool,
    a_run,
    a_workflow,
    an_organization,
)
from cyberdesk_server.usecases.placement import Wish, place
from cyberdesk_server.worker import Worker, WorkerLimits
from sqlalchemy.ext.asyncio import AsyncConnection

from bench import scheduler_peer
from bench.goals import Floor, tell
from bench.scheduler_wakes import NothingToDo, no_checks, silence

RUNS = 990
"""In one round: a third takes any machine, a third needs pools, a third is in sessions of three."""

ROUNDS = 3
SLOTS = WorkerLimits().concurrency
"""Runs, or jobs, at a time: as many as a worker has unless it is told otherwise."""

FEW_SLOTS = 16
"""With these it is measured as well: the fewer there are, the fewer runs share what a decision costs."""

MACHINES_PER_SLOT = 2.5

END_SECONDS = 60.0
TIMES_PROCRASTINATE = 2


async def measure(name: str, a_fresh_database: Callable[[], AbstractAsyncContextManager[Database]]) -> None:
    async with a_fresh_database() as database:
        rates = [await _runs_per_second(database, f"org_{round_}", SLOTS) for round_ in range(ROUNDS)]
    tell(f"scheduler_{name}_runs_per_second", median(rates))


async def compare(postgresql: PostgresqlForTests) -> None:
    """The same again in turns with the peer, on one PostgreSQL."""
    if not scheduler_peer.is_installed():
        print("scheduler: procrastinate is not installed; `make bench` installs it", flush=True)
        return
    async with postgresql.a_database() as ours, postgresql.a_database(template="template0") as theirs:
        await scheduler_peer.prepare(theirs.url)
        few = await _pairs(ours, theirs, FEW_SLOTS)
        usual = await _pairs(ours, theirs, SLOTS)
    tell(f"scheduler_{FEW_SLOTS}_slots_runs_times_procrastinate", _times(few))
    tell("scheduler_procrastinate_jobs_per_second", median(jobs for _, jobs in usual))
    Floor("scheduler_runs_times_procrastinate", TIMES_PROCRASTINATE).tell(_times(usual))


async def _pairs(ours: Database, theirs: Database, slots: int) -> Sequence[tuple[float, float]]:
    """Runs and jobs a second, in each round one right after the other."""
    return [
        (
            await _runs_per_second(ours, f"org_{slots}_{round_}", slots),
            await scheduler_peer.jobs_per_second(theirs.url, RUNS, slots),
        )
        for round_ in range(ROUNDS)
    ]


def _times(pairs: Sequence[tuple[float, float]]) -> float:
    return median(runs / jobs for runs, jobs in pairs)


async def _runs_per_second(database: Database, organization: str, slots: int) -> float:
    async with database.transaction() as conn:
        await _fill(conn, organization, machines=round(MACHINES_PER_SLOT * slots))
    claimed, are_all_claimed = 0, asyncio.Event()

    async def parts_for(claim: Claim) -> ExecutorParts:
        nonlocal claimed
        claimed += 1
        if claimed == RUNS:
            are_all_claimed.set()
        raise NothingToDo  # the worker ends the run, and its machine is free for the next

    limits = WorkerLimits(concurrency=slots, sweep_seconds=600, lease_seconds=600)
    worker = Worker(HERE, database, InProcessBus(), SystemClock(), parts_for, no_checks, limits)
    with silence():
        began = perf_counter()
        working = asyncio.create_task(worker.run())
        async with asyncio.timeout(END_SECONDS):
            await are_all_claimed.wait()
        await worker.stop()
        await working
        return RUNS / (perf_counter() - began)


async def _fill(conn: AsyncConnection, organization: str, *, machines: int) -> None:
    organization_id = await an_organization(conn, organization)
    workflow = await a_workflow(conn, organization_id)
    machine_ids = [(await a_machine(conn, organization_id)).id for _ in range(machines)]
    halves = machine_ids[: machines // 2], machine_ids[machines // 4 :]
    one, other = [(await a_pool(conn, organization_id, machine_ids=half)).id for half in halves]
    of_pools = cycle([(one,), (other,), (one, other)])
    for _ in range(RUNS // 3):
        await _add(conn, workflow, Wish())
        await _add(conn, workflow, Wish(pool_ids=next(of_pools)))
    for _ in range(RUNS // 9):
        session_id = await _add(conn, workflow, Wish(start_session=True))
        await _add(conn, workflow, Wish(session_id=session_id))
        await _add(conn, workflow, Wish(session_id=session_id), release_session_after=True)


async def _add(conn: AsyncConnection, workflow: Workflow, wish: Wish, **fields: Any) -> SessionId | None:
    """A run with this wish; the session it is in."""
    now = datetime.now(UTC)
    placement = await place(conn, workflow.organization_id, wish, now=now)
    await a_run(conn, workflow, created_at=now, **fields, **placement.fields())
    return placement.session_id
