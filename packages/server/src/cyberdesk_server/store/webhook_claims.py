"""Claims of deliveries: which are due, whose they are to attempt, and what came of that.

A claim is a lease: `due_at` lies so far ahead that the attempt is over by then. When the server dies the
delivery is due again by itself, and at once when the others notice (`release`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import and_, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import (
    OrganizationId,
    ServerId,
    WebhookDeliveryId,
    WebhookEndpointId,
    WebhookMessageId,
)
from cyberdesk_server.domain.webhooks import Answer, WebhookDeliveryStatus
from cyberdesk_server.store.secrets import SealedValue
from cyberdesk_server.store.tables import (
    webhook_attempts,
    webhook_deliveries,
    webhook_endpoints,
    webhook_messages,
)
from cyberdesk_server.store.webhook_deliveries import WAITING
from cyberdesk_server.store.webhook_endpoints import sealed_in


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that is this server's to attempt now, and all that belongs to it."""

    id: WebhookDeliveryId
    claim: int
    """The number by which its outcome is written."""

    message_id: WebhookMessageId
    endpoint_id: WebhookEndpointId
    organization_id: OrganizationId
    failures: int
    """Since it was last put on its way."""

    url: str
    payload: str
    secret: SealedValue
    old_secret: SealedValue | None
    """Signs as well, until `old_secret_valid_until`."""

    old_secret_valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt, and what follows from it."""

    delivery: ClaimedDelivery
    answer: Answer
    status: WebhookDeliveryStatus
    due_at: datetime | None
    """Of the next attempt."""


async def due(conn: AsyncConnection) -> Sequence[tuple[WebhookEndpointId, datetime]]:
    """Each endpoint to which something is on its way, and when its first delivery is due, soonest first."""
    rows = await conn.execute(_DUE)
    return sorted(((row.endpoint_id, row.due_at) for row in rows), key=lambda pair: pair[1])


async def claim(
    conn: AsyncConnection,
    endpoint_id: WebhookEndpointId,
    *,
    at_most: int,
    server_id: ServerId,
    now: datetime,
    lease_seconds: float,
) -> tuple[ClaimedDelivery, ...]:
    """Deliveries to this endpoint that are due, the longest due first: nobody else gets them meanwhile."""
    asked = {"of_endpoint": endpoint_id, "now": now, "at_most": at_most}
    found = tuple(_claimed(row) for row in await conn.execute(_CLAIMABLE, asked))
    if found:
        lease = {"lease_until": now + timedelta(seconds=lease_seconds), "by": server_id}
        await conn.execute(_CLAIM, [{"delivery_id": one.id, **lease} for one in found])
    return found


async def note(conn: AsyncConnection, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Write what came of attempts. Of deliveries that are gone, or another's by now, nothing is written."""
    rows = [_outcome_row(outcome, now) for outcome in outcomes]
    attempt_rows = [_attempt_row(outcome) for outcome in outcomes]
    if rows:
        await conn.execute(_NOTE_ATTEMPT, attempt_rows)
        await conn.execute(_NOTE_OUTCOME, rows)


async def release(conn: AsyncConnection, server_id: ServerId, *, now: datetime) -> None:
    """The server is gone: what it had claimed is due at once, for whoever comes first."""
    await conn.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.server_id == server_id)
        .values(server_id=None, due_at=now)
    )


def _claimed(row: Any) -> ClaimedDelivery:
    secret, old_secret = sealed_in(row)
    return ClaimedDelivery(
        id=row.id,
        claim=row.claim + 1,
        message_id=row.message_id,
        endpoint_id=row.endpoint_id,
        organization_id=row.organization_id,
        failures=row.failures,
        url=row.url,
        payload=row.payload,
        secret=secret,
        old_secret=old_secret,
        old_secret_valid_until=row.old_secret_valid_until,
    )


def _outcome_row(outcome: Outcome, now: datetime) -> dict[str, Any]:
    is_over = outcome.status is not WebhookDeliveryStatus.WAITING
    return {
        "delivery_id": outcome.delivery.id,
        "of_claim": outcome.delivery.claim,
        "new_status": outcome.status.value,
        "new_failures": 0 if outcome.answer.is_success else outcome.delivery.failures + 1,
        "next_due_at": outcome.due_at,
        "now": now if is_over else None,
    }


