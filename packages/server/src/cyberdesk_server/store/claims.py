"""The claims of workers on runs.

While `lease_expires_at` is set a run is in a worker's hands. It is set by a claim, and cleared when the run
ends, when its worker lets go of it after it was cancelled, or when the lease of a cancelled run runs out.
As long the run holds its machine, unless it has left it: one in no session does before its post-run checks.
Every write of a worker names its `attempt`; one that was overtaken changes nothing (invariant 4).

A run in the hands of a living server is taken over by nobody else, whatever the clocks say; only when its
machine connects elsewhere does it follow it (`follow_machine`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, select, tuple_, update
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
    outbox,
    pools,
    secrets,
    sessions,
    tables,
    waiting,
    workflows,
)
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
    def prompt(self) -> str:
        """What the run follows: its own prompt, or its workflow's."""
        return self.run.main_prompt or self.workflow.main_prompt


@dataclass(frozen=True, slots=True)
class Claim(CheckClaim):
    """A run that is a worker's to carry out, and all that belongs to it."""

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
    its post-run checks is a `CheckClaim`. Else the best waiting run that an available machine without a run,
    connected to this server, can take: see `waiting`.
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
    if run.status is RunStatus.RUNNING_CHECKS:
        return CheckClaim(run, machine, workflow, run.attempt, pool_parameters, earlier)
    assert machine is not None  # nobody deletes a machine that a run holds
    return Claim(run, machine, workflow, run.attempt, pool_parameters, earlier)


async def renew(
    conn: AsyncConnection,
    held: Collection[tuple[RunId, int]],
    *,
    server_id: ServerId,
    lease_until: datetime,
) -> Mapping[RunId, RunStatus]:
    """The status of each of these runs, held by this server in these attempts, its lease now lasting until
    `lease_until`.

    One that is missing is lost: it is another's. A terminal status: somebody ended the run, and the worker
    has to `release` it when it has stopped.
    """
    rows = await conn.execute(
        update(runs)
        .where(tuple_(runs.c.id, runs.c.attempt).in_(held), runs.c.lease_expires_at.is_not(None))
        .values(lease_expires_at=lease_until, server_id=server_id)
        .returning(runs.c.id, runs.c.status)
    )
    return {row.id: RunStatus(row.status) for row in rows}


async def leave(conn: AsyncConnection, run_id: RunId, attempt: int, *, now: datetime) -> None:
    """Let go of a run that is not over: whoever comes first may take it over, of whatever server."""
    await conn.execute(
        update(runs)
        .where(*_ours(run_id, attempt), runs.c.lease_expires_at.is_not(None))
        .values(lease_expires_at=now, server_id=None)
    )


async def follow_machine(
    conn: AsyncConnection, machine_id: MachineId, *, server_id: ServerId, now: datetime
) -> None:
    """The machine has connected to this server: the run that holds it, if it is in the hands of another, is
    this server's to take over at once. The other can write nothing more.

    In a transaction after the one of `machines.connect`: no other server claims the machine any more, and a
    run is locked before its machine everywhere.
    """
    await conn.execute(
        update(runs)
        .where(
            runs.c.machine_id == machine_id,
            _HOLDS_MACHINE,
            runs.c.server_id.is_distinct_from(server_id),
        )
        .values(server_id=server_id, attempt=runs.c.attempt + 1, lease_expires_at=now)
    )


async def may_act(conn: AsyncConnection, run_id: RunId, attempt: int) -> bool:
    """True while the run goes on and is this worker's."""
    going_on = await conn.execute(_GOING_ON, {"run_id": run_id, "attempt": attempt})
    return going_on.first() is not None


async def finish(
    conn: AsyncConnection,
    run_id: RunId,
    attempt: int,
    *,
    status: RunStatus,
    error: Sequence[str] | None,
    output_data: JsonObject | None,
    usage_metadata: JsonObject | None,
    now: datetime,
) -> Run | None:
    """End the run: status and output written, secrets gone, machine free.

    None, and nothing changed, when the worker lost the run or it has ended already.
    """
    told = {"output_data": output_data, "usage_metadata": usage_metadata}
    return await _finish(conn, run_id, attempt, RunStatus.RUNNING, status, error, told, now)


