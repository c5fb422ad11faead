# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

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
    method: str
    path: str
    machine_id: UUID | str
    status_code: int | None = UNSET
    request_size_bytes: int | None = UNSET
    response_size_bytes: int | None = UNSET
    duration_ms: int | None = UNSET
    error_message: str | None = UNSET

    _reads: ClassVar[Reads] = {"machine_id": uuid}


@define(on_setattr=given)
class RequestLogResponse(Answered):
    """Answered by `POST /v1/request-logs`.

    Answered by `GET /v1/request-logs/{log_id}`.
    Answered by `PATCH /v1/request-logs/{log_id}`.
    """

    request_id: str
    method: str
    path: str
    id: UUID
    machine_id: UUID
    created_at: datetime
    completed_at: datetime | None
    status_code: int | None = UNSET
    request_size_bytes: int | None = UNSET
    response_size_bytes: int | None = UNSET
    duration_ms: int | None = UNSET
    error_message: str | None = UNSET
    organization_id: str | None = UNSET

    _reads: ClassVar[Reads] = {"id": uuid, "machine_id": uuid, "created_at": moment, "completed_at": moment}


@define(on_setattr=given)
class RequestLogUpdate(Model):
    """Sent by `PATCH /v1/request-logs/{log_id}`."""

    status_code: int | None = UNSET
    response_size_bytes: int | None = UNSET
    completed_at: datetime | str | None = UNSET
    duration_ms: int | None = UNSET
    error_message: str | None = UNSET

    _reads: ClassVar[Reads] = {"completed_at": moment}
