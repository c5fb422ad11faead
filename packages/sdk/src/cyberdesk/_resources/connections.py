"""`client.connections`: when machines were connected."""

from __future__ import annotations

from cyberdesk import models
from cyberdesk._answers import one
from cyberdesk._arguments import Id, optional_identifier, query
from cyberdesk._flow import Flow
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

    @asynchronous
    def create(self, data: models.ConnectionCreate) -> Flow[models.ConnectionResponse]:
        """A connection noted by hand (`POST /v1/connections`). Drivers note their own."""
        promise = one(models.ConnectionResponse, 201)
        return (yield from self._ask("POST", "/v1/connections", promise, body=data))

    create_sync = blocking(create)
