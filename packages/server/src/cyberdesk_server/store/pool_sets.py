"""Which pools a demand of runs stands for."""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, PoolId
from cyberdesk_server.domain.runs import Demand
from cyberdesk_server.store.tables import pool_sets
from cyberdesk_server.store.upsert import insert


async def add(
    conn: AsyncConnection, organization_id: OrganizationId, demand: Demand, pool_ids: Collection[PoolId]
) -> None:
    """A machine satisfies the demand when it is in all of these pools."""
    rows = [
        {"demand": demand, "pool_id": pool_id, "organization_id": organization_id} for pool_id in pool_ids
    ]
    await conn.execute(insert(conn, pool_sets).on_conflict_do_nothing(), rows)
