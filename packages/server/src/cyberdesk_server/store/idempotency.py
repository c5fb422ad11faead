"""What was answered to a write under which idempotency key."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.store.tables import idempotency
from cyberdesk_server.store.upsert import insert

LIFE = timedelta(hours=24)
"""How long an answer is remembered."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer that was given."""

    request_digest: str
    """Tells whether the same was asked."""

    status: int
    body: bytes


async def recall(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, *, now: datetime
) -> Remembered | None:
    """What was answered under this key, None when nothing was or it is long ago.

    Until the transaction ends nobody else gets an answer to this question, so of two requests
    with the same key the second waits for the first.
    """
    if conn.dialect.name == "postgresql":
        await conn.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(f"{organization_id}\n{key}", 0)))
        )
    row = (
        await conn.execute(
            select(idempotency).where(
                idempotency.c.organization_id == organization_id,
                idempotency.c.key == key,
                idempotency.c.created_at > now - LIFE,
            )
        )
    ).one_or_none()
    return None if row is None else Remembered(row.request_digest, row.status, row.body)


async def remember(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, answer: Remembered, *, now: datetime
) -> None:
    """Keep an answer; answers that are past their life go."""
    await conn.execute(delete(idempotency).where(idempotency.c.created_at <= now - LIFE))
    row = {
        "organization_id": organization_id,
        "key": key,
        "request_digest": answer.request_digest,
        "status": answer.status,
        "body": answer.body,
        "created_at": now,
    }
    once = insert(conn, idempotency).on_conflict_do_nothing(index_elements=["organization_id", "key"])
    await conn.execute(once, row)
