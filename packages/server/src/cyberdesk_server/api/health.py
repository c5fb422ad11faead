"""Is the server there, and does it work? No key is needed, except to ask for the machines."""

from collections.abc import Mapping

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.routes import PartsOf, open_router, router
from cyberdesk_server.api.schemas.health import HealthScope, HealthStatus, MachinesHealthCheckResponse
from cyberdesk_server.api.version import API_VERSION
from cyberdesk_server.api.views import View
from cyberdesk_server.usecases.health import Failure, check_machines

log = structlog.get_logger(__name__)

api = open_router(tags=["default"])
v1 = open_router(prefix="/v1/health", tags=["health"])
of_machines = router(prefix="/v1/health", tags=["health"], is_limited=False)


@api.get("/", response_model=None)
async def root() -> Response:
    """What this is."""
    return JsonAnswer({"name": "Cyberdesk", "version": API_VERSION, "description": "/openapi.json"})


@api.get("/health", response_model=None)
async def health() -> Response:
    """The process answers."""
    return JsonAnswer({"status": "ok"})


@api.get("/health/live", response_model=None)
async def health_live() -> Response:
    """The process answers."""
    return JsonAnswer({"status": "ok"})


@api.get("/health/ready", response_model=None)
async def health_ready(parts: PartsOf) -> Response:
    """The server can do its work; 503 when the database does not answer."""
    return await _database(parts)


@api.get("/health/db", response_model=None)
async def health_db(parts: PartsOf) -> Response:
    """The database answers; 503 when it does not."""
    return await _database(parts)


@v1.get("", response_model=dict[str, str])
async def health_check() -> Response:
    """The process answers."""
    return JsonAnswer({"status": "ok", "version": API_VERSION})


@v1.get("/db", response_model=None)
async def database_health_check(parts: PartsOf) -> Response:
    """The database answers; 503 when it does not."""
    return await _database(parts)


@of_machines.get(
    "/machines",
    response_model=MachinesHealthCheckResponse,
    responses={503: {"model": MachinesHealthCheckResponse}},
)
async def health_machines(caller: Caller, parts: PartsOf) -> Response:
    """Every connected machine of the organization answers; 503 with the same members when one does not."""
    health = await check_machines(
        parts.database, parts.bus, parts.clock, parts.server_id, caller.organization_id
    )
    failed, checked = len(health.failures), health.checked
    content = {
        "status": HealthStatus.ERROR if failed else HealthStatus.OK,
        "scope": HealthScope.ORGANIZATION,
        "checked_machines": checked,
        "healthy_machines": checked - failed,
        "errored_machines": [_failure(failure) for failure in health.failures],
        "message": f"{checked - failed} of {checked} connected machines answer",
    }
    return JsonAnswer(content, 503 if failed else 200)


def _failure(failure: Failure) -> View:
    return {
        "machine_id": failure.machine.id,
        "error": failure.error,
        "organization_id": failure.machine.organization_id,
        "machine_name": failure.machine.name,
        "status_code": failure.status,
    }


async def _database(parts: Parts) -> Response:
    try:
        async with parts.database.read() as conn:
            await conn.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        log.exception("the database does not answer")
        return _status(503, {"status": "error", "database": "does not answer"})
    return _status(200, {"status": "ok", "database": "ok"})


def _status(status_code: int, content: Mapping[str, str]) -> Response:
    return JsonAnswer(content, status_code)
