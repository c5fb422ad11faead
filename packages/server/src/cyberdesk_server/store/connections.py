"""Connections as callers read and write them. Tunnels are written with their machine (`store.machines`)."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.connections import Connection, ConnectionStatus
from cyberdesk_server.domain.ids import ConnectionId, MachineId, OrganizationId
from cyberdesk_server.store.tables import connections


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, connection_id: ConnectionId
) -> Connection | None:
    """The connection, or None when the organization has no such connection."""
    found = await conn.execute(select(connections).where(*_own(organization_id, connection_id)))
    row = found.one_or_none()
    return None if row is None else _connection(row)


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    machine_id: MachineId | None = None,
    status: ConnectionStatus | None = None,
    skip: int = 0,
    limit: int = 100,
) -> tuple[tuple[Connection, ...], int]:
    """One page, last connected first, and how many there are in all."""
    wanted: list[ColumnElement[bool]] = [connections.c.organization_id == organization_id]
    if machine_id is not None:
        wanted.append(connections.c.machine_id == machine_id)
    if status is not None:
        wanted.append(connections.c.status == status.value)
    total = (await conn.execute(select(func.count()).select_from(connections).where(*wanted))).scalar_one()
    rows = await conn.execute(
        select(connections)
        .where(*wanted)
        .order_by(connections.c.connected_at.desc(), connections.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return tuple(_connection(row) for row in rows), total


async def add(conn: AsyncConnection, connection: Connection) -> None:
    """Write a new connection."""
    values = {name: getattr(connection, name) for name in _NAMES}
    await conn.execute(connections.insert(), values | {"status": connection.status.value})


async def update_fields(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    connection_id: ConnectionId,
    changes: Mapping[str, Any],
) -> Connection | None:
    """The connection with these columns changed; None when the organization has no such connection."""
    if not changes:
        return await get(conn, organization_id, connection_id)
    changed = await conn.execute(
        update(connections)
        .where(*_own(organization_id, connection_id))
        .values(**changes)
        .returning(connections)
    )
    row = changed.one_or_none()
    return None if row is None else _connection(row)


async def delete(conn: AsyncConnection, organization_id: OrganizationId, connection_id: ConnectionId) -> bool:
    """Remove the record. False when the organization has no such connection."""
    gone = await conn.execute(connections.delete().where(*_own(organization_id, connection_id)))
    return gone.rowcount == 1


def _own(organization_id: OrganizationId, connection_id: ConnectionId) -> list[ColumnElement[bool]]:
    return [connections.c.id == connection_id, connections.c.organization_id == organization_id]


def _connection(row: Row[Any]) -> Connection:
    fields = dict(row._mapping)
    return Connection(**fields | {"status": ConnectionStatus(fields["status"])})


_NAMES = [column.name for column in connections.c]
