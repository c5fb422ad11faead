"""`client.health`: is the server there, and are its parts and the machines well?"""

from __future__ import annotations

from typing import Any

from cyberdesk import models
from cyberdesk._answers import anything, free_form, one
from cyberdesk._flow import Flow
from cyberdesk._resources._resource import Resource
from cyberdesk._twins import asynchronous, blocking


class HealthAPI(Resource):
    """Health checks. A server that is not well answers most of them with 503, a `ServerError`."""

    @asynchronous
    def about(self) -> Flow[Any]:
        """What this server is (`GET /`)."""
        return (yield from self._ask("GET", "/", anything()))

    about_sync = blocking(about)

    @asynchronous
    def service(self) -> Flow[Any]:
        """Whether the server answers (`GET /health`)."""
        return (yield from self._ask("GET", "/health", anything()))

    service_sync = blocking(service)

    @asynchronous
    def live(self) -> Flow[Any]:
        """Whether the process runs (`GET /health/live`)."""
        return (yield from self._ask("GET", "/health/live", anything()))

    live_sync = blocking(live)

    @asynchronous
    def ready(self) -> Flow[Any]:
        """Whether the server can do its work (`GET /health/ready`)."""
        return (yield from self._ask("GET", "/health/ready", anything()))

    ready_sync = blocking(ready)

    @asynchronous
    def database(self) -> Flow[Any]:
        """Whether the database answers (`GET /health/db`)."""
        return (yield from self._ask("GET", "/health/db", anything()))

    database_sync = blocking(database)

    @asynchronous
    def api(self) -> Flow[dict[str, Any]]:
        """Whether version 1 of the API answers (`GET /v1/health`)."""
        return (yield from self._ask("GET", "/v1/health", free_form()))

    api_sync = blocking(api)

    @asynchronous
    def api_database(self) -> Flow[Any]:
        """Whether the database answers, asked of version 1 of the API (`GET /v1/health/db`)."""
        return (yield from self._ask("GET", "/v1/health/db", anything()))

    api_database_sync = blocking(api_database)

    @asynchronous
    def machines(self) -> Flow[models.MachinesHealthCheckResponse]:
        """Which machines are in error; look at its `status` (`GET /v1/health/machines`).

        Some being in error is an answer like any other, although the API says it with a 503.
        """
        promise = one(models.MachinesHealthCheckResponse, also=(503,))
        return (yield from self._ask("GET", "/v1/health/machines", promise))

    machines_sync = blocking(machines)
