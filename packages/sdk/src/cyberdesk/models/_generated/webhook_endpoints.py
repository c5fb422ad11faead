# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from attrs import define, field

from cyberdesk.models._model import Answered, Model, Page, given, masked
from cyberdesk.models._readers import Reads, each, moment, nested, uuid, word
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.enums import (
        WebhookDeliveryStatus,
        WebhookDeliveryTrigger,
        WebhookDisabledReason,
        WebhookEventType,
    )


@define(on_setattr=given)
class SessionReleasedEvent(Answered):
    """Delivered by the webhook `session_released`."""

    organization_id: str
    """The organization that owns it."""

    session_id: UUID
    """The session that has ended."""

    machine_id: UUID | None = UNSET
    """The machine it had reserved; None when it never got one."""

    event_id: UUID | None = UNSET
    """The message's id: the same for every endpoint and on every attempt, and in the header `webhook-id`."""

    event_type: str = "session_released"
    """Which event it is: `session_released`."""

    occurred_at: datetime | None = UNSET
    """When it happened, in UTC."""

    _reads: ClassVar[Reads] = {
        "session_id": uuid,
        "machine_id": uuid,
        "event_id": uuid,
        "occurred_at": moment,
    }


@define(on_setattr=given)
class WebhookAttemptResponse(Answered):
    """Part of other models."""

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

    response_headers: dict[str, str]
    """Headers of the answer, at most 50."""

    response_body: str
    """The first 16 KiB of the answer's body, as text."""

    status_code: int | None = UNSET
    """The HTTP status of the answer; None when there was none."""

    error: str | None = UNSET
    """Why there was no answer; None when there was one."""

    _reads: ClassVar[Reads] = {"id": uuid, "delivery_id": uuid, "endpoint_id": uuid, "started_at": moment}


@define(on_setattr=given)
class WebhookDeliveryResponse(Answered):
    """Part of other models."""

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

    next_attempt_at: datetime | None = UNSET
    """When the next attempt is made, in UTC; None when there is none."""

    finished_at: datetime | None = UNSET
    """When it was delivered or given up, in UTC; None while it waits."""

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "endpoint_id": uuid,
        "status": word("WebhookDeliveryStatus"),
        "trigger": word("WebhookDeliveryTrigger"),
        "next_attempt_at": moment,
        "finished_at": moment,
    }


@define(on_setattr=given)
class WebhookEndpointCreate(Model):
    """Sent by `POST /v1/webhooks/endpoints`."""

    url: str
    """Where messages are posted to: an HTTPS URL of a public address, unless the operator allows others."""

    description: str | None = UNSET
    """What the endpoint is for, in words."""

    event_types: Sequence[WebhookEventType] | None = UNSET
    """What it is told of, at least one; `/v1/webhooks/event-types` lists them all."""

    secret: str | None = field(default=UNSET, repr=masked)
    """What signs its messages: `whsec_` and the base64 of 24 to 64 bytes; None makes one up."""

    _reads: ClassVar[Reads] = {"event_types": each(word("WebhookEventType"))}


@define(on_setattr=given)
class WebhookEndpointDisabledEvent(Answered):
    """Delivered by the webhook `webhook_endpoint_disabled`."""

    organization_id: str
    """The organization that owns it."""

    endpoint_id: UUID
    """The endpoint that was disabled."""

    url: str
    """Where it was."""

    reason: WebhookDisabledReason
    """`gone` when it answered 410, `failing` when nothing reached it for five days."""

    failing_since: datetime | None = UNSET
    """When the first attempt failed after which none succeeded, in UTC."""

    event_id: UUID | None = UNSET
    """The message's id: the same for every endpoint and on every attempt, and in the header `webhook-id`."""

    event_type: str = "webhook_endpoint_disabled"
    """Which event it is: `webhook_endpoint_disabled`."""

    occurred_at: datetime | None = UNSET
    """When it happened, in UTC."""

    _reads: ClassVar[Reads] = {
        "endpoint_id": uuid,
        "reason": word("WebhookDisabledReason"),
        "failing_since": moment,
        "event_id": uuid,
        "occurred_at": moment,
    }


@define(on_setattr=given)
class WebhookEndpointResponse(Answered):
    """Answered by `POST /v1/webhooks/endpoints`.

    Answered by `GET /v1/webhooks/endpoints/{endpoint_id}`.
    Answered by `PATCH /v1/webhooks/endpoints/{endpoint_id}`.
    Answered by `POST /v1/webhooks/endpoints/{endpoint_id}/rotate`.
    """

    id: UUID
    """The endpoint's id."""

    organization_id: str
    """The organization that owns it."""

    url: str
    """Where messages are posted to."""

    event_types: list[WebhookEventType]
    """What it is told of."""

    is_enabled: bool
    """False when it gets nothing."""

    created_at: datetime
    """When the endpoint was made, in UTC."""

    updated_at: datetime
    """When the endpoint was last changed by a caller, in UTC."""

    description: str | None = UNSET
    """What the endpoint is for, in words; None when nobody wrote it."""

    disabled_at: datetime | None = UNSET
    """When it was disabled, in UTC; None when it is not."""

    disabled_reason: WebhookDisabledReason | None = UNSET
    """`requested`, `gone` (it answered 410) or `failing` (nothing reached it for five days); None when it is
    not disabled.
    """

    failing_since: datetime | None = UNSET
    """When the first attempt failed after which none succeeded, in UTC; None while it works."""

    old_secret_valid_until: datetime | None = field(default=UNSET, repr=masked)
    """Until when the secret before the last rotation signs as well, in UTC; None when there was none."""

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "event_types": each(word("WebhookEventType")),
        "created_at": moment,
        "updated_at": moment,
        "disabled_at": moment,
        "disabled_reason": word("WebhookDisabledReason"),
        "failing_since": moment,
        "old_secret_valid_until": moment,
    }


