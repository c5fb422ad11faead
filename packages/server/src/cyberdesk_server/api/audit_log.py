"""`/v1/audit-log`: who did what in the organization. Entries are there about a second after their answers."""

from uuid import UUID

from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.audit_log import AuditLogEntryResponse
from cyberdesk_server.api.schemas.common import Limit, PaginatedResponse, Skip, UtcTime
from cyberdesk_server.api.schemas.request_logs import Count
from cyberdesk_server.api.views import View, page
from cyberdesk_server.domain.audit import Chained
from cyberdesk_server.domain.ids import ApiKeyId
from cyberdesk_server.store import audit_log

api = router(prefix="/v1/audit-log", tags=["audit-log"])


@api.get("", response_model=PaginatedResponse[AuditLogEntryResponse])
async def list_audit_log(
    caller: Caller,
    parts: PartsOf,
    api_key_id: UUID | None = None,
    operation: str | None = None,
    target_id: str | None = None,
    status_code: Count | None = None,
    created_at_from: UtcTime | None = None,
    created_at_to: UtcTime | None = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Writes that were asked for and how they were answered, newest first; never what was in them."""
    async with parts.database.read() as conn:
        found, total = await audit_log.find(
            conn,
            caller.organization_id,
            api_key_id=None if api_key_id is None else ApiKeyId(api_key_id),
            operation=operation or None,
            target=target_id or None,
            status_code=status_code,
            created_from=created_at_from,
            created_until=created_at_to,
            skip=skip,
            limit=limit,
        )
    return JsonAnswer(page([_view(link) for link in found], total, skip=skip, limit=limit))


def _view(link: Chained) -> View:
    entry = link.entry
    return {
        "number": link.number,
        "at": entry.at,
        "api_key_id": entry.api_key_id,
        "actor": entry.actor,
        "operation": entry.operation,
        "target_ids": entry.targets,
        "status_code": entry.status_code,
        "request_id": entry.request_id,
        "hash": link.hash,
    }
