"""Sessions, and the runs in them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId, SessionId
from cyberdesk_server.domain.refs import Outcome
from cyberdesk_server.domain.runs import Demand, Run, RunStatus, demand_of_session
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.domain.webhooks import WebhookEventType
from cyberdesk_server.store import news, outbox
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.tables import machines, runs, sessions

WAITS = runs.c.status == RunStatus.SCHEDULING.value
GOES_ON = runs.c.status.in_([status.value for status in RunStatus if not status.is_terminal])


async def add(conn: AsyncConnection, session: Session) -> None:
    """Write a new session."""
    await conn.execute(
        sessions.insert(), {column.name: getattr(session, column.name) for column in sessions.c}
    )


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, session_id: SessionId
) -> Session | None:
    """The session; None when the organization has no such session.

    Until the transaction ends nobody else adds a run to it or ends it.
    """
    row = (
        await conn.execute(
            select(sessions)
            .where(sessions.c.id == session_id, sessions.c.organization_id == organization_id)
            .with_for_update()
        )
    ).one_or_none()
    return None if row is None else _session(row)


async def lock(conn: AsyncConnection, ids: Collection[SessionId]) -> Mapping[SessionId, Session]:
    """Those of these sessions that there are, of whatever organization, with nobody else adding a run to them
    or ending them."""
    rows = await conn.execute(_LOCK, {"ids": list(ids)})
    return {row.id: _session(row) for row in rows}


async def idle(
    conn: AsyncConnection, *, before: datetime, only: SessionId | None = None
) -> tuple[SessionId, ...]:
    """The sessions that go on, were made before, and in which no run waits, goes on, or has ended since.

    With `only` none but this one, if it is such a session.
    """
    its_runs = runs.c.session_id == sessions.c.id
    in_use = select(runs.c.id).where(its_runs, GOES_ON | (runs.c.ended_at > before)).exists()
    which = sessions.c.ended_at.is_(None) & (sessions.c.created_at <= before) & ~in_use
    if only is not None:
        which &= sessions.c.id == only
    return tuple((await conn.execute(select(sessions.c.id).where(which))).scalars())


async def reserving(conn: AsyncConnection, machine_id: MachineId) -> tuple[Session, ...]:
    """The session that has reserved this machine and goes on, if there is one."""
    return await _going_on(conn, sessions.c.machine_id == machine_id)


async def demanding(conn: AsyncConnection, *demands: Demand) -> tuple[Session, ...]:
    """The sessions that still wait for a machine, with one of these demands."""
    return await _going_on(conn, sessions.c.machine_id.is_(None) & sessions.c.demand.in_(demands))


async def _going_on(conn: AsyncConnection, which: ColumnElement[bool]) -> tuple[Session, ...]:
    rows = await conn.execute(select(sessions).where(which, sessions.c.ended_at.is_(None)))
    return tuple(map(_session, rows))


async def reserve(conn: AsyncConnection, chosen: Mapping[SessionId, MachineId]) -> None:
    """Each of these machines is its session's from now on; runs that wait in the session name it."""
    if not chosen:
        return
    rows = [{"session": session_id, "machine": machine_id} for session_id, machine_id in chosen.items()]
    for statement in (_GET_MACHINE, _RESERVE, _NAME_MACHINE):
        await conn.execute(statement, rows)


async def end(conn: AsyncConnection, ids: Collection[SessionId], *, now: datetime) -> frozenset[SessionId]:
    """Their machines are free for others again. Returns those that had not ended before."""
    ended = (await conn.execute(_END, {"ids": list(ids), "now": now})).all()
    await conn.execute(_RELEASE, {"ids": list(ids)})
    facts = [
        {
            "organization_id": row.organization_id,
            "session_id": row.id,
            "machine_id": row.machine_id,
        }
        for row in ended
    ]
    await outbox.happened(conn, WebhookEventType.SESSION_RELEASED, facts, now=now)
    return frozenset(row.id for row in ended)


async def unfinished(
    conn: AsyncConnection, ids: Collection[SessionId]
) -> Mapping[SessionId, tuple[RunId, ...]]:
    """The runs of each of these sessions that wait or go on, in the order of creation."""
    left: dict[SessionId, tuple[RunId, ...]] = dict.fromkeys(ids, ())
    for row in await conn.execute(_UNFINISHED, {"ids": list(ids)}):
        left[row.session_id] += (row.id,)
    return left


