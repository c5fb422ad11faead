# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from attrs import define

from cyberdesk.models._model import Answered, Model, given
from cyberdesk.models._readers import Reads, moment, uuid
from cyberdesk.models._unset import UNSET


@define(on_setattr=given)
class RequestLogCreate(Model):
    """Sent by `POST /v1/request-logs`."""

    request_id: str
    """The caller's id of the request."""

    method: str
    """Its HTTP method."""

    path: str
    """Its path, with the query if there is one."""

    machine_id: UUID | str
    """The machine that was asked."""

    status_code: int | None = UNSET
    """The HTTP status of the answer; None when there was none."""

    request_size_bytes: int | None = UNSET
    """Size of the request's body, in bytes."""

    response_size_bytes: int | None = UNSET
    """Size of the answer's body, in bytes."""

    duration_ms: int | None = UNSET
    """How long the answer took, in milliseconds."""

    error_message: str | None = UNSET
    """Why there was no answer, or what went wrong."""

    _reads: ClassVar[Reads] = {"machine_id": uuid}


@define(on_setattr=given)
class RequestLogResponse(Answered):
    """Answered by `POST /v1/request-logs`.

    Answered by `GET /v1/request-logs/{log_id}`.
    Answered by `PATCH /v1/request-logs/{log_id}`.
    """

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
    """When the answer was there, in UTC; None when there was none."""

    status_code: int | None = UNSET
    """The HTTP status of the driver's answer; None when there was none."""

    request_size_bytes: int | None = UNSET
    """Size of the request's body, in bytes."""

    response_size_bytes: int | None = UNSET
    """Size of the answer's body, in bytes; None when there was none."""

    duration_ms: int | None = UNSET
    """How long the answer took, in milliseconds."""

    error_message: str | None = UNSET
    """Why there was no answer; None when there was one."""

    organization_id: str | None = UNSET
    """The organization that owns the machine."""

    _reads: ClassVar[Reads] = {"id": uuid, "machine_id": uuid, "created_at": moment, "completed_at": moment}


@define(on_setattr=given)
class RequestLogUpdate(Model):
    """Sent by `PATCH /v1/request-logs/{log_id}`."""

    status_code: int | None = UNSET
    """The HTTP status of the answer."""

    response_size_bytes: int | None = UNSET
    """Size of the answer's body, in bytes."""

    completed_at: datetime | str | None = UNSET
    """When the answer was there; a time without an offset is UTC."""

    duration_ms: int | None = UNSET
    """How long the answer took, in milliseconds."""

    error_message: str | None = UNSET
    """Why there was no answer, or what went wrong."""

    _reads: ClassVar[Reads] = {"completed_at": moment}
