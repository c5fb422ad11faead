"""`client.machines`: the desktops that runs are driven on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from cyberdesk import models
from cyberdesk._answers import done, free_form, many, one
from cyberdesk._arguments import Id, Moment, identifier, joined, path_segment, query
from cyberdesk._flow import Flow
from cyberdesk._paging import iterating, iterating_blocking
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking

Pools: TypeAlias = "list[models.PoolResponse]"


class MachinesAPI(Resource):
    """Machines: one desktop with a driver each."""

    @asynchronous
    def list(
        self,
        skip: int | None = None,
        limit: int | None = None,
        status: models.MachineStatus | None = None,
        *,
        search: str | None = None,
        name: str | None = None,
        created_at_from: Moment | None = None,
        created_at_to: Moment | None = None,
        include: Sequence[str] | None = None,
    ) -> Flow[models.PaginatedResponseWithIncludesMachineResponse]:
        """A page of the machines that match all given filters (`GET /v1/machines`)."""
        return (
            yield from self._ask(
                "GET",
                "/v1/machines",
                one(models.PaginatedResponseWithIncludesMachineResponse),
                query=query(
                    skip=skip,
                    limit=limit,
                    status=status,
                    search=search,
                    name=name,
                    created_at_from=created_at_from,
                    created_at_to=created_at_to,
                    include=joined(include),
                ),
            )
        )

    list_sync = blocking(list)
    iterate = iterating(list)
    iterate_sync = iterating_blocking(list)

    @asynchronous
    def create(self, data: models.MachineCreate) -> Flow[models.MachineResponse]:
        """A new machine (`POST /v1/machines`). A driver that joins makes its own."""
        return (yield from self._ask("POST", "/v1/machines", one(models.MachineResponse, 201), body=data))

    create_sync = blocking(create)

    @asynchronous
    def get(
        self, machine_id: Id, *, include: Sequence[str] | None = None
    ) -> Flow[models.MachineResponseWithIncludes]:
        """The machine with this id (`GET /v1/machines/{machine_id}`)."""
        path = f"/v1/machines/{identifier('machine_id', machine_id)}"
        promise = one(models.MachineResponseWithIncludes)
        return (yield from self._ask("GET", path, promise, query=query(include=joined(include))))

    get_sync = blocking(get)

    @asynchronous
    def update(self, machine_id: Id, data: models.MachineUpdate) -> Flow[models.MachineResponse]:
        """The machine after the change (`PATCH /v1/machines/{machine_id}`)."""
        path = f"/v1/machines/{identifier('machine_id', machine_id)}"
        return (yield from self._ask("PATCH", path, one(models.MachineResponse), body=data))

    update_sync = blocking(update)

    @asynchronous
    def clear_session(self, machine_id: Id) -> Flow[models.MachineResponse]:
        """The machine without its reservation: its session ends (`PATCH /v1/machines/{machine_id}`)."""
        path = f"/v1/machines/{identifier('machine_id', machine_id)}"
        unreserved = models.MachineUpdate(reserved_session_id=None)
        return (yield from self._ask("PATCH", path, one(models.MachineResponse), body=unreserved))

    clear_session_sync = blocking(clear_session)

    @asynchronous
    def delete(self, machine_id: Id) -> Flow[dict[str, bool]]:
        """`{"success": True}` once it is gone; its runs stay (`DELETE /v1/machines/{machine_id}`)."""
        path = f"/v1/machines/{identifier('machine_id', machine_id)}"
        return (yield from self._ask("DELETE", path, done()))

    delete_sync = blocking(delete)

    @asynchronous
    def get_pools(self, machine_id: Id) -> Flow[Pools]:
        """The pools that the machine is in (`GET /v1/machines/{machine_id}/pools`)."""
        path = f"/v1/machines/{identifier('machine_id', machine_id)}/pools"
        return (yield from self._ask("GET", path, many(models.PoolResponse)))

    get_pools_sync = blocking(get_pools)

    @asynchronous
    def update_pools(self, machine_id: Id, data: models.MachinePoolUpdate) -> Flow[models.MachineResponse]:
        """The machine, now in exactly these pools (`PUT /v1/machines/{machine_id}/pools`)."""
        path = f"/v1/machines/{identifier('machine_id', machine_id)}/pools"
        return (yield from self._ask("PUT", path, one(models.MachineResponse), body=data))

    update_pools_sync = blocking(update_pools)

    @asynchronous
    def shutdown_driver(
        self, machine_id: Id, *, source: str = "cloud-api", reason: str | None = "user_disabled_machine"
    ) -> Flow[dict[str, Any]]:
        """What the driver says before it ends (`POST /v1/machines/{machine_id}/cyberdriver/shutdown`).

        It does not join again by itself.
        """
        path = f"/v1/machines/{path_segment('machine_id', machine_id)}/cyberdriver/shutdown"
        body = models.CyberdriverShutdownRequest(source=source, reason=reason)
        return (yield from self._ask("POST", path, free_form(), body=body))

    shutdown_driver_sync = blocking(shutdown_driver)

    @asynchronous
    def create_web_session(self, machine_id: Id) -> Flow[models.CyberdriverWebSessionResponse]:
        """What a browser needs to show the desktop live; its `token` is secret and short-lived.

        `POST /v1/machines/{machine_id}/cyberdriver/web-session`
        """
        path = f"/v1/machines/{identifier('machine_id', machine_id)}/cyberdriver/web-session"
        return (yield from self._ask("POST", path, one(models.CyberdriverWebSessionResponse)))

    create_web_session_sync = blocking(create_web_session)
