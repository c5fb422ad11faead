"""`client.pools`: named groups of machines."""

from __future__ import annotations

from collections.abc import Sequence

from cyberdesk import models
from cyberdesk._answers import done, one
from cyberdesk._arguments import Id, identifier, joined, query
from cyberdesk._flow import Flow
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class PoolsAPI(Resource):
    """Pools: a run that names pools takes a machine that is in all of them."""

    @asynchronous
    def list(
        self, skip: int | None = None, limit: int | None = None, *, include: Sequence[str] | None = None
    ) -> Flow[models.PaginatedResponseWithIncludesPoolResponse]:
        """A page of the pools (`GET /v1/pools`)."""
        promise = one(models.PaginatedResponseWithIncludesPoolResponse)
        asked = query(skip=skip, limit=limit, include=joined(include))
        return (yield from self._ask("GET", "/v1/pools", promise, query=asked))

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

    @asynchronous
    def create(self, data: models.PoolCreate) -> Flow[models.PoolResponse]:
        """A new pool (`POST /v1/pools`)."""
        return (yield from self._ask("POST", "/v1/pools", one(models.PoolResponse, 201), body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(
        self, pool_id: Id, include_machines: bool = False, *, include: Sequence[str] | None = None
    ) -> Flow[models.PoolResponseWithIncludes]:
        """The pool with this id (`GET /v1/pools/{pool_id}`).

        `include=["machines"]` fills its `machines`; `include_machines` is the older word for the same.
        """
        path = f"/v1/pools/{identifier('pool_id', pool_id)}"
        asked = query(include_machines=include_machines, include=joined(include))
        return (yield from self._ask("GET", path, one(models.PoolResponseWithIncludes), query=asked))

    get_sync = blocking(get)

    @asynchronous
    def update(self, pool_id: Id, data: models.PoolUpdate) -> Flow[models.PoolResponse]:
        """The pool after the change (`PATCH /v1/pools/{pool_id}`)."""
        path = f"/v1/pools/{identifier('pool_id', pool_id)}"
        return (yield from self._ask("PATCH", path, one(models.PoolResponse), body=data))

    update_sync = blocking(update)

    @asynchronous
    def delete(self, pool_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once the pool is gone; its machines stay (`DELETE /v1/pools/{pool_id}`)."""
        return (yield from self._ask("DELETE", f"/v1/pools/{identifier('pool_id', pool_id)}", done()))

    delete_sync = blocking(delete)

    @asynchronous
    def add_machines(self, pool_id: Id, data: models.MachinePoolAssignment) -> Flow[models.PoolWithMachines]:
        """The pool with these machines added (`POST /v1/pools/{pool_id}/machines`)."""
        path = f"/v1/pools/{identifier('pool_id', pool_id)}/machines"
        return (yield from self._ask("POST", path, one(models.PoolWithMachines), body=data))

    add_machines_sync = blocking(add_machines)

    @asynchronous
    def remove_machines(self, pool_id: Id, data: models.MachinePoolAssignment) -> Flow[dict[str, bool]]:
        """`{"success": True}` once they are out of the pool (`DELETE /v1/pools/{pool_id}/machines`)."""
        path = f"/v1/pools/{identifier('pool_id', pool_id)}/machines"
        return (yield from self._ask("DELETE", path, done(), body=data))

    remove_machines_sync = blocking(remove_machines)
