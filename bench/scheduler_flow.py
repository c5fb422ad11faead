"""Runs claimed and ended in a second, with pools and sessions among them; and empty jobs of procrastinate."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from statistics import median
from time import perf_counter
from typing import Any

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import SessionId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import claims
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
from cyberdesk_server.usecases.endings import finish
from cyberdesk_server.usecases.placement import Wish, place
from sqlalchemy.ext.asyncio import AsyncConnection

from bench import scheduler_peer
from bench.goals import Floor, tell

RUNS = 297
"""In one round: a third takes any machine, a third needs pools, a third is in sessions of three."""

ROUNDS = 3
MACHINES = 40
SLOTS = 16
"""Runs, or jobs, at a time."""

LEASE_SECONDS = 600
PAUSE_SECONDS = 0.002
TIMES_PROCRASTINATE = 2


async def measure(name: str, a_fresh_database: Callable[[], AbstractAsyncContextManager[Database]]) -> None:
    async with a_fresh_database() as database:
        rates = [await _runs_per_second(database, round_) for round_ in range(ROUNDS)]
    tell(f"scheduler_{name}_runs_per_second", median(rates))


async def compare(postgresql: PostgresqlForTests) -> None:
    """The same again in turns with the peer, on one PostgreSQL."""
    if not scheduler_peer.is_installed():
        print("scheduler: procrastinate is not installed; `make bench` installs it", flush=True)
        return
    async with postgresql.a_database() as ours, postgresql.a_database(template="template0") as theirs:
        await scheduler_peer.prepare(theirs.url)
        pairs = [
            (
                await _runs_per_second(ours, round_),
                await scheduler_peer.jobs_per_second(theirs.url, RUNS, SLOTS),
            )
            for round_ in range(ROUNDS)
        ]
    tell("scheduler_procrastinate_jobs_per_second", median(theirs for _, theirs in pairs))
    times = median(ours / theirs for ours, theirs in pairs)
    Floor("scheduler_runs_times_procrastinate", TIMES_PROCRASTINATE).tell(times)


async def _runs_per_second(database: Database, round_: int) -> float:
    async with database.transaction() as conn:
        await _fill(conn, f"org_{round_}")
    done = Done()
    began = perf_counter()
    await asyncio.gather(*(_carry_out(database, done) for _ in range(SLOTS)))
    return RUNS / (perf_counter() - began)


@dataclass(slots=True)
class Done:
    runs: int = 0


async def _carry_out(database: Database, done: Done) -> None:
    """Claim and end runs until all are done; the next of a session waits until the one before has ended."""
    while done.runs < RUNS:
        async with database.transaction() as conn:
            now = datetime.now(UTC)
            claim = await claims.claim_next(conn, server_id=HERE, now=now, lease_seconds=LEASE_SECONDS)
        if claim is None:
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        async with database.transaction() as conn:
            await finish(conn, {claim.held: Ending(RunStatus.SUCCESS)}, now=datetime.now(UTC))
        done.runs += 1


async def _fill(conn: AsyncConnection, organization: str) -> None:
    organization_id = await an_organization(conn, organization)
    workflow = await a_workflow(conn, organization_id)
    machine_ids = [(await a_machine(conn, organization_id)).id for _ in range(MACHINES)]
    halves = machine_ids[: MACHINES // 2], machine_ids[MACHINES // 4 :]
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
