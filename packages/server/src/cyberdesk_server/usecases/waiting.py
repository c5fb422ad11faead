"""Runs that wait: what each waits for, and the end of those that have waited too long."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, RunId
from cyberdesk_server.domain.runs import Run, RunStatus, machine_demanded
from cyberdesk_server.domain.waiting import Waiter, waits_for_machine, waits_for_one_of, waits_for_run
from cyberdesk_server.ports import Bus
from cyberdesk_server.store import eligible_machines, machines, openings, pool_sets, pools, runs, sessions
from cyberdesk_server.store.database import Database
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases.endings import settle, tell_ended

AT_A_TIME = 100
"""Runs that are ended in one transaction."""


async def reason(conn: AsyncConnection, run: Waiter) -> str:
    """Why this run has not started, in one sentence without a full stop."""
    if run.session_id is not None:
        unfinished = (await sessions.unfinished(conn, [run.session_id]))[run.session_id]
        if unfinished and unfinished[0] != run.id:
            return waits_for_run(unfinished[0])
    machine_id = run.machine_id or machine_demanded(run.demand)
    if machine_id is not None:
        machine = await machines.get(conn, run.organization_id, machine_id)
        return "its machine is gone" if machine is None else waits_for_machine(machine, run)
    pool_ids = await pool_sets.pools_of(conn, run.demand)
    counts = await eligible_machines.counts(conn, run.organization_id, pool_ids)
    return waits_for_one_of(counts, await pools.names(conn, pool_ids))


class Review:
    """Looks anew at what the scheduler knows, a few machines each time, round after round."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._after: MachineId | None = None

    async def go_on(self) -> None:
        async with self._database.transaction() as conn:
            reviewed = await openings.review(conn, after=self._after)
        self._after = reviewed[-1] if reviewed else None
        if reviewed:
            await self._bus.publish(MACHINES_FREE)


async def end_overdue(database: Database, bus: Bus, *, now: datetime) -> None:
    """End the runs that have waited longer than they may, with an error that says what they waited for."""
    is_more = True
    while is_more:
        ended: list[RunId] = []
        async with database.transaction() as conn:
            overdue = await runs.overdue(conn, now=now, limit=AT_A_TIME)
            for run in overdue:
                ended += await _end(conn, run, now)
        await tell_ended(bus, ended)
        if ended:
            await bus.publish(MACHINES_FREE)
        is_more = len(overdue) == AT_A_TIME


async def _end(conn: AsyncConnection, run: Run, now: datetime) -> tuple[RunId, ...]:
    text = f"the run waited longer than its limit of {run.start_within_seconds:g} seconds: "
    ended = await runs.end_waiting(
        conn,
        runs.just(run.id),
        status=RunStatus.ERROR,
        reason=text + await reason(conn, Waiter.of(run)),
        now=now,
    )
    return (*(each.id for each in ended), *await settle(conn, ended, now=now))
