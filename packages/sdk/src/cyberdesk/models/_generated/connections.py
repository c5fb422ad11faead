# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from attrs import define, field

from cyberdesk.models._model import Answered, Model, Page, given
from cyberdesk.models._readers import Reads, each, moment, nested, uuid, word
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.enums import ConnectionStatus


@define(on_setattr=given)
class ConnectionCreate(Model):
    """Sent by `POST /v1/connections`.

    The server chooses `websocket_id` when left out.
    """

    websocket_id: str | None = UNSET
    machine_id: UUID | str = UNSET
    ip_address: str | None = UNSET
    user_agent: str | None = UNSET
    connection_type: str | None = field(default=UNSET, kw_only=True)

    _reads: ClassVar[Reads] = {"machine_id": uuid}

    _required: ClassVar[tuple[str, ...]] = ("machine_id",)


@define(on_setattr=given)
class ConnectionResponse(Answered):
    """Answered by `POST /v1/connections`.

    Answered by `GET /v1/connections/{connection_id}`.
    Answered by `PATCH /v1/connections/{connection_id}`.
    """

    websocket_id: str
    id: UUID
    machine_id: UUID
    connected_at: datetime
    disconnected_at: datetime | None
    last_ping: datetime
    status: ConnectionStatus
    ip_address: str | None = UNSET
    user_agent: str | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "machine_id": uuid,
        "connected_at": moment,
        "disconnected_at": moment,
        "last_ping": moment,
        "status": word("ConnectionStatus"),
    }


@define(on_setattr=given)
class ConnectionUpdate(Model):
    """Sent by `PATCH /v1/connections/{connection_id}`."""

    status: ConnectionStatus | None = UNSET
    last_ping: datetime | str | None = UNSET
    disconnected_at: datetime | str | None = UNSET

    _reads: ClassVar[Reads] = {
        "status": word("ConnectionStatus"),
        "last_ping": moment,
        "disconnected_at": moment,
    }


@define(on_setattr=given)
class PaginatedResponseConnectionResponse(Page[ConnectionResponse]):
    """Answered by `GET /v1/connections`."""

    items: list[ConnectionResponse]
    total: int
    skip: int
    limit: int

    _reads: ClassVar[Reads] = {"items": each(nested("ConnectionResponse"))}
