"""Groups of workflow tags."""

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, TagGroupId
from cyberdesk_server.domain.tags import TagGroup
from cyberdesk_server.store.ordering import by_order
from cyberdesk_server.store.tables import workflow_tag_groups as groups


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, group_id: TagGroupId, *, for_update: bool = False
) -> TagGroup | None:
    """The group, or None when the organization has no such group.

    With `for_update` nobody else changes or deletes it until the transaction ends.
    """
    query = select(groups).where(groups.c.id == group_id, groups.c.organization_id == organization_id)
    row = (await conn.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if row is None else _group(row)


async def of_organization(conn: AsyncConnection, organization_id: OrganizationId) -> tuple[TagGroup, ...]:
    """All groups, in their order."""
    rows = await conn.execute(
        select(groups).where(groups.c.organization_id == organization_id).order_by(*by_order(groups))
    )
    return tuple(_group(row) for row in rows)


async def add(conn: AsyncConnection, group: TagGroup) -> None:
    """Write a new group."""
    await conn.execute(groups.insert(), _values(group))


async def replace(conn: AsyncConnection, group: TagGroup) -> None:
    """Put `group` in the place of the one with its id."""
    await conn.execute(update(groups).where(groups.c.id == group.id).values(_values(group)))


async def delete(conn: AsyncConnection, group_id: TagGroupId) -> None:
    """Remove the group; its tags stay, in no group."""
    await conn.execute(groups.delete().where(groups.c.id == group_id))


def _group(row: Row[Any]) -> TagGroup:
    return TagGroup(**row._mapping)


def _values(group: TagGroup) -> dict[str, Any]:
    return {column.name: getattr(group, column.name) for column in groups.c}
