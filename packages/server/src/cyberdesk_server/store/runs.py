"""Runs: their life from creation to the end, and the claims of workers on them.

While `lease_expires_at` is set a run holds its machine. It is set by a claim, and cleared when the run
ends, when its worker lets go of it after it was cancelled, or when the lease of a cancelled run runs out.
Every write of a worker names its `attempt`; one that was overtaken changes nothing (invariant 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import (
    MachineId,
    OrganizationId,
    PoolId,
    RunId,
    SessionId,
    WorkerId,
    WorkflowId,
)
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refs import Outcome
from cyberdesk_server.domain.runs import TERMINAL, Demand, Run, RunStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import pools, secrets, sessions, workflows
from cyberdesk_server.store.machines import machine_from
from cyberdesk_server.store.tables import machines, runs
from cyberdesk_server.store.waiting import IS_FREE, best_pair

ENDED = tuple(status.value for status in TERMINAL)
CLAIM_LOCK = 0x43594252
"""Key of the advisory lock that lets one claim at a time decide on PostgreSQL."""

BESIDE = ("moved_at", "worker_id", "told_message_history", "told_output_attachment_ids")
COLUMNS = [column for column in runs.c if column.name not in BESIDE]


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is a worker's to carry out, and all that belongs to it."""

    run: Run
    machine: Machine
    workflow: Workflow
    attempt: int
    """The fencing number every write of this worker has to name."""

    pool_parameters: JsonObject = field(default_factory=dict)
    """What the pools give that the run names."""

    earlier: Mapping[str, Outcome] = field(default_factory=dict)
    """What earlier runs of its session or chain came to, by alias: what its inputs may refer to."""