def _attempt_row(outcome: Outcome) -> dict[str, Any]:
    answer = outcome.answer
    return {
        "attempt_id": uuid4(),
        "of_delivery": outcome.delivery.id,
        "of_claim": outcome.delivery.claim,
        "a_started_at": answer.started_at,
        "a_duration_ms": answer.duration_ms,
        "a_url": answer.url,
        "a_request_headers": dict(answer.request_headers),
        "a_status_code": answer.status_code,
        "a_response_headers": dict(answer.response_headers),
        "a_response_body": answer.response_body,
        "a_error": answer.error,
    }


def _due() -> Any:
    """The endpoints are skipped through along the index: a backlog of one costs the others nothing."""
    first = select(webhook_deliveries.c.endpoint_id).where(webhook_deliveries.c.status == WAITING)
    first = first.order_by(webhook_deliveries.c.endpoint_id).limit(1)
    waiting = select(first.scalar_subquery().label("endpoint_id")).cte("waiting", recursive=True)
    other = webhook_deliveries.alias("other")
    following = (
        select(other.c.endpoint_id)
        .where(other.c.status == WAITING, other.c.endpoint_id > waiting.c.endpoint_id)
        .order_by(other.c.endpoint_id)
        .limit(1)
        .correlate(waiting)
        .scalar_subquery()
    )
    waiting = waiting.union_all(select(following).where(waiting.c.endpoint_id.is_not(None)))
    soonest = webhook_deliveries.alias("soonest")
    due_at = (
        select(soonest.c.due_at)
        .where(soonest.c.status == WAITING, soonest.c.endpoint_id == waiting.c.endpoint_id)
        .order_by(soonest.c.due_at)
        .limit(1)
        .correlate(waiting)
        .scalar_subquery()
    )
    return select(waiting.c.endpoint_id, due_at.label("due_at")).where(waiting.c.endpoint_id.is_not(None))


# Built once: the sender asks and writes these again and again.
_DUE = _due()
_CLAIMABLE = (
    select(
        webhook_deliveries.c.id,
        webhook_deliveries.c.claim,
        webhook_deliveries.c.message_id,
        webhook_deliveries.c.failures,
        webhook_messages.c.payload,
        webhook_endpoints.c.id.label("endpoint_id"),
        webhook_endpoints.c.organization_id,
        webhook_endpoints.c.url,
        webhook_endpoints.c.secret_id,
        webhook_endpoints.c.sealed,
        webhook_endpoints.c.old_secret_id,
        webhook_endpoints.c.old_sealed,
        webhook_endpoints.c.old_secret_valid_until,
    )
    .select_from(
        webhook_deliveries.join(
            webhook_messages, webhook_messages.c.id == webhook_deliveries.c.message_id
        ).join(webhook_endpoints, webhook_endpoints.c.id == webhook_deliveries.c.endpoint_id)
    )
    .where(
        webhook_deliveries.c.endpoint_id == bindparam("of_endpoint"),
        webhook_deliveries.c.status == WAITING,
        webhook_deliveries.c.due_at <= bindparam("now"),
    )
    .order_by(webhook_deliveries.c.due_at, webhook_deliveries.c.id)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True, of=webhook_deliveries)
)
_CLAIM = (
    update(webhook_deliveries)
    .where(webhook_deliveries.c.id == bindparam("delivery_id"))
    .values(
        due_at=bindparam("lease_until"),
        server_id=bindparam("by"),
        claim=webhook_deliveries.c.claim + 1,
    )
)
_OURS = and_(webhook_deliveries.c.claim == bindparam("of_claim"), webhook_deliveries.c.server_id.is_not(None))
_NOTE_OUTCOME = (
    update(webhook_deliveries)
    .where(webhook_deliveries.c.id == bindparam("delivery_id"), _OURS)
    .values(
        status=bindparam("new_status"),
        failures=bindparam("new_failures"),
        attempts=webhook_deliveries.c.attempts + 1,
        due_at=bindparam("next_due_at"),
        finished_at=bindparam("now"),
        server_id=None,
    )
)
_ATTEMPT_COLUMNS = (
    "started_at",
    "duration_ms",
    "url",
    "request_headers",
    "status_code",
    "response_headers",
    "response_body",
    "error",
)
_NOTE_ATTEMPT = webhook_attempts.insert().from_select(
    ["id", "delivery_id", "number", *_ATTEMPT_COLUMNS],
    select(
        bindparam("attempt_id", type_=webhook_attempts.c.id.type),
        webhook_deliveries.c.id,
        webhook_deliveries.c.attempts + 1,
        *(bindparam(f"a_{name}", type_=webhook_attempts.c[name].type) for name in _ATTEMPT_COLUMNS),
    ).where(webhook_deliveries.c.id == bindparam("of_delivery"), _OURS),
    include_defaults=False,
)
