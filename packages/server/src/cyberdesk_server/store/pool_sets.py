"""Which pools a demand of runs stands for."""

from collections.abc import Collection

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, PoolId
from cyberdesk_server.domain.runs import ANY_MACHINE, Demand
from cyberdesk_server.store import news
from cyberdesk_server.store.tables import pool_machines, pool_sets
from cyberdesk_server.store.upsert import insert


async def add(
    conn: AsyncConnection, organization_id: OrganizationId, demand: Demand, pool_ids: Collection[PoolId]
) -> None:
    """A machine satisfies the demand when it is in all of these pools."""
    rows = [
        {"demand": demand, "pool_id": pool_id, "organization_id": organization_id} for pool_id in pool_ids
    ]
    added = await conn.execute(insert(conn, pool_sets).values(rows).on_conflict_do_nothing())
    if added.rowcount:
        await conn.execute(_MARK_RAREST, {"with_demand": demand})
        await news.of_pool_set(conn, organization_id, demand)


async def pools_of(conn: AsyncConnection, demand: Demand) -> tuple[PoolId, ...]:
    """The pools a machine must be in to satisfy the demand; none for demands that ask for no pools."""
    if demand == ANY_MACHINE:
        return ()
    rows = await conn.execute(select(pool_sets.c.pool_id).where(pool_sets.c.demand == demand))
    return tuple(sorted(rows.scalars()))


_size = (
    select(func.count())
    .where(pool_machines.c.pool_id == pool_sets.c.pool_id)
    .correlate_except(pool_machines)
    .scalar_subquery()
)
_rarest = (
    select(pool_sets.c.pool_id)
    .where(pool_sets.c.demand == bindparam("with_demand"))
    .order_by(_size, pool_sets.c.pool_id)
    .limit(1)
)
_MARK_RAREST = (
    update(pool_sets)
    .where(pool_sets.c.demand == bindparam("with_demand"))
    .where(pool_sets.c.pool_id == _rarest.correlate(None).scalar_subquery())
    .values(rarest_pool_id=pool_sets.c.pool_id)
)