async def get(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> Run | None:
    """The run, or None when the organization has no such run."""
    row = (await conn.execute(_BY_ID, {"run_id": run_id, "organization_id": organization_id})).one_or_none()
    return None if row is None else _run(row)


async def add(conn: AsyncConnection, run: Run) -> None:
    """Write a new run that waits for a machine."""
    await add_all(conn, [run])


async def add_all(conn: AsyncConnection, new: Sequence[Run]) -> None:
    """Write new runs that wait for a machine."""
    await conn.execute(_INSERT, [_values(run) for run in new])


async def claim_next(
    conn: AsyncConnection, *, worker_id: WorkerId, now: datetime, lease_seconds: float
) -> Claim | None:
    """The run this worker carries out next, or None when there is nothing to do.

    First a run whose worker is gone (its lease ran out): same machine, next attempt. Else the best waiting
    run that a connected, available machine without a run can take: priority, then the oldest.
    """
    await _one_claim_at_a_time(conn)
    await _free_machines_of_ended_runs(conn, now)
    lease_until = now + timedelta(seconds=lease_seconds)
    taken = await _take_over(conn, worker_id, now, lease_until) or await _take_waiting(
        conn, worker_id, now, lease_until
    )
    if taken is None:
        return None
    run = _run(taken)
    machine = (await conn.execute(select(machines).where(machines.c.id == run.machine_id))).one()
    return Claim(
        run,
        machine_from(machine),
        await workflows.get_even_deleted(conn, run.workflow_id),
        run.attempt,
        pool_parameters=(await pools.parameters(conn, run.pool_ids))[0] if run.pool_ids else {},
        earlier=await sessions.outcomes(conn, run),
    )


async def renew(
    conn: AsyncConnection, run_id: RunId, attempt: int, *, lease_until: datetime
) -> RunStatus | None:
    """The run's status, its lease now lasting until `lease_until`.

    None: the lease is lost and the run another's. A terminal status: somebody ended the run, and the
    worker has to `release` it when it has stopped.
    """
    status = (
        await conn.execute(
            update(runs)
            .where(*_ours(run_id, attempt), runs.c.lease_expires_at.is_not(None))
            .values(lease_expires_at=lease_until)
            .returning(runs.c.status)
        )
    ).scalar_one_or_none()
    return None if status is None else RunStatus(status)


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
    ended = await conn.execute(
        update(runs)
        .where(*_ours(run_id, attempt), runs.c.status.not_in(ENDED))
        .values(
            status=status.value,
            error=None if error is None else list(error),
            output_data=output_data,
            usage_metadata=usage_metadata,
            ended_at=now,
            moved_at=now,
            lease_expires_at=None,
        )
        .returning(*COLUMNS)
    )
    row = ended.one_or_none()
    if row is None:
        return None
    await _free_machine(conn, run_id)
    await secrets.forget_run(conn, run_id)
    return _run(row)


async def end(
    conn: AsyncConnection, run_id: RunId, *, status: RunStatus, changes: Mapping[str, Any], now: datetime
) -> Run | None:
    """End the run on a caller's word; None when it has ended already.

    Its machine stays held until the worker, if there is one, lets go of it: see `release`.
    """
    row = (
        await conn.execute(
            update(runs)
            .where(runs.c.id == run_id, runs.c.status.not_in(ENDED))
            .values({"ended_at": now, **changes, "status": status.value, "moved_at": now})
            .returning(*COLUMNS)
        )
    ).one_or_none()
    if row is None:
        return None
    await secrets.forget_run(conn, run_id)
    return _run(row)


async def update_fields(conn: AsyncConnection, run_id: RunId, changes: Mapping[str, Any]) -> Run | None:
    """The run with these columns changed; None when it has ended."""
    row = (
        await conn.execute(
            update(runs)
            .where(runs.c.id == run_id, runs.c.status.not_in(ENDED))
            .values(**changes)
            .returning(*COLUMNS)
        )
    ).one_or_none()
    return None if row is None else _run(row)


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
        await _free_machine(conn, run_id)


async def expire_leases(conn: AsyncConnection, *, now: datetime) -> int:
    """Nobody is working: every claimed run can be taken over at once. For the start of a single process.

    Returns how many leases there were.
    """
    expired = await conn.execute(
        update(runs).where(runs.c.lease_expires_at.is_not(None)).values(lease_expires_at=now)
    )
    await _free_machines_of_ended_runs(conn, now)
    return expired.rowcount


async def delete(conn: AsyncConnection, run_id: RunId) -> bool:
    """Remove a run that has ended and holds no machine, with all that belongs to it. False for others."""
    gone = await conn.execute(
        runs.delete().where(runs.c.id == run_id, runs.c.status.in_(ENDED), runs.c.lease_expires_at.is_(None))
    )
    return gone.rowcount == 1


async def holds_machine(conn: AsyncConnection, run_id: RunId, attempt: int) -> bool:
    """True while the run, ended or not, is in the hands of this worker and holds its machine."""
    held = await conn.execute(
        select(runs.c.id).where(*_ours(run_id, attempt), runs.c.lease_expires_at.is_not(None))
    )
    return held.first() is not None


async def unfinished_of_workflow(conn: AsyncConnection, workflow_id: WorkflowId) -> int:
    """How many runs of the workflow have not ended."""
    count = select(func.count()).where(runs.c.workflow_id == workflow_id, runs.c.status.not_in(ENDED))
    return (await conn.execute(count)).scalar_one()


def demanding(*demands: Demand) -> ColumnElement[bool]:
    """The condition of runs with one of these demands."""
    return runs.c.demand.in_(demands)


def in_session(session_id: SessionId) -> ColumnElement[bool]:
    """The condition of runs in this session."""
    return runs.c.session_id == session_id


def in_chain(chain_id: UUID) -> ColumnElement[bool]:
    """The condition of the steps of this chain."""
    return runs.c.chain_id == chain_id


async def end_waiting(
    conn: AsyncConnection,
    which: ColumnElement[bool],
    *,
    status: RunStatus,
    reason: str,
    now: datetime,
) -> tuple[Run, ...]:
    """End the runs that still wait for a machine, of those that `which` selects, in the order of creation."""
    rows = await conn.execute(
        update(runs)
        .where(which, runs.c.status == RunStatus.SCHEDULING.value)
        .values(status=status.value, error=[reason], ended_at=now, moved_at=now)
        .returning(*COLUMNS)
    )
    ended = sorted(map(_run, rows), key=lambda run: (run.created_at, str(run.id)))
    for run in ended:
        await secrets.forget_run(conn, run.id)
    return tuple(ended)


async def usage(conn: AsyncConnection, run_id: RunId) -> JsonObject | None:
    """The counters of the run's earlier tries; None when this is the first."""
    first = runs.c.retries == 0
    found = await conn.execute(select(runs.c.usage_metadata).where(runs.c.id == run_id, ~first))
    counters: JsonObject | None = found.scalar_one_or_none()
    return counters


async def mark_as_releasing(conn: AsyncConnection, run_id: RunId) -> None:
    """The run is the one that released its session."""
    await conn.execute(update(runs).where(runs.c.id == run_id).values(release_session_after=True))


async def start_over(conn: AsyncConnection, run: Run, *, now: datetime) -> Run | None:
    """Write `run` in the place of its ended self: it waits again, with nothing of the try before.

    None when it is no longer ended, or still holds its machine.
    """
    cleared = {
        "output_data": None,
        "error": None,
        "started_at": None,
        "ended_at": None,
        "told_message_history": None,
        "told_output_attachment_ids": None,
        "retries": runs.c.retries + 1,
        "moved_at": now,
    }
    kept = {name: value for name, value in _values(run).items() if name not in ("attempt", "usage_metadata")}
    row = (
        await conn.execute(
            update(runs)
            .where(runs.c.id == run.id, runs.c.status.in_(ENDED), runs.c.lease_expires_at.is_(None))
            .values({**kept, **cleared})
            .returning(*COLUMNS)
        )
    ).one_or_none()
    return None if row is None else _run(row)


# Built once: putting thirty columns together takes longer than asking for them.
_BY_ID = select(*COLUMNS).where(
    runs.c.id == bindparam("run_id"), runs.c.organization_id == bindparam("organization_id")
)
_GOING_ON = select(runs.c.id).where(
    runs.c.id == bindparam("run_id"),
    runs.c.attempt == bindparam("attempt"),
    runs.c.status == RunStatus.RUNNING.value,
)
_INSERT = runs.insert()


def _ours(run_id: RunId, attempt: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return runs.c.id == run_id, runs.c.attempt == attempt


async def _one_claim_at_a_time(conn: AsyncConnection) -> None:
    # SQLite has one writer anyway. Claims that skip each other's locked rows would hand out runs past
    # a better one, and could each see the same machine idle; a decision takes a millisecond, so they queue.
    if conn.dialect.name == "postgresql":
        await conn.execute(select(func.pg_advisory_xact_lock(CLAIM_LOCK)))


async def _take_over(
    conn: AsyncConnection, worker_id: WorkerId, now: datetime, lease_until: datetime
) -> Row[Any] | None:
    abandoned = (
        select(runs.c.id)
        .where(runs.c.lease_expires_at <= now, runs.c.status.not_in(ENDED))
        .order_by(runs.c.lease_expires_at, runs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        await conn.execute(
            update(runs)
            .where(runs.c.id == abandoned.scalar_subquery())
            .values(attempt=runs.c.attempt + 1, worker_id=worker_id, lease_expires_at=lease_until)
            .returning(*COLUMNS)
        )
    ).one_or_none()


async def _take_waiting(
    conn: AsyncConnection, worker_id: WorkerId, now: datetime, lease_until: datetime
) -> Row[Any] | None:
    while (pair := await best_pair(conn)) is not None:
        run_id, machine_id = pair
        if not await _hold_machine(conn, machine_id, run_id):
            continue  # it disconnected or was taken away in this very moment; look again
        claimed = (
            await conn.execute(
                update(runs)
                .where(runs.c.id == run_id, runs.c.status == RunStatus.SCHEDULING.value)
                .values(
                    status=RunStatus.RUNNING.value,
                    machine_id=machine_id,
                    attempt=runs.c.attempt + 1,
                    worker_id=worker_id,
                    lease_expires_at=lease_until,
                    started_at=now,
                    moved_at=now,
                )
                .returning(*COLUMNS)
            )
        ).one_or_none()
        if claimed is not None:
            if claimed.session_id is not None:
                await sessions.reserve(conn, claimed.session_id, machine_id)
            return claimed
        await _free_machine(conn, run_id)  # the run was cancelled in this very moment; look again
    return None


async def _hold_machine(conn: AsyncConnection, machine_id: MachineId, run_id: RunId) -> bool:
    held = await conn.execute(
        update(machines)
        .where(machines.c.id == machine_id, IS_FREE, _is_open_to(run_id))
        .values(held_by_run_id=run_id)
    )
    return held.rowcount == 1


def _is_open_to(run_id: RunId) -> ColumnElement[bool]:
    its_session = select(runs.c.session_id).where(runs.c.id == run_id).scalar_subquery()
    reserved_for = machines.c.reserved_session_id
    return reserved_for.is_(None) | (reserved_for == its_session)


async def _free_machine(conn: AsyncConnection, run_id: RunId) -> None:
    await conn.execute(
        update(machines).where(machines.c.held_by_run_id == run_id).values(held_by_run_id=None)
    )


async def _free_machines_of_ended_runs(conn: AsyncConnection, now: datetime) -> None:
    """A worker that died before it could let go of a cancelled run keeps the machine until its lease ends."""
    rows = await conn.execute(
        update(runs)
        .where(runs.c.lease_expires_at <= now, runs.c.status.in_(ENDED))
        .values(lease_expires_at=None)
        .returning(runs.c.id)
    )
    for run_id in rows.scalars().all():
        await _free_machine(conn, run_id)


def _run(row: Row[Any]) -> Run:
    fields = {name: value for name, value in row._mapping.items() if name in _FIELDS}
    fields["status"] = RunStatus(fields["status"])
    for name in ("error", "post_run_checks"):
        fields[name] = None if fields[name] is None else tuple(fields[name])
    if fields["pool_ids"] is not None:
        fields["pool_ids"] = tuple(PoolId(UUID(pool_id)) for pool_id in fields["pool_ids"])
    return Run(**fields)


def _values(run: Run) -> dict[str, Any]:
    values = {column.name: getattr(run, column.name) for column in COLUMNS}
    return values | {"status": run.status.value, "moved_at": run.created_at}


_FIELDS = frozenset(column.name for column in COLUMNS)
