"""Runs: their life from creation to the end. What workers do with them is in `claims`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import (
    OrganizationId,
    PoolId,
    RunId,
    SessionId,
    WorkflowId,
)
from cyberdesk_server.domain.runs import TERMINAL, Demand, Run, RunStatus
from cyberdesk_server.store import llm_costs, news, outbox, secrets
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.tables import runs

WAITING = literal(RunStatus.SCHEDULING.value, literal_execute=True)
"""Spelled out in the statement: SQLite uses a partial index only for the very terms it was made with."""

ENDED = tuple(status.value for status in TERMINAL)
BESIDE = ("cost_before_usd", "moved_at", "server_id", "told_message_history", "told_output_attachment_ids")
COLUMNS = [column for column in runs.c if column.name not in BESIDE]


async def get(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> Run | None:
    """The run, or None when the organization has no such run."""
    row = (await conn.execute(_BY_ID, {"run_id": run_id, "organization_id": organization_id})).one_or_none()
    return None if row is None else run_from(row)


async def add(conn: AsyncConnection, run: Run) -> None:
    """Write a new run that waits for a machine."""
    await add_all(conn, [run])


async def add_all(conn: AsyncConnection, new: Sequence[Run]) -> None:
    """Write new runs that wait for a machine. The database itself makes that `news`."""
    rows = [_values(run) for run in new]
    # A new run leaves half of its columns empty, and each that is named takes its time.
    named = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    rows = [{name: row[name] for name in named} for row in rows]
    await conn.execute(_INSERT if len(rows) == 1 else _INSERT_SEVERAL, rows)


async def end(
    conn: AsyncConnection, run_id: RunId, *, status: RunStatus, changes: Mapping[str, Any], now: datetime
) -> Run | None:
    """End the run on a caller's word; None when it has ended already.

    Its machine stays held until the worker, if there is one, lets go of it: see `leases.release`.
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
    await secrets.forget_runs(conn, [run_id])
    await outbox.runs_ended(conn, [run_id], now=now)
    return run_from(row)


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
    return None if row is None else run_from(row)


async def delete(conn: AsyncConnection, run_id: RunId) -> bool:
    """Remove a run that has ended and holds no machine, with all that belongs to it. False for others."""
    gone = await conn.execute(
        runs.delete().where(runs.c.id == run_id, runs.c.status.in_(ENDED), runs.c.lease_expires_at.is_(None))
    )
    return gone.rowcount == 1


async def unfinished_of_workflow(conn: AsyncConnection, workflow_id: WorkflowId) -> int:
    """How many runs of the workflow have not ended."""
    count = select(func.count()).where(runs.c.workflow_id == workflow_id, runs.c.status.not_in(ENDED))
    return (await conn.execute(count)).scalar_one()


async def overdue(conn: AsyncConnection, *, now: datetime, limit: int) -> tuple[Run, ...]:
    """Runs that have waited longer than they may, the longest overdue first. Others do not get them until
    the transaction ends."""
    rows = await conn.execute(
        select(*COLUMNS)
        .where(runs.c.status == WAITING, runs.c.start_by <= now)
        .order_by(runs.c.start_by)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return tuple(map(run_from, rows))


async def begin_turns(conn: AsyncConnection, run_ids: Collection[RunId], *, now: datetime) -> None:
    """Each of these runs is the next of its session: if it waits and may not for ever, its time counts from
    now."""
    not_counting = await conn.execute(_NOT_COUNTING, {"run_ids": list(run_ids)})
    for run_id, within_seconds in not_counting.all():
        due = now + timedelta(seconds=within_seconds)
        await conn.execute(update(runs).where(just(run_id), runs.c.start_by.is_(None)).values(start_by=due))


def just(run_id: RunId) -> ColumnElement[bool]:
    """The condition of this run."""
    return runs.c.id == run_id


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
    ended = sorted(map(run_from, rows), key=lambda run: (run.created_at, str(run.id)))
    if ended:
        ids = [run.id for run in ended]
        await secrets.forget_runs(conn, ids)
        await outbox.runs_ended(conn, ids, now=now)
    return tuple(ended)


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
        "has_left_machine": False,
        "cost_before_usd": llm_costs.known_usd(run.id),
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
    if row is None:
        return None
    await news.of_demands(conn, [(run.organization_id, run.demand)])
    return run_from(row)


# Built once: putting thirty columns together takes longer than asking for them.
_BY_ID = select(*COLUMNS).where(
    runs.c.id == bindparam("run_id"), runs.c.organization_id == bindparam("organization_id")
)
_INSERT = runs.insert()
_INSERT_SEVERAL = _INSERT.returning(runs.c.id)
"""An insert that answers something writes hundreds of rows with one statement, which are told of at once."""
_NOT_COUNTING = select(runs.c.id, runs.c.start_within_seconds).where(
    among(runs.c.id, "run_ids"),
    runs.c.status == RunStatus.SCHEDULING.value,
    runs.c.start_within_seconds.is_not(None),
    runs.c.start_by.is_(None),
)


def run_from(row: Row[*tuple[Any, ...]], changes: Mapping[str, Any] | None = None) -> Run:
    """The value of a row of `runs` that begins with `COLUMNS`; with these fields changed."""
    fields = dict(zip(_NAMES, row, strict=False))
    fields["status"] = RunStatus(fields["status"])
    for name in ("error", "post_run_checks"):
        fields[name] = None if fields[name] is None else tuple(fields[name])
    if fields["pool_ids"] is not None:
        fields["pool_ids"] = tuple(PoolId(UUID(pool_id)) for pool_id in fields["pool_ids"])
    return Run(**fields) if changes is None else Run(**{**fields, **changes})


def _values(run: Run) -> dict[str, Any]:
    values = dict(zip(_NAMES, _fields_of(run), strict=True))
    return values | {"status": run.status.value, "moved_at": run.created_at}


_NAMES = tuple(column.name for column in COLUMNS)
_fields_of = attrgetter(*_NAMES)
