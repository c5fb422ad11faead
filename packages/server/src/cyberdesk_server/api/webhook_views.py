"""How callers see webhooks, and the events as the catalogue and tests show them."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import orjson

from cyberdesk_server.api.schemas.webhook_events import EVENTS
from cyberdesk_server.api.views import View
from cyberdesk_server.domain.webhooks import (
    WebhookAttempt,
    WebhookDelivery,
    WebhookDeliveryStatus,
    WebhookEndpoint,
    WebhookEventType,
    WebhookMessage,
)

_ID = "00000000-0000-4000-8000-00000000000{}".format
_MOMENT = "2030-01-01T12:00:00Z"

EXAMPLES: Mapping[WebhookEventType, Mapping[str, Any]] = {
    WebhookEventType.RUN_COMPLETE: {
        "run": {
            "id": _ID(1),
            "workflow_id": _ID(2),
            "machine_id": _ID(3),
            "organization_id": "org_example",
            "status": "success",
            "created_at": "2030-01-01T11:59:00Z",
            "started_at": "2030-01-01T11:59:01Z",
            "ended_at": _MOMENT,
            "input_values": {"patient_id": "12345"},
            "output_data": {"patient_name": "John Doe"},
            "error": None,
            "release_session_after": None,
        }
    },
    WebhookEventType.DOWNED_MACHINES: {
        "organization_id": "org_example",
        "machines": [
            {
                "machine_id": _ID(3),
                "organization_id": "org_example",
                "name": "Front desk",
                "status": "disconnected",
                "last_seen": "2030-01-01T11:58:00Z",
                "reason": "its driver has not been connected for 60 seconds",
            }
        ],
    },
    WebhookEventType.SESSION_RELEASED: {
        "organization_id": "org_example",
        "session_id": _ID(4),
        "machine_id": _ID(3),
    },
    WebhookEventType.WEBHOOK_ENDPOINT_DISABLED: {
        "organization_id": "org_example",
        "endpoint_id": _ID(5),
        "url": "https://example.com/webhooks",
        "reason": "failing",
        "failing_since": "2029-12-27T12:00:00Z",
    },
}
"""Made-up facts of each event."""


@cache
def catalogue() -> tuple[View, ...]:
    """Every event: when it happens, what it says, an example."""
    return tuple(
        {
            "name": event_type,
            "description": event.about,
            "json_schema": event.model_json_schema(),
            "example": {
                "event_id": _ID(0),
                "event_type": event_type,
                "occurred_at": _MOMENT,
                **EXAMPLES[event_type],
            },
        }
        for event_type, event in EVENTS.items()
    )


def endpoint_view(endpoint: WebhookEndpoint) -> View:
    return {
        "id": endpoint.id,
        "organization_id": endpoint.organization_id,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
        "is_enabled": endpoint.is_enabled,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
        "failing_since": endpoint.failing_since,
        "old_secret_valid_until": endpoint.old_secret_valid_until,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }


def message_view(
    message: WebhookMessage, deliveries: Iterable[WebhookDelivery], *, has_payload: bool
) -> View:
    payload = message.payload if has_payload else None
    return {
        "id": message.id,
        "organization_id": message.organization_id,
        "event_type": message.event_type,
        "created_at": message.created_at,
        "run_id": message.run_id,
        "deliveries": [_delivery_view(delivery) for delivery in deliveries],
        "payload": None if payload is None else orjson.Fragment(payload),
    }


def attempt_view(attempt: WebhookAttempt) -> View:
    answer = attempt.answer
    return {
        "id": attempt.id,
        "delivery_id": attempt.delivery_id,
        "endpoint_id": attempt.endpoint_id,
        "number": attempt.number,
        "started_at": answer.started_at,
        "duration_ms": answer.duration_ms,
        "is_success": answer.is_success,
        "url": answer.url,
        "request_headers": answer.request_headers,
        "status_code": answer.status_code,
        "response_headers": answer.response_headers,
        "response_body": answer.response_body,
        "error": answer.error,
    }


def _delivery_view(delivery: WebhookDelivery) -> View:
    return {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "status": delivery.status,
        "trigger": delivery.trigger,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.due_at if delivery.status is WebhookDeliveryStatus.WAITING else None,
        "finished_at": delivery.finished_at,
    }
