"""Health of machines."""

from enum import StrEnum

from cyberdesk_server.api.schemas.common import Model


class HealthStatus(StrEnum):
    OK = "ok"
    ERROR = "error"


class HealthScope(StrEnum):
    """Whose machines were checked. A key opens one organization."""

    ALL_ORGANIZATIONS = "all_organizations"
    ORGANIZATION = "organization"


class MachineHealthCheckError(Model):
    machine_id: str
    error: str
    organization_id: str | None = None
    machine_name: str | None = None
    status_code: int | None = None


class MachinesHealthCheckResponse(Model):
    status: HealthStatus
    scope: HealthScope
    checked_machines: int
    healthy_machines: int
    errored_machines: list[MachineHealthCheckError]
    message: str
