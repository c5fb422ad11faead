"""What workers write about the runs in their hands.

While `lease_expires_at` is set a run is in a worker's hands. It is set by a claim, and cleared when the run
ends, when its worker lets go of it after it was cancelled, or when the lease of a cancelled run runs out.
As long the run holds its machine, unless it has left it: one in no session does before its post-run checks.
Every write of a worker names its `attempt`; one that was overtaken changes nothing (invariant 4).

A run in the hands of a living server is taken over by nobody else, whatever the clocks say; only when its
machine connects elsewhere does it follow it (`follow_machine`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, false, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import MachineId, RunId, ServerId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import Run, RunStatus, added_up
from cyberdesk_server.store import machines, outbox, secrets, tables
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.runs import COLUMNS, ENDED, run_from
from cyberdesk_server.store.tables import runs, workflows

Held = tuple[RunId, int]
"""A run, and the attempt in which a worker holds it."""


async def renew(
    conn: AsyncConnection, held: Collection[Held], *, server_id: ServerId, lease_until: datetime
) -> Mapping[RunId, RunStatus]:
    """The status of each of these runs, held by this server in these attempts, its lease now lasting until
    `lease_until`.

    One that is missing is lost: it is another's. A terminal status: somebody ended the run, and the worker
    has to `release` it when it has stopped.
    """
    rows = await conn.execute(
        update(runs)
        .where(tuple_(runs.c.id, runs.c.attempt).in_(held), _IS_LEASED)
        .values(lease_expires_at=lease_until, server_id=server_id)
        .returning(runs.c.id, runs.c.status)
    )
    return {row.id: RunStatus(row.status) for row in rows}


async def leave(conn: AsyncConnection, held: Held, *, now: datetime) -> None:
    """Let go of a run that is not over: whoever comes first may take it over, of whatever server."""
    await conn.execute(
        update(runs).where(*_ours(held), _IS_LEASED).values(lease_expires_at=now, server_id=None)
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


async def may_act(conn: AsyncConnection, held: Held) -> bool:
    """True while the run goes on and is this worker's."""
    run_id, attempt = held
    going_on = await conn.execute(_GOING_ON, {"run_id": run_id, "attempt": attempt})
    return going_on.first() is not None


async def holds_machine(conn: AsyncConnection, held: Held) -> bool:
    """True while the run, ended or not, is in the hands of this worker and holds its machine."""
    found = await conn.execute(select(runs.c.id).where(*_ours(held), _HOLDS_MACHINE))
    return found.first() is not None


