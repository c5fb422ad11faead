"""Endpoints of webhooks, messages and attempts."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.common import JsonDict, Model, UtcTime
from cyberdesk_server.domain.webhooks import (
    WebhookDeliveryStatus,
    WebhookDeliveryTrigger,
    WebhookDisabledReason,
    WebhookEventType,
)

EventTypes = Annotated[list[WebhookEventType], Field(min_length=1)]
OldValidSeconds = Annotated[int, Field(ge=0, le=30 * 24 * 3600)]


class WebhookEndpointCreate(Model):
    url: str
    """Where messages are posted to: an HTTPS URL of a public address, unless the operator allows others."""

    description: str | None = None
    """What the endpoint is for, in words."""

    event_types: EventTypes = Field(default_factory=lambda: [WebhookEventType.RUN_COMPLETE])
    """What it is told of, at least one; `/v1/webhooks/event-types` lists them all."""

    secret: str | None = Field(default=None, repr=False)
    """What signs its messages: `whsec_` and the base64 of 24 to 64 bytes; null makes one up."""


class WebhookEndpointUpdate(Model):
    url: str | None = None
    """Where messages are posted to; null leaves it."""

    description: str | None = None
    """What the endpoint is for, in words."""

    event_types: EventTypes | None = None
    """What it is told of from now on, at least one; null leaves it."""

    is_enabled: bool | None = None
    """False: it gets nothing, and what waited for it has failed. True: it gets what happens from now on."""


class WebhookEndpointRotate(Model):
    secret: str | None = Field(default=None, repr=False)
    """The new secret: `whsec_` and the base64 of 24 to 64 bytes; null makes one up."""

    old_valid_seconds: OldValidSeconds = 24 * 3600
    """How long messages are signed with the old secret as well, in seconds, at most 30 days."""


class WebhookEndpointResponse(Model):
    id: UUID
    """The endpoint's id."""

    organization_id: str
    """The organization that owns it."""

    url: str
    """Where messages are posted to."""

    description: str | None = None
    """What the endpoint is for, in words; null when nobody wrote it."""

    event_types: list[WebhookEventType]
    """What it is told of."""

    is_enabled: bool
    """False when it gets nothing."""

    disabled_at: datetime | None = None
    """When it was disabled, in UTC; null when it is not."""

    disabled_reason: WebhookDisabledReason | None = None
    """`requested`, `gone` (it answered 410) or `failing` (nothing reached it for five days); null when it is
    not disabled."""

    failing_since: datetime | None = None
    """When the first attempt failed after which none succeeded, in UTC; null while it works."""

    old_secret_valid_until: datetime | None = None
    """Until when the secret before the last rotation signs as well, in UTC; null when there was none."""

    created_at: datetime
    """When the endpoint was made, in UTC."""

    updated_at: datetime
    """When the endpoint was last changed by a caller, in UTC."""


class WebhookEndpointSecretResponse(Model):
    secret: str = Field(repr=False)
    """What signs the endpoint's messages."""

    old_secret: str | None = Field(default=None, repr=False)
    """The secret before the last rotation, while it signs as well; null otherwise."""

    old_secret_valid_until: datetime | None = None
    """Until when it does, in UTC; null when there is none."""


class WebhookTestCreate(Model):
    event_type: WebhookEventType | None = None
    """Which event is made up, also one that the endpoint is not told of; null is `run_complete`."""


class WebhookRecoverCreate(Model):
    since: UtcTime
    """The time from which on failed messages are sent again; without an offset it is UTC."""

    until: UtcTime | None = None
    """The time before which they were made; null sends all since then."""


class WebhookRecoverResponse(Model):
    count: int
    """How many messages are sent again, at most 10000; more are left for another call."""


class WebhookReplayCreate(Model):
    endpoint_ids: list[UUID] | None = None
    """Where the message is sent again; null is every endpoint it went to that is not disabled."""


class WebhookEventTypeResponse(Model):
    name: WebhookEventType
    """The event's name: `event_type` in its messages."""

    description: str
    """When it happens, for people."""

    json_schema: JsonDict
    """JSON Schema of its messages."""

    example: JsonDict
    """A message as a test sends it."""


class WebhookDeliveryResponse(Model):
    id: UUID
    """The delivery's id."""

    endpoint_id: UUID
    """The endpoint it goes to."""

    status: WebhookDeliveryStatus
    """`waiting` for an attempt, `delivered`, or `failed`: not tried again by itself."""

    trigger: WebhookDeliveryTrigger
    """Why it was last put on its way: `event`, `test`, `replay` or `recovery`."""

    attempts: int
    """How many attempts were made."""

    next_attempt_at: datetime | None = None
    """When the next attempt is made, in UTC; null when there is none."""

    finished_at: datetime | None = None
    """When it was delivered or given up, in UTC; null while it waits."""


class WebhookMessageResponse(Model):
    id: UUID
    """The message's id: the headers `webhook-id` and `svix-id`, and `event_id` in its body."""

    organization_id: str
    """The organization in which it happened."""

    event_type: str
    """What happened."""

    created_at: datetime
    """When it happened, in UTC."""

    run_id: UUID | None = None
    """The run it tells of; null when it tells of none, or the run was deleted."""

    deliveries: list[WebhookDeliveryResponse]
    """Its ways to the endpoints that wanted it."""

    payload: JsonDict | None = None
    """Its body; null in lists unless `include_payload` asks for it."""


class WebhookAttemptResponse(Model):
    id: UUID
    """The attempt's id."""

    delivery_id: UUID
    """The delivery it belongs to."""

    endpoint_id: UUID
    """The endpoint that was asked."""

    number: int
    """Which attempt of the delivery it was, from 1."""

    started_at: datetime
    """When it was made, in UTC."""

    duration_ms: int
    """How long the answer took, in milliseconds."""

    is_success: bool
    """True when the endpoint answered with a status from 200 to 299."""

    url: str
    """Where the message was posted to."""

    request_headers: dict[str, str]
    """Headers of the request. Its body is the message's `payload`."""

    status_code: int | None = None
    """The HTTP status of the answer; null when there was none."""

    response_headers: dict[str, str]
    """Headers of the answer, at most 50."""

    response_body: str
    """The first 16 KiB of the answer's body, as text."""

    error: str | None = None
    """Why there was no answer; null when there was one."""