async def begin_checks(
    conn: AsyncConnection, run_id: RunId, attempt: int, *, output_data: JsonObject | None, now: datetime
) -> Run | None:
    """The run, its main part over, its post-run checks about to be made: output written, secrets gone. In a
    session it goes on holding its machine, for the next run waits for what comes of the checks; otherwise the
    machine is free.

    None, and nothing changed, when the worker lost the run or it has ended already.
    """
    leaves = runs.c.session_id.is_(None)
    row = (
        await conn.execute(
            update(runs)
            .where(*_ours(run_id, attempt), *_in_hand(RunStatus.RUNNING))
            .values(
                status=RunStatus.RUNNING_CHECKS.value,
                output_data=output_data,
                moved_at=now,
                has_left_machine=leaves,
            )
            .returning(*COLUMNS)
        )
    ).one_or_none()
    if row is None:
        return None
    if row.has_left_machine:
        await machines.free(conn, run_id)
    await secrets.forget_run(conn, run_id)
    return run_from(row)


async def write_checks(
    conn: AsyncConnection, run_id: RunId, attempt: int, checks: Sequence[JsonObject]
) -> bool:
    """What has come of the run's checks so far; False when the worker lost the run or it has ended."""
    written = await conn.execute(
        update(runs)
        .where(*_ours(run_id, attempt), *_in_hand(RunStatus.RUNNING_CHECKS))
        .values(post_run_checks=list(checks))
    )
    return written.rowcount == 1


async def finish_checks(
    conn: AsyncConnection,
    run_id: RunId,
    attempt: int,
    *,
    status: RunStatus,
    error: Sequence[str] | None,
    checks: Sequence[JsonObject],
    usage_metadata: JsonObject | None,
    now: datetime,
) -> Run | None:
    """End the run after its checks.

    None, and nothing changed, when the worker lost the run or it has ended already.
    """
    told = {"post_run_checks": list(checks), "usage_metadata": usage_metadata}
    return await _finish(conn, run_id, attempt, RunStatus.RUNNING_CHECKS, status, error, told, now)


async def release(conn: AsyncConnection, run_id: RunId, attempt: int, *, now: datetime) -> None:
    """Let go of a run that somebody else ended: its machine is free.

    A run that has not ended stays as it is; a worker leaves it by letting its lease run out.
    """
    released = await conn.execute(
        update(runs)
        .where(*_ours(run_id, attempt), runs.c.status.in_(ENDED), runs.c.lease_expires_at.is_not(None))
        .values(lease_expires_at=None, moved_at=now)
    )
    if released.rowcount:
        await machines.free(conn, run_id)


async def expire_leases(conn: AsyncConnection, server_id: ServerId, *, now: datetime) -> int:
    """The server is gone: whoever comes first may take over what it held. Returns how many runs it held."""
    expired = await conn.execute(
        update(runs)
        .where(runs.c.server_id == server_id, runs.c.lease_expires_at.is_not(None))
        .values(lease_expires_at=now, server_id=None)
    )
    return expired.rowcount


async def holds_machine(conn: AsyncConnection, run_id: RunId, attempt: int) -> bool:
    """True while the run, ended or not, is in the hands of this worker and holds its machine."""
    held = await conn.execute(select(runs.c.id).where(*_ours(run_id, attempt), _HOLDS_MACHINE))
    return held.first() is not None


_ANY_EXPIRED = select(runs.c.id).where(runs.c.lease_expires_at <= bindparam("now")).limit(1)
_GOING_ON = select(runs.c.id).where(
    runs.c.id == bindparam("run_id"),
    runs.c.attempt == bindparam("attempt"),
    runs.c.status.in_((RunStatus.RUNNING.value, RunStatus.RUNNING_CHECKS.value)),
)
_HOLDS_MACHINE = runs.c.lease_expires_at.is_not(None) & ~runs.c.has_left_machine


def _ours(run_id: RunId, attempt: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return runs.c.id == run_id, runs.c.attempt == attempt


def _in_hand(status: RunStatus) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    # A run that was cancelled, let go of and started over has the attempt of its last try until it is
    # claimed again: only the lease tells it from one that is being carried out.
    return runs.c.status == status.value, runs.c.lease_expires_at.is_not(None)


async def _finish(
    conn: AsyncConnection,
    run_id: RunId,
    attempt: int,
    before: RunStatus,
    status: RunStatus,
    error: Sequence[str] | None,
    told: Mapping[str, Any],
    now: datetime,
) -> Run | None:
    ended = await conn.execute(
        update(runs)
        .where(*_ours(run_id, attempt), *_in_hand(before))
        .values(
            status=status.value,
            error=None if error is None else list(error),
            **told,
            ended_at=now,
            moved_at=now,
            lease_expires_at=None,
        )
        .returning(*COLUMNS)
    )
    row = ended.one_or_none()
    if row is None:
        return None
    await machines.free(conn, run_id)
    await secrets.forget_run(conn, run_id)
    await outbox.runs_ended(conn, [run_id], now=now)
    return run_from(row)


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
        await machines.free(conn, run_id)  # the run was cancelled in this very moment; look again
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
    for run_id in rows.scalars().all():
        await machines.free(conn, run_id)
