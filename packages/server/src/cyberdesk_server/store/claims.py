"""The claims of workers on runs: which are theirs to carry out now. What they write then is in `leases`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ServerId, SessionId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.queues import Pair
from cyberdesk_server.domain.refs import Outcome
from cyberdesk_server.domain.runs import Run, RunStatus, demand_of_session, is_in_order
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import (
    machines,
    news,
    pools,
    sessions,
    tables,
    waiting,
    workflows,
)
from cyberdesk_server.store.leases import Held
from cyberdesk_server.store.lists import among, each_pair_of_ids
from cyberdesk_server.store.openings import IS_FREE
from cyberdesk_server.store.runs import COLUMNS, ENDED, run_from
from cyberdesk_server.store.tables import runs, servers

CLAIM_LOCK = 0x43594252
"""Key of the advisory lock that lets one decision at a time be made on PostgreSQL."""

CLAIMS_AT_ONCE = 32
"""How many runs one decision claims; it stays short, and a worker with more slots asks again."""


@dataclass(frozen=True, slots=True)
class CheckClaim:
    """A run whose post-run checks are a worker's to make, and all that belongs to it."""

    run: Run
    machine: Machine | None
    """The machine it was carried out on; None when that was deleted since."""

    workflow: Workflow
    attempt: int
    """The fencing number every write of this worker has to name."""

    pool_parameters: JsonObject = field(default_factory=dict)
    """What the pools give that the run names."""

    earlier: Mapping[str, Outcome] = field(default_factory=dict)
    """What earlier runs of its session or chain came to, by alias: what its inputs may refer to."""

    @property
    def held(self) -> Held:
        """What every write of this worker names."""
        return self.run.id, self.attempt

    @property
    def prompt(self) -> str:
        """What the run follows: its own prompt, or its workflow's."""
        return self.run.main_prompt or self.workflow.main_prompt

    @property
    def cleanup_prompt(self) -> str | None:
        """What is to be done on the machine when a post-run check of the run has failed."""
        prompt = self.workflow.post_run_check_failure_cleanup_prompt
        return prompt if self.run.post_run_checks and (prompt or "").strip() else None