async def begin_checks(
    conn: AsyncConnection,
    held: Held,
    *,
    output_data: JsonObject | None,
    now: datetime,
    needs_machine: bool = False,
) -> Run | None:
    """The run, its main part over, its post-run checks about to be made: output written, secrets gone. In a
    session it goes on holding its machine, for the next run waits for what comes of the checks; otherwise the
    machine is free.

    `needs_machine` says that there is something to be done on it when a check has failed: the run keeps it,
    and its secrets. None, and nothing changed, when the worker lost the run or it has ended already.
    """
    leaves = false() if needs_machine else runs.c.session_id.is_(None)
    row = (
        await conn.execute(
            update(runs)
            .where(*_ours(held), *_in_hand(RunStatus.RUNNING))
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
        await machines.free(conn, [row.id])
    if not needs_machine:
        await secrets.forget_runs(conn, [row.id])
    return run_from(row)


async def write_checks(conn: AsyncConnection, held: Held, checks: Sequence[JsonObject]) -> bool:
    """What has come of the run's checks so far; False when the worker lost the run or it has ended."""
    written = await conn.execute(
        update(runs)
        .where(*_ours(held), *_in_hand(RunStatus.RUNNING_CHECKS))
        .values(post_run_checks=list(checks))
    )
    return written.rowcount == 1


async def finish(conn: AsyncConnection, endings: Mapping[Held, Ending], *, now: datetime) -> tuple[Run, ...]:
    """End these runs, whose work is done: what came of it written, secrets gone, machines free.

    Those that ended, as they are now. A run that is missing was lost by the worker, or had ended already,
    and is as it was.
    """
    asked = {"run_ids": [run_id for run_id, _ in endings]}
    rows = [row for row in await conn.execute(_TO_FINISH, asked) if _may_end(row, endings)]
    ended = tuple(_ended(row, endings[row.id, row.attempt], now) for row in rows)
    if ended:
        await conn.execute(_FINISH, [_as_written(run) for run in ended])
        await machines.free(conn, [run.id for run in ended])
        await secrets.forget_runs(conn, [row.id for row in rows if row.has_secrets])
        await outbox.runs_ended(conn, [row.id for row in rows if row.is_webhooks_enabled], now=now)
    return ended


async def release(conn: AsyncConnection, held: Held, *, now: datetime) -> None:
    """Let go of a run that somebody else ended: its machine is free.

    A run that has not ended stays as it is; a worker leaves it by letting its lease run out.
    """
    released = await conn.execute(
        update(runs)
        .where(*_ours(held), runs.c.status.in_(ENDED), _IS_LEASED)
        .values(lease_expires_at=None, moved_at=now)
    )
    if released.rowcount:
        await machines.free(conn, [held[0]])


async def expire(conn: AsyncConnection, server_id: ServerId, *, now: datetime) -> int:
    """The server is gone: whoever comes first may take over what it held. Returns how many runs it held."""
    expired = await conn.execute(
        update(runs)
        .where(runs.c.server_id == server_id, _IS_LEASED)
        .values(lease_expires_at=now, server_id=None)
    )
    return expired.rowcount


def _may_end(row: Row[*tuple[Any, ...]], endings: Mapping[Held, Ending]) -> bool:
    ending = endings.get((row.id, row.attempt))
    return ending is not None and (ending.checks is None or row.status == RunStatus.RUNNING_CHECKS.value)


def _ended(row: Row[*tuple[Any, ...]], ending: Ending, now: datetime) -> Run:
    earlier_tries = row.usage_metadata if row.retries else None
    changes: dict[str, Any] = {
        "status": ending.status,
        "error": ending.error or None,
        "usage_metadata": added_up(earlier_tries, ending.usage_metadata),
        "ended_at": now,
        "lease_expires_at": None,
    }
    if row.status == RunStatus.RUNNING.value:
        changes["output_data"] = ending.output_data
    elif ending.checks is not None:
        changes["post_run_checks"] = ending.checks
    return run_from(row, changes)


def _as_written(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.id,
        "status": run.status.value,
        "error": None if run.error is None else list(run.error),
        "output_data": run.output_data,
        "usage_metadata": run.usage_metadata,
        "post_run_checks": None if run.post_run_checks is None else list(run.post_run_checks),
        "ended_at": run.ended_at,
        "moved_at": run.ended_at,
        "lease_expires_at": None,
    }


_IS_LEASED = runs.c.lease_expires_at.is_not(None)
_HOLDS_MACHINE = _IS_LEASED & ~runs.c.has_left_machine


def _ours(held: Held) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    run_id, attempt = held
    return runs.c.id == run_id, runs.c.attempt == attempt


def _in_hand(*statuses: RunStatus) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    # A run that was cancelled, let go of and started over has the attempt of its last try until it is
    # claimed again: only the lease tells it from one that is being carried out.
    return runs.c.status.in_([status.value for status in statuses]), _IS_LEASED


# Built once: putting thirty columns together takes longer than asking for them.
_GOES_ON = RunStatus.RUNNING, RunStatus.RUNNING_CHECKS
_GOING_ON = select(runs.c.id).where(
    runs.c.id == bindparam("run_id"),
    runs.c.attempt == bindparam("attempt"),
    runs.c.status.in_([status.value for status in _GOES_ON]),
)
_TO_FINISH = (
    select(
        *COLUMNS,
        workflows.c.is_webhooks_enabled,
        tables.secrets.select().where(tables.secrets.c.run_id == runs.c.id).exists().label("has_secrets"),
    )
    .join(workflows, workflows.c.id == runs.c.workflow_id)
    .where(among(runs.c.id, "run_ids"), *_in_hand(*_GOES_ON))
    .order_by(runs.c.id)  # the order in which they are locked: two that end runs never wait for each other
    .with_for_update(of=runs)
)
_FINISH = update(runs).where(runs.c.id == bindparam("run_id"))
