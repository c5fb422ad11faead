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
    """The caller's id of the request."""

    method: str
    """Its HTTP method."""

    path: str
    """Its path, with the query if there is one."""

    machine_id: UUID
    """The machine that was asked."""

    status_code: Count | None = None
    """The HTTP status of the answer; null when there was none."""

    request_size_bytes: Count | None = None
    """Size of the request's body, in bytes."""

    response_size_bytes: Count | None = None
    """Size of the answer's body, in bytes."""

    duration_ms: Count | None = None
    """How long the answer took, in milliseconds."""

    error_message: str | None = None
    """Why there was no answer, or what went wrong."""


class RequestLogUpdate(Model):
    status_code: Count | None = None
    """The HTTP status of the answer."""

    response_size_bytes: Count | None = None
    """Size of the answer's body, in bytes."""

    completed_at: UtcTime | None = None
    """When the answer was there; a time without an offset is UTC."""

    duration_ms: Count | None = None
    """How long the answer took, in milliseconds."""

    error_message: str | None = None
    """Why there was no answer, or what went wrong."""


class RequestLogResponse(Model):
    request_id: str
    """Id of the request to the driver; a caller's own row has the caller's."""

    method: str
    """Its HTTP method."""

    path: str
    """Its path, with the query if there is one."""

    id: UUID
    """The row's id."""

    machine_id: UUID
    """The machine that was asked."""

    created_at: datetime
    """When the machine was asked, in UTC."""

    completed_at: datetime | None
    """When the answer was there, in UTC; null when there was none."""

    status_code: int | None = None
    """The HTTP status of the driver's answer; null when there was none."""

    request_size_bytes: int | None = None
    """Size of the request's body, in bytes."""

    response_size_bytes: int | None = None
    """Size of the answer's body, in bytes; null when there was none."""

    duration_ms: int | None = None
    """How long the answer took, in milliseconds."""

    error_message: str | None = None
    """Why there was no answer; null when there was one."""

    organization_id: str | None = None
    """The organization that owns the machine."""
