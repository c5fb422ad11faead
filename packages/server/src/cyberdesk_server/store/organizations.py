"""Organizations."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.organizations import Organization
from cyberdesk_server.store.tables import organizations

FIRST_LOCK = 0x43594F31
"""Key of the advisory lock of `one_at_a_time` on PostgreSQL."""


async def add(conn: AsyncConnection, organization: Organization) -> None:
    await conn.execute(
        organizations.insert().values(
            id=organization.id, name=organization.name, created_at=organization.created_at
        )
    )


async def one_at_a_time(conn: AsyncConnection) -> None:
    """Until the transaction ends nobody else gets past here: the first organization is made once."""
    if conn.dialect.name == "postgresql":  # SQLite has one writer anyway
        await conn.execute(select(func.pg_advisory_xact_lock(FIRST_LOCK)))


async def find(conn: AsyncConnection) -> Sequence[Organization]:
    """All of them, oldest first."""
    rows = await conn.execute(select(organizations).order_by(organizations.c.created_at, organizations.c.id))
    return tuple(Organization(row.id, row.name, row.created_at) for row in rows)
