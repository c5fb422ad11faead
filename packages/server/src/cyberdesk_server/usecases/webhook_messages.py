"""From what happened to who is told: the outbox is emptied, messages are put together and forgotten."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import RunId, WebhookEndpointId, WebhookMessageId
from cyberdesk_server.domain.webhooks import WebhookDeliveryTrigger, WebhookEndpoint, WebhookMessage
from cyberdesk_server.store import outbox, run_records, webhook_deliveries, webhook_endpoints
from cyberdesk_server.store import webhook_messages as store
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases.run_views import run_views

AT_A_TIME = 100
"""Messages that are spread in one transaction."""

FORGET_ROWS = 1_000
"""Of one transaction: few, because others may wait for it."""


async def spread(
    conn: AsyncConnection, *, now: datetime, at_most: int = AT_A_TIME, run_id: RunId | None = None
) -> bool:
    """Put messages of the outbox on their way to the endpoints that want them. True when there may be more.

    With `run_id` only those of this run: whoever changes an ended run, or removes it, does this before, so
    that they tell how it was.
    """
    messages = await store.unspread(conn, limit=at_most, run_id=run_id)
    if not messages:
        return False
    payloads = await _payloads(conn, messages)
    await store.mark_spread(conn, payloads, now=now)
    endpoints = await webhook_endpoints.enabled_in(conn, {message.organization_id for message in messages})
    pairs = [pair for message in messages for pair in _recipients(message, endpoints)]
    await webhook_deliveries.add(conn, pairs, trigger=WebhookDeliveryTrigger.EVENT, now=now)
    return len(messages) == at_most


async def forget_old(database: Database, *, before: datetime) -> None:
    """Remove the messages that are older, of all organizations, with their deliveries and attempts."""
    while True:
        async with database.transaction() as conn:
            if await store.forget(conn, before=before, at_most=FORGET_ROWS) < FORGET_ROWS:
                return


async def _payloads(
    conn: AsyncConnection, messages: Collection[WebhookMessage]
) -> Mapping[WebhookMessageId, str]:
    open_ones = [message for message in messages if message.payload is None]
    records = await run_records.of_ids(conn, {message.run_id for message in open_ones})
    runs = {view["id"]: view for view in await run_views(conn, records)}
    told = {message.id: message.payload for message in messages if message.payload is not None}
    made = {
        message.id: outbox.payload(
            message.id, message.event_type, {"run": runs[message.run_id]}, occurred_at=message.created_at
        )
        for message in open_ones
    }
    return told | made


def _recipients(
    message: WebhookMessage, endpoints: Collection[WebhookEndpoint]
) -> Collection[tuple[WebhookMessageId, WebhookEndpointId]]:
    return [
        (message.id, endpoint.id)
        for endpoint in endpoints
        if endpoint.organization_id == message.organization_id and message.event_type in endpoint.event_types
    ]
