"""Which ids that a caller names does its organization not have?"""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId

AnyId = TypeVar("AnyId", bound=UUID)


async def not_among(
    conn: AsyncConnection, table: Table, organization_id: OrganizationId, ids: Collection[AnyId]
) -> tuple[AnyId, ...]:
    """Those of `ids` that are no row of the organization in `table`, each once, in their order.

    The rows that are there cannot be deleted until the transaction ends.
    """
    known = await conn.execute(
        select(table.c.id)
        .where(table.c.organization_id == organization_id, table.c.id.in_(ids))
        .with_for_update(read=True, key_share=True)
    )
    found = set(known.scalars())
    return tuple(id_ for id_ in dict.fromkeys(ids) if id_ not in found)
