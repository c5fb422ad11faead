"""What the end of a run means for its session and its chain.

Whoever ends a run calls `settle` in the same transaction: a worker that finished it, a caller that cancelled
it, the removal of its machine or pool.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import RunId, SessionId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import Demand, Run, RunStatus, added_up
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.ports import Bus
from cyberdesk_server.store import claims, runs, sessions
from cyberdesk_server.topics import run_topic


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
) -> tuple[RunId, ...]:
    """End the run a worker has carried out in this attempt; which runs ended by it, itself first.

    Nothing, and nothing changed, when the worker lost the run or it has ended already.
    """
    before = await runs.usage(conn, run_id)
    ended = await claims.finish(
        conn,
        run_id,
        attempt,
        status=status,
        error=error,
        output_data=output_data,
        usage_metadata=added_up(before, usage_metadata),
        now=now,
    )
    return () if ended is None else (ended.id, *await settle(conn, [ended], now=now))


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
) -> tuple[RunId, ...]:
    """`finish`, for a run whose post-run checks this worker has made."""
    before = await runs.usage(conn, run_id)
    ended = await claims.finish_checks(
        conn,
        run_id,
        attempt,
        status=status,
        error=error,
        checks=checks,
        usage_metadata=added_up(before, usage_metadata),
        now=now,
    )
    return () if ended is None else (ended.id, *await settle(conn, [ended], now=now))


async def settle(conn: AsyncConnection, ended: Sequence[Run], *, now: datetime) -> tuple[RunId, ...]:
    """End what these runs take with them, and release what they no longer need; which other runs ended.

    - A step of a chain that did not succeed ends the steps behind it.
    - A session is released after a run that says so, whatever came of it; after a chain that broke and was
      not to keep it; and after a run that did not succeed when no other run of the session is left.
      `release_session_after` of the run then says so.
    - What still waits in a session that is released is cancelled.
    """
    others: list[RunId] = []
    for run in ended:
        if run.session_id is not None:
            others += await _settle_one(conn, run, run.session_id, now)
    return tuple(others)


async def tell_ended(bus: Bus, run_ids: Iterable[RunId]) -> None:
    """After the commit: wake whoever works on these runs that have ended, or watches them."""
    for run_id in run_ids:
        await bus.publish(run_topic(run_id))


async def end_session(
    conn: AsyncConnection, session: Session, *, reason: str, now: datetime
) -> tuple[RunId, ...]:
    """Release the session; what waited in it is cancelled with the reason. Returns which runs were."""
    await sessions.end(conn, session.id, now=now)
    cancelled = await runs.end_waiting(
        conn, runs.in_session(session.id), status=RunStatus.CANCELLED, reason=reason, now=now
    )
    return tuple(run.id for run in cancelled)


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
        await sessions.end(conn, session.id, now=now)
        which |= runs.in_session(session.id)
    ended = await runs.end_waiting(conn, which, status=RunStatus.ERROR, reason=reason, now=now)
    return tuple(run.id for run in ended)


async def _settle_one(
    conn: AsyncConnection, run: Run, session_id: SessionId, now: datetime
) -> tuple[RunId, ...]:
    session = await sessions.get(conn, run.organization_id, session_id)
    if session is None or session.ended_at is not None:
        return ()
    has_failed = run.status is not RunStatus.SUCCESS
    behind = await _end_rest_of_chain(conn, run, now) if has_failed else ()
    left = await sessions.unfinished(conn, session_id)
    is_last_hope = has_failed and run.chain_id is None and not left
    if run.release_session_after or any(step.release_session_after for step in behind) or is_last_hope:
        await runs.mark_as_releasing(conn, run.id)
        reason = f"the session was released by run {run.id}"
        released = await end_session(conn, session, reason=reason, now=now)
    else:
        released = ()
        if left:
            if session.machine_id is None:
                await sessions.demand_machine(conn, session, left[0])
            await runs.begin_turn(conn, left[0], now=now)
    return (*(step.id for step in behind), *released)


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
