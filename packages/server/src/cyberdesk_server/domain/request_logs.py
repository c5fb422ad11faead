"""What a request log is: one request to a machine's driver, without its body and its answer's."""

from dataclasses import dataclass
from datetime import datetime

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RequestLogId


@dataclass(frozen=True, slots=True)
class RequestLog:
    id: RequestLogId
    organization_id: OrganizationId
    machine_id: MachineId
    request_id: str
    """Of the question to the driver; a caller's own note has the caller's."""

    method: str
    path: str
    """With the query, if there is one."""

    created_at: datetime
    """When it was asked."""

    completed_at: datetime | None = None
    status_code: int | None = None
    """The driver's; None when it gave no answer."""

    request_size_bytes: int | None = None
    response_size_bytes: int | None = None
    duration_ms: int | None = None
    error_message: str | None = None
    """Why there is no answer, or what the driver said of a failure."""
