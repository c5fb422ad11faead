# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

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
    """Sent by `POST /v1/connections`."""

    websocket_id: str | None = UNSET
    """The caller's name for the connection; None makes one up."""

    machine_id: UUID | str = UNSET
    """The machine it belongs to."""

    ip_address: str | None = UNSET
    """Where it comes from; None when that is not known."""

    user_agent: str | None = UNSET
    """What its program calls itself; None when that is not known."""

    connection_type: str | None = field(default=UNSET, kw_only=True)
    """Taken from programs that send it; the server does nothing with it."""

    _reads: ClassVar[Reads] = {"machine_id": uuid}

    _required: ClassVar[tuple[str, ...]] = ("machine_id",)


@define(on_setattr=given)
class ConnectionResponse(Answered):
    """Answered by `POST /v1/connections`.

    Answered by `GET /v1/connections/{connection_id}`.
    Answered by `PATCH /v1/connections/{connection_id}`.
    """

    websocket_id: str
    """A name for the connection: of its caller, or made up by the server."""

    id: UUID
    """The connection's id."""

    machine_id: UUID
    """The machine it belongs to."""

    connected_at: datetime
    """When it began, in UTC."""

    disconnected_at: datetime | None
    """When it ended, in UTC; None while it stands."""

    last_ping: datetime
    """When it last gave a sign of life, in UTC."""

    status: ConnectionStatus
    """Whether it stands, has ended, or has failed."""

    ip_address: str | None = UNSET
    """Where it comes from; None when that is not known."""

    user_agent: str | None = UNSET
    """What its program calls itself; None when that is not known."""

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
    """Its new status; None leaves it."""

    last_ping: datetime | str | None = UNSET
    """When it last gave a sign of life; a time without an offset is UTC."""

    disconnected_at: datetime | str | None = UNSET
    """When it ended; a time without an offset is UTC."""

    _reads: ClassVar[Reads] = {
        "status": word("ConnectionStatus"),
        "last_ping": moment,
        "disconnected_at": moment,
    }


@define(on_setattr=given)
class PaginatedResponseConnectionResponse(Page[ConnectionResponse]):
    """Answered by `GET /v1/connections`."""

    items: list[ConnectionResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""

    _reads: ClassVar[Reads] = {"items": each(nested("ConnectionResponse"))}
