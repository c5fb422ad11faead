"""Endpoints and messages of webhooks for tests: each builder states only what matters to its caller."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, ServerId, WebhookEndpointId, WebhookMessageId
from cyberdesk_server.domain.networks import Reach
from cyberdesk_server.domain.webhooks import (
    WebhookDeliveryTrigger,
    WebhookEndpoint,
    WebhookEventType,
    WebhookMessage,
)
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import outbox, webhook_claims, webhook_deliveries, webhook_messages
from cyberdesk_server.store.webhook_claims import ClaimedDelivery
from cyberdesk_server.testing.rows import HERE, NOON
from cyberdesk_server.usecases import webhooks

LEASE_SECONDS = 60.0


async def an_endpoint(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    vault: Vault,
    *,
    url: str = "https://receiver.test",
    event_types: tuple[WebhookEventType, ...] = (WebhookEventType.RUN_COMPLETE,),
    reach: Reach | None = None,
    **fields: Any,
) -> WebhookEndpoint:
    return await webhooks.create(
        conn,
        organization_id,
        {"url": url, "event_types": event_types, **fields},
        secret=None,
        reach=reach or Reach(),
        vault=vault,
        now=NOON,
    )


async def a_message(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *endpoint_ids: WebhookEndpointId,
    now: datetime = NOON,
) -> WebhookMessage:
    """A message, due at once at these endpoints."""
    id_ = WebhookMessageId(uuid4())
    payload = outbox.payload(id_, WebhookEventType.RUN_COMPLETE, {}, occurred_at=now)
    message = WebhookMessage(id_, organization_id, WebhookEventType.RUN_COMPLETE, now, payload=payload)
    await webhook_messages.add_test(conn, message)
    pairs = [(id_, endpoint_id) for endpoint_id in endpoint_ids]
    await webhook_deliveries.add(conn, pairs, trigger=WebhookDeliveryTrigger.EVENT, now=now)
    return message


async def claimed(
    conn: AsyncConnection,
    endpoint_id: WebhookEndpointId,
    server_id: ServerId = HERE,
    *,
    at_most: int = 10,
    now: datetime = NOON,
) -> tuple[ClaimedDelivery, ...]:
    """What the server gets of the deliveries to this endpoint, for `LEASE_SECONDS`."""
    return await webhook_claims.claim(
        conn, endpoint_id, at_most=at_most, server_id=server_id, now=now, lease_seconds=LEASE_SECONDS
    )
