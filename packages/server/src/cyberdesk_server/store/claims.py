"""The claims of workers on runs: which are theirs to carry out now. What they write then is in `leases`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, RunId, ServerId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refs import Outcome
from cyberdesk_server.domain.runs import Run, RunStatus
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
from cyberdesk_server.store.runs import COLUMNS, ENDED, run_from
from cyberdesk_server.store.tables import runs, servers

CLAIM_LOCK = 0x43594252
"""Key of the advisory lock that lets one claim at a time decide on PostgreSQL."""


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


async def claim_next(
    conn: AsyncConnection, *, server_id: ServerId, now: datetime, lease_seconds: float
) -> Claim | CheckClaim | None:
    """The run this server's worker carries out next, or None when there is nothing to do.

    First a run that nobody works on any more (its lease ran out): same machine, next attempt; one that is in
    its post-run checks, and needs no machine any more, is a `CheckClaim`. Else the best waiting run that an
    available machine without a run, connected to this server, can take: see `waiting`.
    """
    await _one_claim_at_a_time(conn)
    lease_until = now + timedelta(seconds=lease_seconds)
    taken = None
    if (await conn.execute(_ANY_EXPIRED, {"now": now})).first() is not None:
        await _free_machines_of_ended_runs(conn, server_id, now)
        taken = await _take_over(conn, server_id, now, lease_until)
    taken = taken or await _take_waiting(conn, server_id, now, lease_until)
    if taken is None:
        return None
    run = run_from(taken)
    row = (
        await conn.execute(select(tables.machines).where(tables.machines.c.id == run.machine_id))
    ).one_or_none()
    machine = None if row is None else machines.machine_from(row)
    workflow = await workflows.get_even_deleted(conn, run.workflow_id)
    pool_parameters = (await pools.parameters(conn, run.pool_ids))[0] if run.pool_ids else {}
    earlier = await sessions.outcomes(conn, run)
    to_check = CheckClaim(run, machine, workflow, run.attempt, pool_parameters, earlier)
    is_checked_alone = run.has_left_machine or to_check.cleanup_prompt is None
    if run.status is RunStatus.RUNNING_CHECKS and is_checked_alone:
        return to_check
    assert machine is not None  # nobody deletes a machine that a run holds
    return Claim(run, machine, workflow, run.attempt, pool_parameters, earlier)


_ANY_EXPIRED = select(runs.c.id).where(runs.c.lease_expires_at <= bindparam("now")).limit(1)


async def _one_claim_at_a_time(conn: AsyncConnection) -> None:
    # SQLite has one writer anyway. Claims that skip each other's locked rows would hand out runs past
    # a better one, and could each see the same machine idle; a decision takes milliseconds, so they queue.
    if conn.dialect.name == "postgresql":
        await conn.execute(_ONE_CLAIM_AT_A_TIME)


# All that a claim asks is found by an index. PostgreSQL would plan scans while these tables are small, and
# keep the plans when they have grown.
_ONE_CLAIM_AT_A_TIME = select(
    func.pg_advisory_xact_lock(CLAIM_LOCK),
    *(func.set_config(f"enable_{way}", "off", True) for way in ("seqscan", "hashjoin", "mergejoin")),
)


def _is_abandoned(server_id: ServerId, now: datetime) -> ColumnElement[bool]:
    """The condition of held runs that are this server's to take care of: its own, and those of nobody alive.

    A lease is judged only by the clock it was written by, or one may be taken for over that is not.
    """
    living = select(servers.c.id).where(servers.c.id == runs.c.server_id).exists()
    return (runs.c.lease_expires_at <= now) & ((runs.c.server_id == server_id) | ~living)


async def _take_over(
    conn: AsyncConnection, server_id: ServerId, now: datetime, lease_until: datetime
) -> Row[Any] | None:
    abandoned = (
        select(runs.c.id)
        .where(_is_abandoned(server_id, now), runs.c.status.not_in(ENDED))
        .order_by(runs.c.lease_expires_at, runs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=runs)
    )
    return (
        await conn.execute(
            update(runs)
            .where(runs.c.id == abandoned.scalar_subquery())
            .values(attempt=runs.c.attempt + 1, server_id=server_id, lease_expires_at=lease_until)
            .returning(*COLUMNS)
        )
    ).one_or_none()


async def _take_waiting(
    conn: AsyncConnection, server_id: ServerId, now: datetime, lease_until: datetime
) -> Row[Any] | None:
    while (pair := await waiting.best_pair(conn, server_id)) is not None:
        run_id, machine_id = pair
        if not await _hold_machine(conn, server_id, machine_id, run_id):
            await news.of_machines(conn, [machine_id])
            continue  # it disconnected or was taken away in this very moment; look again
        claimed = (
            await conn.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.status == RunStatus.SCHEDULING.value)
                .values(
                    status=RunStatus.RUNNING.value,
                    machine_id=machine_id,
                    attempt=runs.c.attempt + 1,
                    server_id=server_id,
                    lease_expires_at=lease_until,
                    started_at=now,
                    moved_at=now,
                )
                .returning(*COLUMNS)
            )
        ).one_or_none()
        if claimed is not None:
            await waiting.taken(conn, claimed.organization_id, machine_id)
            if claimed.session_id is not None:
                await sessions.reserve(conn, claimed.session_id, machine_id)
            return claimed
        await machines.free(conn, [run_id])  # the run was cancelled in this very moment; look again
    return None


async def _hold_machine(
    conn: AsyncConnection, server_id: ServerId, machine_id: MachineId, run_id: RunId
) -> bool:
    is_here = tables.machines.c.server_id == server_id
    held = await conn.execute(
        update(tables.machines)
        .where(tables.machines.c.id == machine_id, waiting.IS_FREE, is_here, _is_open_to(run_id))
        .values(held_by_run_id=run_id)
    )
    return held.rowcount == 1


def _is_open_to(run_id: RunId) -> ColumnElement[bool]:
    its_session = select(runs.c.session_id).where(runs.c.id == run_id).scalar_subquery()
    reserved_for = tables.machines.c.reserved_session_id
    return reserved_for.is_(None) | (reserved_for == its_session)


async def _free_machines_of_ended_runs(conn: AsyncConnection, server_id: ServerId, now: datetime) -> None:
    """A worker that died before it could let go of a cancelled run keeps the machine until its lease ends."""
    rows = await conn.execute(
        update(runs)
        .where(_is_abandoned(server_id, now), runs.c.status.in_(ENDED))
        .values(lease_expires_at=None)
        .returning(runs.c.id)
    )
    await machines.free(conn, rows.scalars().all())
