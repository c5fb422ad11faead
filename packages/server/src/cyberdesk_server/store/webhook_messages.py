"""Messages of webhooks: what happened, before and after it was spread to the endpoints."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, exists, func, select, update
from sqlalchemy import delete as deleting
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, RunId, WebhookEndpointId, WebhookMessageId
from cyberdesk_server.domain.webhooks import WebhookDeliveryStatus, WebhookMessage
from cyberdesk_server.store.tables import webhook_deliveries, webhook_messages
from cyberdesk_server.store.tables.webhooks import UNSPREAD

COLUMNS = [webhook_messages.c[name] for name in WebhookMessage.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are asked for; None leaves a condition out. The dates are inclusive."""

    event_type: str | None = None
    run_id: RunId | None = None
    endpoint_id: WebhookEndpointId | None = None
    """To which they go or went."""

    status: WebhookDeliveryStatus | None = None
    """Of one of their deliveries; of that to the endpoint, when one is named."""

    created_from: datetime | None = None
    created_to: datetime | None = None


async def is_any_unspread(conn: AsyncConnection) -> bool:
    return (await conn.execute(_ANY_UNSPREAD)).first() is not None


async def unspread(
    conn: AsyncConnection, *, limit: int, run_id: RunId | None = None
) -> tuple[WebhookMessage, ...]:
    """Messages in the outbox, oldest first; nobody else gets them until the transaction ends.

    With `run_id` only those of this run, for which others that have them are waited for.
    """
    query = select(*COLUMNS).where(UNSPREAD).order_by(webhook_messages.c.created_at).limit(limit)
    if run_id is not None:
        query = query.where(webhook_messages.c.run_id == run_id)
    rows = await conn.execute(query.with_for_update(skip_locked=run_id is None))
    return tuple(map(_message, rows))


async def mark_spread(
    conn: AsyncConnection, payloads: Mapping[WebhookMessageId, str], *, now: datetime
) -> None:
    """These messages are out of the outbox, with what they say."""
    if payloads:
        rows = [{"message_id": id_, "text": text, "now": now} for id_, text in payloads.items()]
        await conn.execute(_MARK_SPREAD, rows)


async def add_test(conn: AsyncConnection, message: WebhookMessage) -> None:
    """Write a message that is for one endpoint: it is spread already."""
    values = {column.name: getattr(message, column.name) for column in COLUMNS}
    await conn.execute(
        webhook_messages.insert(), {**values, "is_test": True, "spread_at": message.created_at}
    )


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, message_id: WebhookMessageId
) -> WebhookMessage | None:
    """The message, or None when the organization has no such message."""
    own = (webhook_messages.c.id == message_id, webhook_messages.c.organization_id == organization_id)
    row = (await conn.execute(select(*COLUMNS).where(*own))).one_or_none()
    return None if row is None else _message(row)


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    wanted: Wanted,
    *,
    skip: int = 0,
    limit: int = 100,
) -> tuple[tuple[WebhookMessage, ...], int]:
    """One page, newest first, and how many there are in all. What is still in the outbox is left out."""
    conditions = _conditions(organization_id, wanted)
    count = select(func.count()).select_from(webhook_messages).where(*conditions)
    total = (await conn.execute(count)).scalar_one()
    rows = await conn.execute(
        select(*COLUMNS)
        .where(*conditions)
        .order_by(webhook_messages.c.created_at.desc(), webhook_messages.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return tuple(map(_message, rows)), total


async def forget_run(conn: AsyncConnection, run_id: RunId) -> None:
    """Remove the messages that told of this run, save those that are still on their way."""
    its_own = (webhook_messages.c.run_id == run_id, webhook_messages.c.spread_at.is_not(None))
    await conn.execute(deleting(webhook_messages).where(*its_own, ~_WAITS))


async def forget(conn: AsyncConnection, *, before: datetime, at_most: int) -> int:
    """Remove messages that are older and wait for nothing, of all organizations; how many went."""
    old = (
        select(webhook_messages.c.id)
        .where(webhook_messages.c.created_at < before, webhook_messages.c.spread_at.is_not(None), ~_WAITS)
        .order_by(webhook_messages.c.created_at)
        .limit(at_most)
    )
    gone = await conn.execute(
        deleting(webhook_messages).where(webhook_messages.c.id.in_(old.scalar_subquery()))
    )
    return gone.rowcount


def _conditions(organization_id: OrganizationId, wanted: Wanted) -> Collection[ColumnElement[bool]]:
    table = webhook_messages.c
    conditions: list[ColumnElement[bool]] = [
        table.organization_id == organization_id,
        table.spread_at.is_not(None),
    ]
    if wanted.event_type is not None:
        conditions.append(table.event_type == wanted.event_type)
    if wanted.run_id is not None:
        conditions.append(table.run_id == wanted.run_id)
    if wanted.created_from is not None:
        conditions.append(table.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        conditions.append(table.created_at <= wanted.created_to)
    if wanted.endpoint_id is not None or wanted.status is not None:
        its_delivery = [webhook_deliveries.c.message_id == table.id]
        if wanted.endpoint_id is not None:
            its_delivery.append(webhook_deliveries.c.endpoint_id == wanted.endpoint_id)
        if wanted.status is not None:
            its_delivery.append(webhook_deliveries.c.status == wanted.status.value)
        conditions.append(exists().where(*its_delivery))
    return conditions


def _message(row: Row[Any]) -> WebhookMessage:
    return WebhookMessage(**row._mapping)


_WAITS = exists().where(
    webhook_deliveries.c.message_id == webhook_messages.c.id,
    webhook_deliveries.c.status == WebhookDeliveryStatus.WAITING.value,
)

# Built once: the sender asks and writes these again and again.
_ANY_UNSPREAD = select(webhook_messages.c.id).where(UNSPREAD).limit(1)
_MARK_SPREAD = (
    update(webhook_messages)
    .where(webhook_messages.c.id == bindparam("message_id"))
    .values(payload=bindparam("text"), spread_at=bindparam("now"))
)
