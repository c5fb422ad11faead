"""What the end of a run means for its session and its chain.

Whoever ends a run calls `settle` in the same transaction: a worker that finished it, a caller that cancelled
it, the removal of its machine or pool.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import RunId, SessionId
from cyberdesk_server.domain.runs import Demand, Run, RunStatus
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.ports import Bus
from cyberdesk_server.store import leases, runs, sessions
from cyberdesk_server.store.leases import Held
from cyberdesk_server.topics import WEBHOOKS_WAITING, run_topic


async def finish(
    conn: AsyncConnection, endings: Mapping[Held, Ending], *, now: datetime
) -> Mapping[Held, tuple[RunId, ...]]:
    """End the runs that workers are done with; for each that ended, which runs ended by it, itself first.

    A run that is missing was lost by its worker, or had ended already, and is as it was.
    """
    ended = await leases.finish(conn, endings, now=now)
    others = await _settle(conn, ended, now)
    return {(run.id, run.attempt): (run.id, *others[run.id]) for run in ended}


async def settle(conn: AsyncConnection, ended: Sequence[Run], *, now: datetime) -> tuple[RunId, ...]:
    """End what these runs take with them, and release what they no longer need; which other runs ended.

    - A step of a chain that did not succeed ends the steps behind it.
    - A session is released after a run that says so, whatever came of it; after a chain that broke and was
      not to keep it; and after a run that did not succeed when no other run of the session is left.
      `release_session_after` of the run then says so.
    - What still waits in a session that is released is cancelled.
    """
    return tuple(chain.from_iterable((await _settle(conn, ended, now)).values()))


async def tell_ended(bus: Bus, run_ids: Iterable[RunId]) -> None:
    """After the commit: wake whoever works on these runs that have ended, watches them, or tells of them."""
    for run_id in run_ids:
        await bus.publish(run_topic(run_id))
    await bus.publish(WEBHOOKS_WAITING)


async def end_session(
    conn: AsyncConnection, session: Session, *, reason: str, now: datetime
) -> tuple[RunId, ...]:
    """Release the session; what waited in it is cancelled with the reason. Returns which runs were."""
    await sessions.end(conn, [session.id], now=now)
    return await _cancel_rest(conn, session, reason=reason, now=now)


async def end_demanding(
    conn: AsyncConnection,
    demands: Collection[Demand],
    reserved: Collection[Session] = (),
    *,
    reason: str,
    now: datetime,
) -> tuple[RunId, ...]:
    """End what can never start again, with an error: the runs with these demands, the sessions that wait with
    one of them or have `reserved` what is gone, and the runs in those. Returns which runs were ended."""
    which = runs.demanding(*demands)
    for session in (*reserved, *await sessions.demanding(conn, *demands)):
        await sessions.end(conn, [session.id], now=now)
        which |= runs.in_session(session.id)
    ended = await runs.end_waiting(conn, which, status=RunStatus.ERROR, reason=reason, now=now)
    return tuple(run.id for run in ended)


async def _settle(
    conn: AsyncConnection, ended: Sequence[Run], now: datetime
) -> Mapping[RunId, tuple[RunId, ...]]:
    others: dict[RunId, tuple[RunId, ...]] = {run.id: () for run in ended}
    in_sessions = [run for run in ended if run.session_id is not None]
    while in_sessions:
        # What one run means for its session the next of the same session has to see.
        firsts = {run.session_id: run for run in reversed(in_sessions) if run.session_id is not None}
        others |= await _settle_sessions(conn, firsts, now)
        in_sessions = [run for run in in_sessions if run not in firsts.values()]
    return others


async def _settle_sessions(
    conn: AsyncConnection, ended: Mapping[SessionId, Run], now: datetime
) -> Mapping[RunId, tuple[RunId, ...]]:
    """For one ended run of each of these sessions."""
    others: dict[RunId, tuple[RunId, ...]] = {}
    to_release, next_ones = [], []
    known = await sessions.lock(conn, ended)
    unfinished = await sessions.unfinished(conn, ended)
    for session in known.values():
        if session.ended_at is not None:
            continue
        run = ended[session.id]
        has_failed = run.status is not RunStatus.SUCCESS
        behind = await _end_rest_of_chain(conn, run, now) if has_failed else ()
        others[run.id] = tuple(step.id for step in behind)
        left = [run_id for run_id in unfinished[session.id] if run_id not in others[run.id]]
        is_last_hope = has_failed and run.chain_id is None and not left
        if run.release_session_after or any(step.release_session_after for step in behind) or is_last_hope:
            if not run.release_session_after:
                await runs.mark_as_releasing(conn, run.id)
            to_release.append(session.id)
            if left:
                others[run.id] += await _cancel_rest(
                    conn, session, reason=f"the session was released by run {run.id}", now=now
                )
        elif left:
            if session.machine_id is None:
                await sessions.demand_machine(conn, session, left[0])
            next_ones.append(left[0])
    if to_release:
        await sessions.end(conn, to_release, now=now)
    if next_ones:
        await runs.begin_turns(conn, next_ones, now=now)
    return others


async def _end_rest_of_chain(conn: AsyncConnection, run: Run, now: datetime) -> tuple[Run, ...]:
    if run.chain_id is None:
        return ()
    step = f"step {run.session_alias!r}" if run.session_alias else f"the step of run {run.id}"
    return await runs.end_waiting(
        conn,
        runs.in_chain(run.chain_id),
        status=RunStatus.CANCELLED,
        reason=f"{step} of the chain ended with {run.status}",
        now=now,
    )


async def _cancel_rest(
    conn: AsyncConnection, session: Session, *, reason: str, now: datetime
) -> tuple[RunId, ...]:
    cancelled = await runs.end_waiting(
        conn, runs.in_session(session.id), status=RunStatus.CANCELLED, reason=reason, now=now
    )
    return tuple(run.id for run in cancelled)
