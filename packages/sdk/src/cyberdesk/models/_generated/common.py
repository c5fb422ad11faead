# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from attrs import define

from cyberdesk.models._model import Answered, Model, Page, given
from cyberdesk.models._readers import Reads, each, nested, uuid
from cyberdesk.models._unset import UNSET


@define(on_setattr=given)
class HTTPValidationError(Answered):
    """Part of other models."""

    detail: list[ValidationError] | None = UNSET

    _reads: ClassVar[Reads] = {"detail": each(nested("ValidationError"))}


@define(on_setattr=given)
class IncludedResource(Answered):
    """Part of other models."""

    type_: str
    id: UUID

    _reads: ClassVar[Reads] = {"id": uuid}

    _keys: ClassVar[Mapping[str, str]] = {"type_": "type"}


@define(on_setattr=given)
class PowerShellExecRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/shell/powershell/exec`."""

    command: str
    same_session: bool = True
    working_directory: str | None = UNSET
    session_id: str | None = UNSET
    timeout: float | None = 30.0


@define(on_setattr=given)
class PowerShellSessionRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/shell/powershell/session`."""

    action: str
    session_id: str | None = UNSET


@define(on_setattr=given)
class ValidationError(Answered):
    """Part of other models."""

    loc: list[int | str]
    msg: str
    type_: str
    input_: Any | None = UNSET
    ctx: dict[str, Any] | None = UNSET

    _keys: ClassVar[Mapping[str, str]] = {"type_": "type", "input_": "input"}


@define(on_setattr=given)
class PaginatedResponse(Page[Any]):
    """Answered by `GET /v1/request-logs`."""

    items: list[Any]
    total: int
    skip: int
    limit: int