@dataclass(frozen=True, slots=True)
class Claim(CheckClaim):
    """A run that is a worker's to carry out, or to check and then to clean up after, and all that belongs to
    it."""

    machine: Machine
    """The machine it holds."""

    def to_check(self, run: Run) -> CheckClaim:
        """The same claim, now that the run is in its checks."""
        return CheckClaim(run, self.machine, self.workflow, self.attempt, self.pool_parameters, self.earlier)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a worker got that asked for work."""

    claims: tuple[Claim | CheckClaim, ...]
    is_all: bool
    """True when there is nothing else for it to do now; False when it may get more if it asks again."""


async def claim(
    conn: AsyncConnection,
    *,
    server_id: ServerId,
    now: datetime,
    lease_seconds: float,
    at_most: int,
    looks_for_abandoned: bool = True,
) -> Claimed:
    """The runs this server's worker carries out next, no more than `at_most`.

    First those that nobody works on any more (their lease ran out), unless it does not look for them: same
    machine, next attempt; one that is in its post-run checks, and needs no machine any more, is a
    `CheckClaim`. Then the best waiting runs that available machines without a run, connected to this server,
    can take, as if they were claimed one after the other: see `waiting`.
    """
    at_most = min(at_most, CLAIMS_AT_ONCE)
    lease_until = now + timedelta(seconds=lease_seconds)
    await _one_decision_at_a_time(conn)
    taken_over: list[tuple[Run, Machine | None]] = []
    if looks_for_abandoned and (await conn.execute(_ANY_EXPIRED, {"now": now})).first() is not None:
        await _free_machines_of_ended_runs(conn, server_id, now)
        taken_over = await _take_over(conn, server_id, now, lease_until, at_most)
    if len(taken_over) == at_most:
        return Claimed(await _with_belongings(conn, taken_over), is_all=False)
    found = await waiting.next_pairs(conn, server_id, at_most=at_most - len(taken_over))
    started = await _start(conn, server_id, found, now, lease_until)
    is_all = found.is_all and len(started) == len(found.pairs)
    return Claimed(await _with_belongings(conn, [*taken_over, *started]), is_all)


async def _with_belongings(
    conn: AsyncConnection, taken: Sequence[tuple[Run, Machine | None]]
) -> tuple[Claim | CheckClaim, ...]:
    if not taken:
        return ()
    all_ = [run for run, _ in taken]
    of = await workflows.even_deleted(conn, {run.workflow_id for run in all_})
    given = await pools.parameters_of_sets(conn, {run.pool_ids for run in all_ if run.pool_ids})
    earlier = await sessions.outcomes(conn, all_)
    claims: list[Claim | CheckClaim] = []
    for run, machine in taken:
        belongings = of[run.workflow_id], run.attempt, given.get(run.pool_ids or (), {}), earlier[run.id]
        to_check = CheckClaim(run, machine, *belongings)
        is_checked_alone = run.has_left_machine or to_check.cleanup_prompt is None
        if run.status is RunStatus.RUNNING_CHECKS and is_checked_alone:
            claims.append(to_check)
        else:
            assert machine is not None  # nobody deletes a machine that a run holds
            claims.append(Claim(run, machine, *belongings))
    return tuple(claims)


async def _one_decision_at_a_time(conn: AsyncConnection) -> None:
    # SQLite has one writer anyway. Claims that skip each other's locked rows would hand out runs past
    # a better one, and could each see the same machine idle; a decision takes milliseconds, so they queue.
    if conn.dialect.name == "postgresql":
        await conn.execute(_ONE_DECISION_AT_A_TIME)


# All that a claim asks is found by an index, and in its order. PostgreSQL would plan scans and sorts while
# these tables are small, or seem to be, and keep the plans when they have grown.
#
# Nobody waits for the disk: a worker writes into the journal before it does anything on a desktop, and what
# is written later is safe only together with all that was written before. So a claim that PostgreSQL loses as
# it dies was never acted on: its run waits again, and what its worker writes names an attempt that never was.
# (An input file may have been put on the machine by then, and is put there again.)
_ONE_DECISION_AT_A_TIME = select(
    func.pg_advisory_xact_lock(CLAIM_LOCK),
    *(func.set_config(f"enable_{way}", "off", True) for way in ("seqscan", "hashjoin", "mergejoin", "sort")),
    func.set_config("plan_cache_mode", "force_generic_plan", True),
    func.set_config("synchronous_commit", "off", True),
)


def _is_abandoned(server_id: ServerId, now: datetime) -> ColumnElement[bool]:
    """The condition of held runs that are this server's to take care of: its own, and those of nobody alive.

    A lease is judged only by the clock it was written by, or one may be taken for over that is not.
    """
    living = select(servers.c.id).where(servers.c.id == runs.c.server_id).exists()
    return (runs.c.lease_expires_at <= now) & ((runs.c.server_id == server_id) | ~living)


async def _take_over(
    conn: AsyncConnection, server_id: ServerId, now: datetime, lease_until: datetime, at_most: int
) -> list[tuple[Run, Machine | None]]:
    abandoned = (
        select(runs.c.id)
        .where(_is_abandoned(server_id, now), runs.c.status.not_in(ENDED))
        .order_by(runs.c.lease_expires_at, runs.c.id)
        .limit(at_most)
        .with_for_update(skip_locked=True, of=runs)
    )
    rows = await conn.execute(
        update(runs)
        .where(runs.c.id.in_(abandoned))
        .values(attempt=runs.c.attempt + 1, server_id=server_id, lease_expires_at=lease_until)
        .returning(*COLUMNS)
    )
    taken = [run_from(row) for row in rows]
    found = await conn.execute(_MACHINES, {"ids": [run.machine_id for run in taken]})
    by_id = {row.id: machines.machine_from(row) for row in found}
    return [(run, by_id.get(run.machine_id)) for run in taken]


async def _start(
    conn: AsyncConnection, server_id: ServerId, found: waiting.Found, now: datetime, lease_until: datetime
) -> list[tuple[Run, Machine]]:
    """Let each of these runs start on its machine, up to the first whose machine was taken away in this very
    moment: what comes behind it may be another's turn then. Without those that were ended in this moment."""
    pairs = found.pairs
    if not pairs:
        return []
    in_order = sorted(pairs, key=lambda pair: pair.machine_id)
    rows = await conn.execute(_HOLD, {**_ids_of(in_order), "at": server_id})
    held = {row.held_by_run_id: machines.machine_from(row) for row in rows}
    possible = tuple(takewhile(lambda pair: _is_for(held.get(pair.run_id), pair), pairs))
    if len(possible) < len(pairs):
        await news.of_machines(conn, [pairs[len(possible)].machine_id])
    started: list[tuple[Run, Machine]] = []
    if possible:
        asked = {**_ids_of(possible), "at": server_id, "now": now, "lease_until": lease_until}
        runs_by_id = {row.id: run_from(row) for row in await conn.execute(_START, asked)}
        await waiting.taken(conn, possible, last=found.last)
        started = [
            (run, held[run.id]) for pair in possible if (run := runs_by_id.get(pair.run_id)) is not None
        ]
    if len(started) < len(held):
        await machines.free(conn, held.keys() - {run.id for run, _ in started})
    await sessions.reserve(
        conn,
        {
            run.session_id: machine.id
            for run, machine in started
            if run.session_id is not None and not is_in_order(run.demand)
        },
    )
    return [
        (run, machine if run.session_id is None else replace(machine, reserved_session_id=run.session_id))
        for run, machine in started
    ]


