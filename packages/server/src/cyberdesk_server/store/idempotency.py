"""What was answered to a write under which idempotency key, and which writes have begun that reach beyond the
database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.store.tables import idempotency
from cyberdesk_server.store.upsert import insert

LIFE = timedelta(hours=24)
"""How long an answer is remembered."""


UNANSWERED = 0
"""Instead of a status, from the beginning of such a write to its answer."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer that was given."""

    request_digest: str
    """Tells whether the same was asked."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Begun:
    """A write that has begun and has no answer yet."""

    request_digest: str
    since: datetime
    is_new: bool
    """False when it had begun before: what it does beyond the database may have happened."""


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


async def begin(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, request_digest: str, *, now: datetime
) -> Begun | Remembered:
    """The write has begun, now or earlier; or it was answered, and is not to begin."""
    await conn.execute(delete(idempotency).where(idempotency.c.created_at <= now - LIFE))
    row = {
        "organization_id": organization_id,
        "key": key,
        "request_digest": request_digest,
        "status": UNANSWERED,
        "body": b"",
        "created_at": now,
    }
    once = insert(conn, idempotency).on_conflict_do_nothing(index_elements=["organization_id", "key"])
    if (await conn.execute(once, row)).rowcount == 1:
        return Begun(request_digest, now, is_new=True)
    known = (await conn.execute(select(idempotency).where(*_named(organization_id, key)))).one()
    if known.status == UNANSWERED:
        return Begun(known.request_digest, known.created_at, is_new=False)
    return Remembered(known.request_digest, known.status, known.body)


async def finish(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, answer: Remembered
) -> None:
    """What has begun has this answer."""
    await conn.execute(
        update(idempotency)
        .where(*_named(organization_id, key))
        .values(status=answer.status, body=answer.body)
    )


async def take_back(conn: AsyncConnection, organization_id: OrganizationId, key: str) -> None:
    """What has begun has done nothing: the key is new again."""
    await conn.execute(
        delete(idempotency).where(*_named(organization_id, key), idempotency.c.status == UNANSWERED)
    )


def _named(organization_id: OrganizationId, key: str) -> list[ColumnElement[bool]]:
    return [idempotency.c.organization_id == organization_id, idempotency.c.key == key]
