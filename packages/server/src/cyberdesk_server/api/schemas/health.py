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
    """The machine that did not answer well."""

    error: str
    """What went wrong, in words."""

    organization_id: str | None = None
    """The organization that owns the machine."""

    machine_name: str | None = None
    """What people call the machine; null when it has no name."""

    status_code: int | None = None
    """The HTTP status of its driver; null when the driver gave no answer."""


class MachinesHealthCheckResponse(Model):
    status: HealthStatus
    """`ok` when every connected machine answers, else `error`."""

    scope: HealthScope
    """Whose machines were checked; always `organization`."""

    checked_machines: int
    """How many connected machines were asked."""

    healthy_machines: int
    """How many of them answered well."""

    errored_machines: list[MachineHealthCheckError]
    """The machines that did not, with what went wrong."""

    message: str
    """The result in one sentence, for people."""
