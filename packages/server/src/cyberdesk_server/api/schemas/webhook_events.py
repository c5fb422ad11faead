"""The bodies that endpoints of webhooks get."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from cyberdesk_server.api.schemas.common import Model
from cyberdesk_server.api.schemas.runs import RunResponse
from cyberdesk_server.domain.machines import MachineStatus
from cyberdesk_server.domain.webhooks import WebhookDisabledReason, WebhookEventType


class RunCompletedWebhookRunPayload(RunResponse):
    """A run as it was when it had ended."""


class RunCompletedEvent(Model):
    about: ClassVar = "A run has ended, however it did, and its workflow has `is_webhooks_enabled`."

    run: RunCompletedWebhookRunPayload
    """The run, complete."""

    event_id: UUID | None = None
    """The message's id: the same for every endpoint and on every attempt, and in the header `webhook-id`."""

    event_type: str = WebhookEventType.RUN_COMPLETE.value
    """Which event it is: `run_complete`."""

    occurred_at: datetime | None = None
    """When it happened, in UTC."""


class DownedMachine(Model):
    machine_id: UUID
    """The machine that is lost."""

    organization_id: str
    """The organization that owns it."""

    status: MachineStatus
    """Its status now."""

    last_seen: datetime
    """When its driver last gave a sign, in UTC."""

    reason: str
    """Why it counts as lost, in words."""

    name: str | None = None
    """What people call the machine; null when nobody named it."""


class DownedMachinesEvent(Model):
    about: ClassVar = "Machines with `alerts_enabled` have been disconnected for a while."

    organization_id: str
    """The organization that owns them."""

    machines: list[DownedMachine]
    """Those that are told of for the first time since they were last connected."""

    event_id: UUID | None = None
    """The message's id: the same for every endpoint and on every attempt, and in the header `webhook-id`."""

    event_type: str = WebhookEventType.DOWNED_MACHINES.value
    """Which event it is: `downed_machines`."""

    occurred_at: datetime | None = None
    """When it happened, in UTC."""


class SessionReleasedEvent(Model):
    about: ClassVar = "A session has ended; its machine is free for others."

    organization_id: str
    """The organization that owns it."""

    session_id: UUID
    """The session that has ended."""

    machine_id: UUID | None = None
    """The machine it had reserved; null when it never got one."""

    event_id: UUID | None = None
    """The message's id: the same for every endpoint and on every attempt, and in the header `webhook-id`."""

    event_type: str = WebhookEventType.SESSION_RELEASED.value
    """Which event it is: `session_released`."""

    occurred_at: datetime | None = None
    """When it happened, in UTC."""


class WebhookEndpointDisabledEvent(Model):
    about: ClassVar = (
        "An endpoint of webhooks gets nothing any more: it is gone, or has failed for five days."
    )

    organization_id: str
    """The organization that owns it."""

    endpoint_id: UUID
    """The endpoint that was disabled."""

    url: str
    """Where it was."""

    reason: WebhookDisabledReason
    """`gone` when it answered 410, `failing` when nothing reached it for five days."""

    failing_since: datetime | None = None
    """When the first attempt failed after which none succeeded, in UTC."""

    event_id: UUID | None = None
    """The message's id: the same for every endpoint and on every attempt, and in the header `webhook-id`."""

    event_type: str = WebhookEventType.WEBHOOK_ENDPOINT_DISABLED.value
    """Which event it is: `webhook_endpoint_disabled`."""

    occurred_at: datetime | None = None
    """When it happened, in UTC."""


Event = RunCompletedEvent | DownedMachinesEvent | SessionReleasedEvent | WebhookEndpointDisabledEvent

EVENTS: dict[WebhookEventType, type[Event]] = {
    WebhookEventType.RUN_COMPLETE: RunCompletedEvent,
    WebhookEventType.DOWNED_MACHINES: DownedMachinesEvent,
    WebhookEventType.SESSION_RELEASED: SessionReleasedEvent,
    WebhookEventType.WEBHOOK_ENDPOINT_DISABLED: WebhookEndpointDisabledEvent,
}
