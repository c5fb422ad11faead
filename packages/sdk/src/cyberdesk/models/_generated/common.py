# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from attrs import define

from cyberdesk.models._model import Answered, Model, Page, given
from cyberdesk.models._readers import Reads, each, moment, nested, uuid
from cyberdesk.models._unset import UNSET


@define(on_setattr=given)
class AuditLogEntryResponse(Answered):
    """Part of other models."""

    number: int
    """Its place in the organization's log, from 1 on, without gaps."""

    at: datetime
    """When the answer was given, in UTC."""

    api_key_id: UUID | None
    """The key it was asked with; None when the operator did it by a command."""

    actor: str
    """What the key was called then, or `operator`."""

    operation: str
    """Method and path: `PATCH /v1/runs/{run_id}`; or the operator's command: `keys revoke`."""

    target_ids: list[str]
    """Ids in the path, then those in the body, then those of what was made; each once."""

    status_code: int
    """The HTTP status of the answer; 0 for a command."""

    request_id: str
    """The answer's `X-Request-Id`; empty for a command."""

    hash: str
    """SHA-256 of the entry and of the hash of the one before, in hexadecimal."""

    _reads: ClassVar[Reads] = {"at": moment, "api_key_id": uuid}


@define(on_setattr=given)
class HTTPValidationError(Answered):
    """Part of other models."""

    detail: list[ValidationError] | None = UNSET
    """What is wrong, one entry for each place in the request."""

    _reads: ClassVar[Reads] = {"detail": each(nested("ValidationError"))}


@define(on_setattr=given)
class IncludedResource(Answered):
    """A related object, told apart by `type`; it has the members of its own kind besides.

    Part of other models.
    """

    type_: str
    """Which noun it is: `machine`, `pool`, `workflow`, `tag`, `post_run_check`, …"""

    id: UUID
    """Its id, unique among those of its `type`."""

    _reads: ClassVar[Reads] = {"id": uuid}

    _keys: ClassVar[Mapping[str, str]] = {"type_": "type"}


@define(on_setattr=given)
class PowerShellExecRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/shell/powershell/exec`."""

    command: str
    """What is run."""

    same_session: bool = True
    """True: without `session_id` it runs in the driver's usual session; false: in none."""

    working_directory: str | None = UNSET
    """The folder it runs in; None leaves it to the session."""

    session_id: str | None = UNSET
    """The session whose folder and environment it goes on with; None leaves it to `same_session`."""

    timeout: float | None = 30.0
    """How long it may run, in seconds, 0.001 to 3600; None leaves it to the driver."""


@define(on_setattr=given)
class PowerShellSessionRequest(Model):
    """Sent by `POST /v1/computer/{machine_id}/shell/powershell/session`."""

    action: str
    """`create` or `destroy`."""

    session_id: str | None = UNSET
    """The session to destroy, or the id of the new one; None leaves the id to the driver."""


@define(on_setattr=given)
class ValidationError(Answered):
    """Part of other models."""

    loc: list[str | int]
    """Where: `body`, `query`, `path` or `header`, then names and indexes inside it."""

    msg: str
    """What is wrong there, in words."""

    type_: str
    """What is wrong there, as a word for programs."""

    input_: Any | None = UNSET
    """What was sent there; the server does not repeat it."""

    ctx: dict[str, Any] | None = UNSET
    """What the word leaves open, such as a limit."""

    _keys: ClassVar[Mapping[str, str]] = {"type_": "type", "input_": "input"}


@define(on_setattr=given)
class PaginatedResponse(Page[Any]):
    """Answered by `GET /v1/request-logs`."""

    items: list[Any]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""


@define(on_setattr=given)
class PaginatedResponseAuditLogEntryResponse(Page[AuditLogEntryResponse]):
    """Answered by `GET /v1/audit-log`."""

    items: list[AuditLogEntryResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""

    _reads: ClassVar[Reads] = {"items": each(nested("AuditLogEntryResponse"))}
