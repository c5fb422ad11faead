"""The audit log: entries are added at its end, and read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.audit import Chained, Entry, Head, chained
from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId
from cyberdesk_server.store.tables import audit_log
from cyberdesk_server.store.types import storable_text

APPENDING_LOCK = 0x43594F32
"""Key of the advisory lock on PostgreSQL under which entries are added: each knows the one before."""


async def append(conn: AsyncConnection, entries: Iterable[Entry]) -> None:
    """Add these entries at the end of their organizations' chains, in their order."""
    if conn.dialect.name == "postgresql":  # SQLite has one writer anyway
        await conn.execute(select(func.pg_advisory_xact_lock(APPENDING_LOCK)))
    in_order = sorted(map(_storable, entries), key=_organization_of)  # keeps the order within each
    for organization_id, of_one in groupby(in_order, _organization_of):
        links = chained(of_one, await head(conn, organization_id))
        await conn.execute(audit_log.insert(), [_row(link) for link in links])


async def head(conn: AsyncConnection, organization_id: OrganizationId) -> Head:
    """The end of the organization's chain."""
    row = (
        await conn.execute(
            select(audit_log.c.number, audit_log.c.hash)
            .where(audit_log.c.organization_id == organization_id)
            .order_by(audit_log.c.number.desc())
            .limit(1)
        )
    ).one_or_none()
    return Head() if row is None else Head(row.number, row.hash)


async def after(
    conn: AsyncConnection, organization_id: OrganizationId, number: int, *, at_most: int
) -> Sequence[Chained]:
    """The entries behind this number, oldest first."""
    rows = await conn.execute(
        select(audit_log)
        .where(audit_log.c.organization_id == organization_id, audit_log.c.number > number)
        .order_by(audit_log.c.number)
        .limit(at_most)
    )
    return tuple(map(_link, rows))


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    api_key_id: ApiKeyId | None = None,
    operation: str | None = None,
    target: str | None = None,
    status_code: int | None = None,
    created_from: datetime | None = None,
    created_until: datetime | None = None,
    skip: int = 0,
    limit: int = 100,
) -> tuple[tuple[Chained, ...], int]:
    """One page of the entries that match all that is given, newest first, and how many there are in all."""
    wanted: list[ColumnElement[bool]] = [audit_log.c.organization_id == organization_id]
    if api_key_id is not None:
        wanted.append(audit_log.c.api_key_id == api_key_id)
    if operation is not None:
        wanted.append(audit_log.c.operation == operation)
    if target is not None:
        wanted.append(cast(audit_log.c.targets, Text).contains(f'"{target}"', autoescape=True))
    if status_code is not None:
        wanted.append(audit_log.c.status_code == status_code)
    if created_from is not None:
        wanted.append(audit_log.c.at >= created_from)
    if created_until is not None:
        wanted.append(audit_log.c.at <= created_until)
    total = (await conn.execute(select(func.count()).select_from(audit_log).where(*wanted))).scalar_one()
    rows = await conn.execute(
        select(audit_log).where(*wanted).order_by(audit_log.c.number.desc()).offset(skip).limit(limit)
    )
    return tuple(map(_link, rows)), total


def _organization_of(entry: Entry) -> OrganizationId:
    return entry.organization_id


def _storable(entry: Entry) -> Entry:
    """The entry as it comes back: its hash is of what is kept."""
    targets = tuple(map(storable_text, entry.targets))
    return replace(entry, actor=storable_text(entry.actor), targets=targets)


def _row(link: Chained) -> Mapping[str, Any]:
    entry = link.entry
    return {
        "organization_id": entry.organization_id,
        "number": link.number,
        "at": entry.at,
        "api_key_id": entry.api_key_id,
        "actor": entry.actor,
        "operation": entry.operation,
        "targets": entry.targets,
        "status_code": entry.status_code,
        "request_id": entry.request_id,
        "hash": link.hash,
    }


def _link(row: Row[Any]) -> Chained:
    entry = Entry(
        organization_id=row.organization_id,
        at=row.at,
        api_key_id=row.api_key_id,
        actor=row.actor,
        operation=row.operation,
        targets=tuple(row.targets),
        status_code=row.status_code,
        request_id=row.request_id,
    )
    return Chained(row.number, entry, row.hash)
