"""`/v1/machines/{machine_id}/cyberdriver/web-session`: a live view, where the operator has a relay for it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.schemas.web_sessions import CyberdriverWebSessionResponse
from cyberdesk_server.api.views import View
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import MachineId
from cyberdesk_server.domain.refusals import LiveViewNotSetUp, Unknown
from cyberdesk_server.domain.web_sessions import WebSession, open_web_session
from cyberdesk_server.store import machines

api = router(prefix="/v1/machines/{machine_id}/cyberdriver", tags=["machines"])

RELAYED = "relay"
"""The only mode: both sides meet at the relay."""


@api.post("/web-session", response_model=CyberdriverWebSessionResponse, openapi_extra=WRITES)
async def create_cyberdriver_web_session(
    request: Request, machine_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """Where a browser meets the machine's driver, and a token for it. 501 when the operator runs no relay."""

    async def work(conn: AsyncConnection) -> Response:
        machine = await machines.get(conn, caller.organization_id, MachineId(machine_id))
        if machine is None:
            raise Unknown("machine", machine_id)
        if parts.relay is None:
            raise LiveViewNotSetUp
        return JsonAnswer(_view(open_web_session(parts.relay, machine, now=parts.clock.now())))

    return await write(request, work)


def _view(session: WebSession) -> View:
    machine = session.machine
    return {
        "machine_id": machine.id,
        "rustdesk_peer_id": session.peer_id,
        "desktop_label": machine.name or machine.hostname or str(machine.id),
        "selected_organization_id": machine.organization_id,
        "token": session.token,
        "expires_at": int(session.expires_at.timestamp()),
        "mode": RELAYED,
        "endpoints": {"hbbs_url": session.relay.hbbs_url, "hbbr_url": session.relay.hbbr_url},
        "public_key": session.relay.public_key,
        "features": {},
    }
