"""`/v1/connections`: when which machine was connected. Writing here notes something down, and opens or closes
no tunnel."""

from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES, Limit, PaginatedResponse, Skip
from cyberdesk_server.api.schemas.connections import ConnectionCreate, ConnectionResponse, ConnectionUpdate
from cyberdesk_server.api.views import View, page, sent
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.connections import Connection, ConnectionStatus
from cyberdesk_server.domain.ids import ConnectionId, MachineId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.store import connections as store
from cyberdesk_server.store import machines

api = router(prefix="/v1/connections", tags=["connections"])

NEVER_NULL = frozenset({"status", "last_ping"})


@api.post("", status_code=201, response_model=ConnectionResponse, openapi_extra=WRITES)
async def create_connection(
    request: Request, body: ConnectionCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Note a connection of a machine, open from now on. Without a `websocket_id` its own id is taken."""
    machine_id = MachineId(body.machine_id)

    async def work(conn: AsyncConnection) -> Response:
        if await machines.get(conn, caller.organization_id, machine_id) is None:
            raise Unknown("machine", machine_id)
        now, connection_id = parts.clock.now(), ConnectionId(uuid4())
        connection = Connection(
            id=connection_id,
            organization_id=caller.organization_id,
            machine_id=machine_id,
            websocket_id=body.websocket_id or str(connection_id),
            status=ConnectionStatus.CONNECTED,
            connected_at=now,
            last_ping=now,
            ip_address=body.ip_address,
            user_agent=body.user_agent,
        )
        await store.add(conn, connection)
        return JsonAnswer(_view(connection), 201)

    return await write(request, work)


@api.get("", response_model=PaginatedResponse[ConnectionResponse])
async def list_connections(
    caller: Caller,
    parts: PartsOf,
    machine_id: UUID | None = None,
    status: ConnectionStatus | None = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Connections, last connected first."""
    async with parts.database.read() as conn:
        found, total = await store.find(
            conn,
            caller.organization_id,
            machine_id=None if machine_id is None else MachineId(machine_id),
            status=status,
            skip=skip,
            limit=limit,
        )
    return JsonAnswer(page([_view(connection) for connection in found], total, skip=skip, limit=limit))


@api.get("/{connection_id}", response_model=ConnectionResponse)
async def get_connection(connection_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The connection."""
    async with parts.database.read() as conn:
        connection = await store.get(conn, caller.organization_id, ConnectionId(connection_id))
    return JsonAnswer(_view(_known(connection, connection_id)))


@api.patch("/{connection_id}", response_model=ConnectionResponse, openapi_extra=WRITES)
async def update_connection(
    request: Request, connection_id: UUID, body: ConnectionUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the fields that are sent. A tunnel goes on, whatever its record says."""
    changes = sent(body.model_dump(exclude_unset=True), not_null=NEVER_NULL)

    async def work(conn: AsyncConnection) -> Response:
        connection = await store.update_fields(
            conn, caller.organization_id, ConnectionId(connection_id), changes
        )
        return JsonAnswer(_view(_known(connection, connection_id)))

    return await write(request, work)


@api.delete("/{connection_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_connection(
    request: Request, connection_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """Remove the record. A tunnel goes on without it."""

    async def work(conn: AsyncConnection) -> Response:
        if not await store.delete(conn, caller.organization_id, ConnectionId(connection_id)):
            raise Unknown("connection", connection_id)
        return no_content()

    return await write(request, work)


def _known(connection: Connection | None, connection_id: UUID) -> Connection:
    if connection is None:
        raise Unknown("connection", connection_id)
    return connection


def _view(connection: Connection) -> View:
    return {
        "id": connection.id,
        "machine_id": connection.machine_id,
        "websocket_id": connection.websocket_id,
        "status": connection.status,
        "connected_at": connection.connected_at,
        "disconnected_at": connection.disconnected_at,
        "last_ping": connection.last_ping,
        "ip_address": connection.ip_address,
        "user_agent": connection.user_agent,
    }
