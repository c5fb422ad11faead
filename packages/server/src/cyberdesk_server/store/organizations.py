"""Organizations."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.organizations import Organization
from cyberdesk_server.store.tables import organizations


async def add(conn: AsyncConnection, organization: Organization) -> None:
    await conn.execute(
        organizations.insert().values(
            id=organization.id, name=organization.name, created_at=organization.created_at
        )
    )


async def find(conn: AsyncConnection) -> Sequence[Organization]:
    """All of them, oldest first."""
    rows = await conn.execute(select(organizations).order_by(organizations.c.created_at, organizations.c.id))
    return tuple(Organization(row.id, row.name, row.created_at) for row in rows)