async def last_made_at(conn: AsyncConnection, session_id: SessionId) -> datetime | None:
    """When the youngest run of the session was made; None while it has none."""
    youngest = select(func.max(runs.c.created_at)).where(runs.c.session_id == session_id)
    made_at: datetime | None = (await conn.execute(youngest)).scalar_one()
    return made_at


async def demand_machine(conn: AsyncConnection, session: Session, run_id: RunId) -> None:
    """Let this waiting run, and no other, be the one that gets the session its machine."""
    others = (runs.c.session_id == session.id) & (runs.c.id != run_id)
    await conn.execute(update(runs).where(others, WAITS).values(demand=demand_of_session(session.id)))
    await conn.execute(update(runs).where(runs.c.id == run_id, WAITS).values(demand=session.demand))
    await news.of_demands(conn, [(session.organization_id, session.demand)])


async def aliases(conn: AsyncConnection, session_id: SessionId) -> frozenset[str]:
    """The names by which runs of the session can be referred to."""
    rows = await conn.execute(
        select(runs.c.session_alias).where(runs.c.session_id == session_id, runs.c.session_alias.is_not(None))
    )
    return frozenset(rows.scalars())


async def outcomes(conn: AsyncConnection, together: Sequence[Run]) -> Mapping[RunId, Mapping[str, Outcome]]:
    """What earlier runs of each run's session or chain came to, by alias; of one alias the last."""
    found: dict[RunId, dict[str, Outcome]] = {run.id: {} for run in together}
    session_ids = {run.session_id for run in together if run.session_id is not None}
    chain_ids = {run.chain_id for run in together if run.chain_id is not None}
    if not session_ids and not chain_ids:
        return found
    asked = {"ids": list(session_ids), "chain_ids": list(chain_ids)}
    for row in (await conn.execute(_WITH_AN_ALIAS, asked)).all():
        for run in together:
            if _comes_before(row, run):
                found[run.id][row.session_alias] = Outcome(RunStatus(row.status), row.output_data)
    return found


def _comes_before(row: Any, run: Run) -> bool:
    is_in_session = run.session_id is not None and row.session_id == run.session_id
    is_in_chain = run.chain_id is not None and row.chain_id == run.chain_id
    is_own = row.organization_id == run.organization_id
    return (is_in_session or is_in_chain) and is_own and bool(row.created_at < run.created_at)


def _session(row: Row[Any]) -> Session:
    return Session(**row._mapping)


# Built once: each ended run of a session asks for them.
_LOCK = select(sessions).where(among(sessions.c.id, "ids")).order_by(sessions.c.id).with_for_update()
_END = (
    update(sessions)
    .where(among(sessions.c.id, "ids"), sessions.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(sessions.c.id, sessions.c.organization_id, sessions.c.machine_id)
)
_RELEASE = (
    update(machines).where(among(machines.c.reserved_session_id, "ids")).values(reserved_session_id=None)
)
_UNFINISHED = (
    select(runs.c.session_id, runs.c.id)
    .where(among(runs.c.session_id, "ids"), GOES_ON)
    .order_by(runs.c.created_at, runs.c.id)
)
_GET_MACHINE = (
    update(sessions)
    .where(sessions.c.id == bindparam("session"), sessions.c.machine_id.is_(None))
    .values(machine_id=bindparam("machine"))
)
_RESERVE = (
    update(machines)
    .where(machines.c.id == bindparam("machine"), machines.c.reserved_session_id.is_(None))
    .values(reserved_session_id=bindparam("session"))
)
_NAME_MACHINE = (
    update(runs)
    .where(runs.c.session_id == bindparam("session"), WAITS)
    .values(machine_id=bindparam("machine"))
)
_TOGETHER = among(runs.c.session_id, "ids") | among(runs.c.chain_id, "chain_ids")
_WITH_AN_ALIAS = (
    select(
        runs.c.organization_id,
        runs.c.session_id,
        runs.c.chain_id,
        runs.c.session_alias,
        runs.c.status,
        runs.c.output_data,
        runs.c.created_at,
    )
    .where(runs.c.session_alias.is_not(None), _TOGETHER)
    .order_by(runs.c.created_at, runs.c.id)
)
