"""`/v1/request-logs`: what was asked of which machine's driver, by runs and by callers, and how it ended.

The gateway writes a row for each request, a moment after it. Callers may add their own.
"""

from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import WRITES, Limit, PaginatedResponse, Skip
from cyberdesk_server.api.schemas.request_logs import (
    Count,
    RequestLogCreate,
    RequestLogResponse,
    RequestLogUpdate,
)
from cyberdesk_server.api.views import View, page
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import MachineId, RequestLogId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.domain.request_logs import RequestLog
from cyberdesk_server.store import machines
from cyberdesk_server.store import request_logs as store

api = router(prefix="/v1/request-logs", tags=["request-logs"])


@api.post("", status_code=201, response_model=RequestLogResponse, openapi_extra=WRITES)
async def create_request_log(
    request: Request, body: RequestLogCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Note a request to a machine."""
    machine_id = MachineId(body.machine_id)

    async def work(conn: AsyncConnection) -> Response:
        if await machines.get(conn, caller.organization_id, machine_id) is None:
            raise Unknown("machine", machine_id)
        log = RequestLog(
            id=RequestLogId(uuid4()),
            organization_id=caller.organization_id,
            created_at=parts.clock.now(),
            **body.model_dump() | {"machine_id": machine_id},
        )
        await store.add(conn, [log])
        return JsonAnswer(_view(log), 201)

    return await write(request, work)


@api.get("", response_model=PaginatedResponse[object])
async def list_request_logs(
    caller: Caller,
    parts: PartsOf,
    machine_id: UUID | None = None,
    method: str | None = None,
    status_code: Count | None = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Request logs, newest first."""
    async with parts.database.read() as conn:
        found, total = await store.find(
            conn,
            caller.organization_id,
            machine_id=None if machine_id is None else MachineId(machine_id),
            method=method or None,
            status_code=status_code,
            skip=skip,
            limit=limit,
        )
    return JsonAnswer(page([_view(log) for log in found], total, skip=skip, limit=limit))


@api.get("/{log_id}", response_model=RequestLogResponse)
async def get_request_log(log_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The request log."""
    async with parts.database.read() as conn:
        log = await store.get(conn, caller.organization_id, RequestLogId(log_id))
    return JsonAnswer(_view(_known(log, log_id)))


@api.patch("/{log_id}", response_model=RequestLogResponse, openapi_extra=WRITES)
async def update_request_log(
    request: Request, log_id: UUID, body: RequestLogUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the fields that are sent: how the request ended."""
    changes = body.model_dump(exclude_unset=True)

    async def work(conn: AsyncConnection) -> Response:
        log = await store.update_fields(conn, caller.organization_id, RequestLogId(log_id), changes)
        return JsonAnswer(_view(_known(log, log_id)))

    return await write(request, work)


@api.delete("/{log_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_request_log(request: Request, log_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Remove a request log."""

    async def work(conn: AsyncConnection) -> Response:
        if not await store.delete(conn, caller.organization_id, RequestLogId(log_id)):
            raise Unknown("request log", log_id)
        return no_content()

    return await write(request, work)


def _known(log: RequestLog | None, log_id: UUID) -> RequestLog:
    if log is None:
        raise Unknown("request log", log_id)
    return log


def _view(log: RequestLog) -> View:
    return {
        "id": log.id,
        "organization_id": log.organization_id,
        "machine_id": log.machine_id,
        "request_id": log.request_id,
        "method": log.method,
        "path": log.path,
        "status_code": log.status_code,
        "request_size_bytes": log.request_size_bytes,
        "response_size_bytes": log.response_size_bytes,
        "duration_ms": log.duration_ms,
        "error_message": log.error_message,
        "created_at": log.created_at,
        "completed_at": log.completed_at,
    }
