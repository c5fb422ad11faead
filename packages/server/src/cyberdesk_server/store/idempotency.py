"""What was answered to a write under which idempotency key, and which writes have begun that reach beyond the
database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select, update
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
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun:
    """A write that has begun and has no answer yet."""

    request_digest: str
    since: datetime
    is_new: bool
    """False when it had begun before: what it does beyond the database may have happened."""


async def lock(conn: AsyncConnection, organization_id: OrganizationId, key: str) -> bool:
    """Nobody else works under this key until the transaction ends. False when somebody does.

    SQLite has one writer, who works under one key at a time.
    """
    if conn.dialect.name != "postgresql":
        return True
    name = func.hashtextextended(f"{organization_id}\n{key}", 0)
    return bool((await conn.execute(select(func.pg_try_advisory_xact_lock(name)))).scalar_one())


async def recall(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, *, now: datetime
) -> Remembered | None:
    """What was answered under this key, None when nothing was or it is long ago."""
    row = (
        await conn.execute(
            select(idempotency).where(*_named(organization_id, key), idempotency.c.created_at > now - LIFE)
        )
    ).one_or_none()
    return None if row is None else _remembered(row)


async def remember(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, answer: Remembered, *, now: datetime
) -> None:
    """Keep an answer, unless there is one already whose life is not over."""
    await _put(conn, organization_id, key, answer, now)


async def begin(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, request_digest: str, *, now: datetime
) -> Begun | Remembered:
    """The write has begun, now or earlier; or it was answered, and is not to begin."""
    if await _put(conn, organization_id, key, Remembered(request_digest, UNANSWERED, b""), now):
        return Begun(request_digest, now, is_new=True)
    known = (await conn.execute(select(idempotency).where(*_named(organization_id, key)))).one()
    if known.status == UNANSWERED:
        return Begun(known.request_digest, known.created_at, is_new=False)
    return _remembered(known)


async def finish(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, answer: Remembered
) -> None:
    """What has begun has this answer."""
    await conn.execute(
        update(idempotency)
        .where(*_named(organization_id, key))
        .values(status=answer.status, body=answer.body, headers=dict(answer.headers))
    )


async def take_back(conn: AsyncConnection, organization_id: OrganizationId, key: str) -> None:
    """What has begun has done nothing: the key is new again."""
    await conn.execute(
        delete(idempotency).where(*_named(organization_id, key), idempotency.c.status == UNANSWERED)
    )


async def forget_old(conn: AsyncConnection, *, now: datetime) -> None:
    """Remove the answers whose life is over."""
    await conn.execute(delete(idempotency).where(idempotency.c.created_at <= now - LIFE))


async def _put(
    conn: AsyncConnection, organization_id: OrganizationId, key: str, answer: Remembered, now: datetime
) -> bool:
    """Write it unless there is one already whose life is not over. True when it was written."""
    told = {
        "request_digest": answer.request_digest,
        "status": answer.status,
        "body": answer.body,
        "headers": dict(answer.headers),
        "created_at": now,
    }
    row = insert(conn, idempotency).values(organization_id=organization_id, key=key, **told)
    written = await conn.execute(
        row.on_conflict_do_update(
            index_elements=["organization_id", "key"],
            set_={name: row.excluded[name] for name in told},
            where=idempotency.c.created_at <= now - LIFE,
        )
    )
    return written.rowcount == 1


def _remembered(row: Row[Any]) -> Remembered:
    return Remembered(row.request_digest, row.status, row.body, row.headers)


def _named(organization_id: OrganizationId, key: str) -> list[ColumnElement[bool]]:
    return [idempotency.c.organization_id == organization_id, idempotency.c.key == key]
