"""What an organization sorts by hand: rows with an `order`, the smallest first."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId


def by_order(table: Table) -> tuple[ColumnElement[Any], ...]:
    """Columns to sort by."""
    return table.c.order, table.c.created_at, table.c.id


async def next_order(conn: AsyncConnection, table: Table, organization_id: OrganizationId) -> int:
    """The place behind all others."""
    last = select(func.max(table.c.order)).where(table.c.organization_id == organization_id)
    found: int | None = (await conn.execute(last)).scalar_one()
    return 0 if found is None else found + 1


async def ids_in_order(
    conn: AsyncConnection, table: Table, organization_id: OrganizationId
) -> tuple[UUID, ...]:
    """The ids of all rows as they are sorted; nobody else sorts them until the transaction ends."""
    own = table.c.organization_id == organization_id
    # Locked in one order for all, so that two who sort wait for each other instead of failing.
    await conn.execute(select(table.c.id).where(own).order_by(table.c.id).with_for_update())
    return tuple((await conn.execute(select(table.c.id).where(own).order_by(*by_order(table)))).scalars())


async def set_order(conn: AsyncConnection, table: Table, ids: Sequence[UUID]) -> None:
    """Sort the rows as their ids are listed."""
    for order, id_ in enumerate(ids):
        await conn.execute(
            update(table).where(table.c.id == id_, table.c.order != order).values({"order": order})
        )
