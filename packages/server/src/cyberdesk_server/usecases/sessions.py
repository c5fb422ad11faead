"""Sessions that end without a run of theirs."""

from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, RunId, SessionId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.store import sessions
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases.endings import end_session

log = structlog.get_logger(__name__)


async def release(
    conn: AsyncConnection, organization_id: OrganizationId, session_id: SessionId, *, now: datetime
) -> tuple[RunId, ...]:
    """End the session, if it has not ended; which runs that waited in it were cancelled. Raises `Unknown`."""
    session = await sessions.get(conn, organization_id, session_id)
    if session is None:
        raise Unknown("session", session_id)
    if session.ended_at is not None:
        return ()
    return await end_session(conn, session, reason="the session was released", now=now)


async def release_idle(database: Database, *, before: datetime, now: datetime) -> tuple[SessionId, ...]:
    """Release the sessions in which no run waits or goes on and none has ended since `before`; returns which.

    A session in which no run has ended is as old as itself.
    """
    async with database.read() as conn:
        idle = await sessions.idle(conn, before=before)
    return tuple([session_id for session_id in idle if await _is_released(database, session_id, before, now)])


async def _is_released(database: Database, session_id: SessionId, before: datetime, now: datetime) -> bool:
    async with database.transaction() as conn:
        session = (await sessions.lock(conn, [session_id])).get(session_id)
        # Since it was found, a run may have joined it, or another server released it.
        if session is None or session_id not in await sessions.idle(conn, before=before, only=session_id):
            return False
        await end_session(conn, session, reason="the session was idle for too long", now=now)
    log.info("idle session released", session_id=str(session_id), machine_id=str(session.machine_id))
    return True
