"""Request logs: written in batches by the gateway, one at a time by callers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, exists, func, select, update
from sqlalchemy import delete as deleting
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RequestLogId
from cyberdesk_server.domain.request_logs import RequestLog
from cyberdesk_server.store.tables import machines, organizations, request_logs


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, log_id: RequestLogId
) -> RequestLog | None:
    """The log, or None when the organization has no such log."""
    row = (await conn.execute(select(request_logs).where(*_own(organization_id, log_id)))).one_or_none()
    return None if row is None else _log(row)


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    machine_id: MachineId | None = None,
    method: str | None = None,
    status_code: int | None = None,
    skip: int = 0,
    limit: int = 100,
) -> tuple[tuple[RequestLog, ...], int]:
    """One page, newest first, and how many there are in all."""
    wanted: list[ColumnElement[bool]] = [request_logs.c.organization_id == organization_id]
    if machine_id is not None:
        wanted.append(request_logs.c.machine_id == machine_id)
    if method is not None:
        wanted.append(request_logs.c.method == method)
    if status_code is not None:
        wanted.append(request_logs.c.status_code == status_code)
    total = (await conn.execute(select(func.count()).select_from(request_logs).where(*wanted))).scalar_one()
    rows = await conn.execute(
        select(request_logs)
        .where(*wanted)
        .order_by(request_logs.c.created_at.desc(), request_logs.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return tuple(_log(row) for row in rows), total


async def add(conn: AsyncConnection, logs: Sequence[RequestLog]) -> None:
    """Write new logs, save those of machines that are gone meanwhile: they would have gone with them."""
    if logs:
        await conn.execute(_ADD, [{name: getattr(log, name) for name in _NAMES} for log in logs])


async def update_fields(
    conn: AsyncConnection, organization_id: OrganizationId, log_id: RequestLogId, changes: Mapping[str, Any]
) -> RequestLog | None:
    """The log with these columns changed; None when the organization has no such log."""
    if not changes:
        return await get(conn, organization_id, log_id)
    changed = await conn.execute(
        update(request_logs).where(*_own(organization_id, log_id)).values(**changes).returning(request_logs)
    )
    row = changed.one_or_none()
    return None if row is None else _log(row)


async def delete(conn: AsyncConnection, organization_id: OrganizationId, log_id: RequestLogId) -> bool:
    """Remove the log. False when the organization has no such log."""
    gone = await conn.execute(deleting(request_logs).where(*_own(organization_id, log_id)))
    return gone.rowcount == 1


async def forget(conn: AsyncConnection, *, before: datetime, at_most: int) -> int:
    """Remove logs that are older, of all organizations; how many went."""
    old = (
        select(request_logs.c.id)
        .where(
            # By organization, for the index that has both.
            request_logs.c.organization_id.in_(select(organizations.c.id)),
            request_logs.c.created_at < before,
        )
        .limit(at_most)
    )
    return (await conn.execute(deleting(request_logs).where(request_logs.c.id.in_(old)))).rowcount


def _own(organization_id: OrganizationId, log_id: RequestLogId) -> list[ColumnElement[bool]]:
    return [request_logs.c.id == log_id, request_logs.c.organization_id == organization_id]


def _log(row: Row[Any]) -> RequestLog:
    return RequestLog(**row._mapping)


_NAMES = [column.name for column in request_logs.c]

_ADD = request_logs.insert().from_select(
    _NAMES,
    select(*(bindparam(column.name, type_=column.type) for column in request_logs.c)).where(
        exists().where(machines.c.id == bindparam("machine_id", type_=machines.c.id.type))
    ),
)
