"""`/v1/sessions`."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import RunId, SessionId
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases import sessions
from cyberdesk_server.usecases.endings import tell_ended

api = router(prefix="/v1/sessions", tags=["sessions"])


@api.post("/{session_id}/release", status_code=204, response_class=Response, openapi_extra=WRITES)
async def release_session(request: Request, session_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Release the session's machine for others. Runs that wait in the session are cancelled, one that goes on
    there goes on. Nothing happens to a session that has ended."""
    cancelled: tuple[RunId, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal cancelled
        cancelled = await sessions.release(
            conn, caller.organization_id, SessionId(session_id), now=parts.clock.now()
        )
        return no_content()

    answer = await write(request, work)
    await tell_ended(parts.bus, cancelled)
    await parts.bus.publish(MACHINES_FREE)
    return answer
