"""Deliveries of webhooks: put on their way, given up, sent again, and how people see them.

How they are claimed and attempted is in `webhook_claims`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, bindparam, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import WebhookDeliveryId, WebhookEndpointId, WebhookMessageId
from cyberdesk_server.domain.webhooks import (
    Answer,
    WebhookAttempt,
    WebhookDelivery,
    WebhookDeliveryStatus,
    WebhookDeliveryTrigger,
)
from cyberdesk_server.store.tables import webhook_attempts, webhook_deliveries

WAITING = literal(WebhookDeliveryStatus.WAITING.value, literal_execute=True)
"""Spelled out in the statement: SQLite uses a partial index only for the very terms it was made with."""

COLUMNS = [webhook_deliveries.c[name] for name in WebhookDelivery.__dataclass_fields__]


async def add(
    conn: AsyncConnection,
    pairs: Collection[tuple[WebhookMessageId, WebhookEndpointId]],
    *,
    trigger: WebhookDeliveryTrigger,
    now: datetime,
) -> None:
    """Put these messages on their way to these endpoints; each is due at once."""
    rows = [
        {
            "id": uuid4(),
            "message_id": message_id,
            "endpoint_id": endpoint_id,
            "status": WebhookDeliveryStatus.WAITING.value,
            "trigger": trigger.value,
            "due_at": now,
            "created_at": now,
        }
        for message_id, endpoint_id in pairs
    ]
    if rows:
        await conn.execute(_INSERT, rows)


async def give_up(conn: AsyncConnection, endpoint_id: WebhookEndpointId, *, now: datetime) -> None:
    """The endpoint gets nothing any more: what waits for it has failed, save what is under way just now."""
    await conn.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.endpoint_id == endpoint_id,
            webhook_deliveries.c.status == WAITING,
            webhook_deliveries.c.server_id.is_(None),
        )
        .values(status=WebhookDeliveryStatus.FAILED.value, due_at=None, finished_at=now)
    )


async def send_again(
    conn: AsyncConnection,
    ids: Collection[WebhookDeliveryId],
    *,
    trigger: WebhookDeliveryTrigger,
    now: datetime,
) -> None:
    """Put these deliveries on their way anew, due at once, save those that are under way just now."""
    if ids:
        await conn.execute(
            _SEND_AGAIN, [{"delivery_id": id_, "why": trigger.value, "now": now} for id_ in ids]
        )


async def failed(
    conn: AsyncConnection,
    endpoint_id: WebhookEndpointId,
    *,
    since: datetime,
    until: datetime | None,
    at_most: int,
) -> tuple[WebhookDeliveryId, ...]:
    """Deliveries to the endpoint that have failed, of messages made since then, oldest first."""
    conditions = [
        webhook_deliveries.c.endpoint_id == endpoint_id,
        webhook_deliveries.c.status == WebhookDeliveryStatus.FAILED.value,
        webhook_deliveries.c.created_at >= since,
    ]
    if until is not None:
        conditions.append(webhook_deliveries.c.created_at < until)
    rows = await conn.execute(
        select(webhook_deliveries.c.id)
        .where(*conditions)
        .order_by(webhook_deliveries.c.created_at, webhook_deliveries.c.id)
        .limit(at_most)
    )
    return tuple(map(WebhookDeliveryId, rows.scalars()))


async def of_messages(
    conn: AsyncConnection, message_ids: Collection[WebhookMessageId]
) -> Mapping[WebhookMessageId, Sequence[WebhookDelivery]]:
    """The deliveries of these messages, oldest first."""
    rows = await conn.execute(
        select(*COLUMNS)
        .where(webhook_deliveries.c.message_id.in_(message_ids))
        .order_by(webhook_deliveries.c.created_at, webhook_deliveries.c.id)
    )
    found: dict[WebhookMessageId, list[WebhookDelivery]] = {}
    for delivery in map(_delivery, rows):
        found.setdefault(delivery.message_id, []).append(delivery)
    return found


async def attempts(
    conn: AsyncConnection, message_id: WebhookMessageId, *, skip: int = 0, limit: int = 100
) -> tuple[tuple[WebhookAttempt, ...], int]:
    """One page of the attempts of a message's deliveries, newest first, and how many there are in all."""
    joined = webhook_attempts.join(
        webhook_deliveries, webhook_deliveries.c.id == webhook_attempts.c.delivery_id
    )
    its_own = webhook_deliveries.c.message_id == message_id
    count = select(func.count()).select_from(joined).where(its_own)
    total = (await conn.execute(count)).scalar_one()
    rows = await conn.execute(
        select(webhook_attempts, webhook_deliveries.c.endpoint_id)
        .select_from(joined)
        .where(its_own)
        .order_by(webhook_attempts.c.started_at.desc(), webhook_attempts.c.id)
        .offset(skip)
        .limit(limit)
    )
    return tuple(map(_attempt, rows)), total


def _delivery(row: Row[Any]) -> WebhookDelivery:
    fields = dict(row._mapping)
    return WebhookDelivery(
        **fields
        | {
            "status": WebhookDeliveryStatus(fields["status"]),
            "trigger": WebhookDeliveryTrigger(fields["trigger"]),
        }
    )


def _attempt(row: Row[Any]) -> WebhookAttempt:
    fields = dict(row._mapping)
    beside = {name: fields.pop(name) for name in ("id", "delivery_id", "endpoint_id", "number")}
    return WebhookAttempt(answer=Answer(**fields), **beside)


_INSERT = webhook_deliveries.insert()
_SEND_AGAIN = (
    update(webhook_deliveries)
    .where(webhook_deliveries.c.id == bindparam("delivery_id"), webhook_deliveries.c.server_id.is_(None))
    .values(
        status=WebhookDeliveryStatus.WAITING.value,
        trigger=bindparam("why"),
        failures=0,
        due_at=bindparam("now"),
        finished_at=None,
    )
)
