"""`client.audit_log`: who did what in the organization."""

from __future__ import annotations

from cyberdesk import models
from cyberdesk._answers import one
from cyberdesk._arguments import Id, Moment, optional_identifier, query
from cyberdesk._flow import Flow
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class AuditLogAPI(Resource):
    """The audit log: one write each, with its key, its targets and its outcome, and never its content."""

    @asynchronous
    def list(
        self,
        skip: int | None = None,
        limit: int | None = None,
        *,
        api_key_id: Id | None = None,
        operation: str | None = None,
        target_id: str | None = None,
        status_code: int | None = None,
        created_at_from: Moment | None = None,
        created_at_to: Moment | None = None,
    ) -> Flow[models.PaginatedResponseAuditLogEntryResponse]:
        """A page of the entries that match all given filters, newest first (`GET /v1/audit-log`).

        `operation` is a method and a path, such as `PATCH /v1/runs/{run_id}`.
        """
        asked = query(
            skip=skip,
            limit=limit,
            api_key_id=optional_identifier("api_key_id", api_key_id),
            operation=operation,
            target_id=target_id,
            status_code=status_code,
            created_at_from=created_at_from,
            created_at_to=created_at_to,
        )
        promise = one(models.PaginatedResponseAuditLogEntryResponse)
        return (yield from self._ask("GET", "/v1/audit-log", promise, query=asked))

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)
