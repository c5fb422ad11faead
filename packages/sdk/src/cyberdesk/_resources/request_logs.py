"""`client.request_logs`: what was asked of machines, and what they answered."""

from __future__ import annotations

import json

from cyberdesk import models
from cyberdesk._answers import Promise, done, one
from cyberdesk._arguments import Id, identifier, optional_identifier, query
from cyberdesk._flow import Flow
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class RequestLogsAPI(Resource):
    """Request logs: one request to a machine each, without its content."""

    @asynchronous
    def list(
        self,
        skip: int | None = None,
        limit: int | None = None,
        machine_id: Id | None = None,
        method: str | None = None,
        status_code: int | None = None,
    ) -> Flow[models.Page[models.RequestLogResponse]]:
        """A page of the request logs that match all given filters (`GET /v1/request-logs`)."""
        asked = query(
            skip=skip,
            limit=limit,
            machine_id=optional_identifier("machine_id", machine_id),
            method=method,
            status_code=status_code,
        )
        return (yield from self._ask("GET", "/v1/request-logs", Promise(200, _page), query=asked))

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

    @asynchronous
    def create(self, data: models.RequestLogCreate) -> Flow[models.RequestLogResponse]:
        """A request noted by hand (`POST /v1/request-logs`). The server notes its own."""
        promise = one(models.RequestLogResponse, 201)
        return (yield from self._ask("POST", "/v1/request-logs", promise, body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(self, log_id: Id) -> Flow[models.RequestLogResponse]:
        """The request log with this id (`GET /v1/request-logs/{log_id}`)."""
        return (yield from self._ask("GET", _path(log_id), one(models.RequestLogResponse)))

    get_sync = blocking(get)

    @asynchronous
    def update(self, log_id: Id, data: models.RequestLogUpdate) -> Flow[models.RequestLogResponse]:
        """The request log after the change (`PATCH /v1/request-logs/{log_id}`)."""
        return (yield from self._ask("PATCH", _path(log_id), one(models.RequestLogResponse), body=data))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, log_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the request log is gone (`DELETE /v1/request-logs/{log_id}`)."""
        return (yield from self._ask("DELETE", _path(log_id), done()))

    delete_sync = blocking(delete)


def _path(log_id: Id) -> str:
    return f"/v1/request-logs/{identifier('log_id', log_id)}"


def _page(content: bytes) -> models.Page[models.RequestLogResponse]:
    """The page; the published schema does not say what its items are, the other methods do."""
    page = models.PaginatedResponse.from_dict(json.loads(content))
    page.items = [models.RequestLogResponse.from_dict(item) for item in page.items or ()]
    return page
