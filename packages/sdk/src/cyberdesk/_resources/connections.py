"""`client.connections`: when machines were connected."""

from __future__ import annotations

from cyberdesk import models
from cyberdesk._answers import done, one
from cyberdesk._arguments import Id, identifier, optional_identifier, query
from cyberdesk._flow import Flow
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class ConnectionsAPI(Resource):
    """Connections: one stay of a machine's driver at the server each."""

    @asynchronous
    def list(
        self,
        skip: int | None = None,
        limit: int | None = None,
        machine_id: Id | None = None,
        status: str | models.ConnectionStatus | None = None,
    ) -> Flow[models.PaginatedResponseConnectionResponse]:
        """A page of the connections that match all given filters (`GET /v1/connections`).

        The error is a ValueError for a status that is none of `ConnectionStatus`.
        """
        asked = query(
            skip=skip,
            limit=limit,
            machine_id=optional_identifier("machine_id", machine_id),
            status=None if status is None else models.ConnectionStatus(status),
        )
        promise = one(models.PaginatedResponseConnectionResponse)
        return (yield from self._ask("GET", "/v1/connections", promise, query=asked))

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

    @asynchronous
    def create(self, data: models.ConnectionCreate) -> Flow[models.ConnectionResponse]:
        """A connection noted by hand (`POST /v1/connections`). Drivers note their own."""
        promise = one(models.ConnectionResponse, 201)
        return (yield from self._ask("POST", "/v1/connections", promise, body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(self, connection_id: Id) -> Flow[models.ConnectionResponse]:
        """The connection with this id (`GET /v1/connections/{connection_id}`)."""
        return (yield from self._ask("GET", _path(connection_id), one(models.ConnectionResponse)))

    get_sync = blocking(get)

    @asynchronous
    def update(self, connection_id: Id, data: models.ConnectionUpdate) -> Flow[models.ConnectionResponse]:
        """The connection after the change (`PATCH /v1/connections/{connection_id}`)."""
        promise = one(models.ConnectionResponse)
        return (yield from self._ask("PATCH", _path(connection_id), promise, body=data))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, connection_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the connection is gone (`DELETE /v1/connections/{connection_id}`)."""
        return (yield from self._ask("DELETE", _path(connection_id), done()))

    delete_sync = blocking(delete)


def _path(connection_id: Id) -> str:
    return f"/v1/connections/{identifier('connection_id', connection_id)}"