@define(on_setattr=given)
class WebhookEndpointRotate(Model):
    """Sent by `POST /v1/webhooks/endpoints/{endpoint_id}/rotate`."""

    secret: str | None = field(default=UNSET, repr=masked)
    """The new secret: `whsec_` and the base64 of 24 to 64 bytes; None makes one up."""

    old_valid_seconds: int = 86400
    """How long messages are signed with the old secret as well, in seconds, at most 30 days."""


@define(on_setattr=given)
class WebhookEndpointSecretResponse(Answered):
    """Answered by `GET /v1/webhooks/endpoints/{endpoint_id}/secret`."""

    secret: str = field(repr=masked)
    """What signs the endpoint's messages."""

    old_secret: str | None = field(default=UNSET, repr=masked)
    """The secret before the last rotation, while it signs as well; None otherwise."""

    old_secret_valid_until: datetime | None = field(default=UNSET, repr=masked)
    """Until when it does, in UTC; None when there is none."""

    _reads: ClassVar[Reads] = {"old_secret_valid_until": moment}


@define(on_setattr=given)
class WebhookEndpointUpdate(Model):
    """Sent by `PATCH /v1/webhooks/endpoints/{endpoint_id}`."""

    url: str | None = UNSET
    """Where messages are posted to; None leaves it."""

    description: str | None = UNSET
    """What the endpoint is for, in words."""

    event_types: Sequence[WebhookEventType] | None = UNSET
    """What it is told of from now on, at least one; None leaves it."""

    is_enabled: bool | None = UNSET
    """False: it gets nothing, and what waited for it has failed. True: it gets what happens from now on."""

    _reads: ClassVar[Reads] = {"event_types": each(word("WebhookEventType"))}


@define(on_setattr=given)
class WebhookEventTypeResponse(Answered):
    """Answered by `GET /v1/webhooks/event-types`."""

    name: WebhookEventType
    """The event's name: `event_type` in its messages."""

    description: str
    """When it happens, for people."""

    json_schema: dict[str, Any]
    """JSON Schema of its messages."""

    example: dict[str, Any]
    """A message as a test sends it."""

    _reads: ClassVar[Reads] = {"name": word("WebhookEventType")}


@define(on_setattr=given)
class WebhookMessageResponse(Answered):
    """Answered by `POST /v1/webhooks/endpoints/{endpoint_id}/test`.

    Answered by `GET /v1/webhooks/messages/{message_id}`.
    Answered by `POST /v1/webhooks/messages/{message_id}/replay`.
    """

    id: UUID
    """The message's id: the headers `webhook-id` and `svix-id`, and `event_id` in its body."""

    organization_id: str
    """The organization in which it happened."""

    event_type: str
    """What happened."""

    created_at: datetime
    """When it happened, in UTC."""

    deliveries: list[WebhookDeliveryResponse]
    """Its ways to the endpoints that wanted it."""

    run_id: UUID | None = UNSET
    """The run it tells of; None when it tells of none, or the run was deleted."""

    payload: dict[str, Any] | None = UNSET
    """Its body; None in lists unless `include_payload` asks for it."""

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "created_at": moment,
        "deliveries": each(nested("WebhookDeliveryResponse")),
        "run_id": uuid,
    }


@define(on_setattr=given)
class WebhookRecoverCreate(Model):
    """Sent by `POST /v1/webhooks/endpoints/{endpoint_id}/recover`."""

    since: datetime | str
    """The time from which on failed messages are sent again; without an offset it is UTC."""

    until: datetime | str | None = UNSET
    """The time before which they were made; None sends all since then."""

    _reads: ClassVar[Reads] = {"since": moment, "until": moment}


@define(on_setattr=given)
class WebhookRecoverResponse(Answered):
    """Answered by `POST /v1/webhooks/endpoints/{endpoint_id}/recover`."""

    count: int
    """How many messages are sent again, at most 10000; more are left for another call."""


@define(on_setattr=given)
class WebhookReplayCreate(Model):
    """Sent by `POST /v1/webhooks/messages/{message_id}/replay`."""

    endpoint_ids: Sequence[UUID | str] | None = UNSET
    """Where the message is sent again; None is every endpoint it went to that is not disabled."""

    _reads: ClassVar[Reads] = {"endpoint_ids": each(uuid)}


@define(on_setattr=given)
class WebhookTestCreate(Model):
    """Sent by `POST /v1/webhooks/endpoints/{endpoint_id}/test`."""

    event_type: WebhookEventType | None = UNSET
    """Which event is made up, also one that the endpoint is not told of; None is `run_complete`."""

    _reads: ClassVar[Reads] = {"event_type": word("WebhookEventType")}


@define(on_setattr=given)
class PaginatedResponseWebhookAttemptResponse(Page[WebhookAttemptResponse]):
    """Answered by `GET /v1/webhooks/messages/{message_id}/attempts`."""

    items: list[WebhookAttemptResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""

    _reads: ClassVar[Reads] = {"items": each(nested("WebhookAttemptResponse"))}


@define(on_setattr=given)
class PaginatedResponseWebhookEndpointResponse(Page[WebhookEndpointResponse]):
    """Answered by `GET /v1/webhooks/endpoints`."""

    items: list[WebhookEndpointResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""

    _reads: ClassVar[Reads] = {"items": each(nested("WebhookEndpointResponse"))}


@define(on_setattr=given)
class PaginatedResponseWebhookMessageResponse(Page[WebhookMessageResponse]):
    """Answered by `GET /v1/webhooks/messages`."""

    items: list[WebhookMessageResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""

    _reads: ClassVar[Reads] = {"items": each(nested("WebhookMessageResponse"))}
