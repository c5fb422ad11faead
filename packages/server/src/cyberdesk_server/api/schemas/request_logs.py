"""Request logs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.common import Model, UtcTime

Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""What the database keeps in 32 bits."""


class RequestLogCreate(Model):
    request_id: str
    method: str
    path: str
    machine_id: UUID
    status_code: Count | None = None
    request_size_bytes: Count | None = None
    response_size_bytes: Count | None = None
    duration_ms: Count | None = None
    error_message: str | None = None


class RequestLogUpdate(Model):
    status_code: Count | None = None
    response_size_bytes: Count | None = None
    completed_at: UtcTime | None = None
    duration_ms: Count | None = None
    error_message: str | None = None


class RequestLogResponse(Model):
    request_id: str
    method: str
    path: str
    id: UUID
    machine_id: UUID
    created_at: datetime
    completed_at: datetime | None
    status_code: int | None = None
    request_size_bytes: int | None = None
    response_size_bytes: int | None = None
    duration_ms: int | None = None
    error_message: str | None = None
    organization_id: str | None = None