def _ids_of(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {
        "machine_ids": [pair.machine_id for pair in pairs],
        "run_ids": [pair.run_id for pair in pairs],
    }


def _is_for(machine: Machine | None, pair: Pair) -> bool:
    """The run holds the machine, which is reserved for the session of the run or for none."""
    if machine is None:
        return False
    if machine.reserved_session_id is None:
        return not is_in_order(pair.demand)
    return pair.demand == demand_of_session(SessionId(machine.reserved_session_id))


async def _free_machines_of_ended_runs(conn: AsyncConnection, server_id: ServerId, now: datetime) -> None:
    """A worker that died before it could let go of a cancelled run keeps the machine until its lease ends."""
    rows = await conn.execute(
        update(runs)
        .where(_is_abandoned(server_id, now), runs.c.status.in_(ENDED))
        .values(lease_expires_at=None)
        .returning(runs.c.id)
    )
    await machines.free(conn, rows.scalars().all())


# Built once: putting thirty columns together takes longer than asking for them.
_ANY_EXPIRED = select(runs.c.id).where(runs.c.lease_expires_at <= bindparam("now")).limit(1)
_MACHINES = select(tables.machines).where(among(tables.machines.c.id, "ids"))
_PAIRS = each_pair_of_ids("machine_ids", "run_ids")
_HOLD = (  # in the order of the pairs: two that lock several machines never wait for each other
    update(tables.machines)
    .where(tables.machines.c.id == _PAIRS.c.one, IS_FREE, tables.machines.c.server_id == bindparam("at"))
    .values(held_by_run_id=_PAIRS.c.other)
    .returning(tables.machines)
)
_START = (
    update(runs)
    .where(runs.c.id == _PAIRS.c.other, runs.c.status == RunStatus.SCHEDULING.value)
    .values(
        status=RunStatus.RUNNING.value,
        machine_id=_PAIRS.c.one,
        attempt=runs.c.attempt + 1,
        server_id=bindparam("at"),
        lease_expires_at=bindparam("lease_until"),
        started_at=bindparam("now"),
        moved_at=bindparam("now"),
    )
    .returning(*COLUMNS)
)
