"""Pools, and the machines that are in them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, PoolId
from cyberdesk_server.domain.inputs import layered
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.pools import Pool
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.machines import machine_from
from cyberdesk_server.store.ownership import not_among
from cyberdesk_server.store.tables import machines, pool_machines, pool_sets, pools
from cyberdesk_server.store.upsert import insert

__all__ = [
    "Pool",
    "add",
    "add_machines",
    "delete",
    "find",
    "get",
    "machines_of",
    "of_machines",
    "of_members",
    "parameters",
    "remove_machines",
    "replace_for_machine",
    "unknown",
    "update_fields",
]

_members = pool_machines.alias()
_COUNT = (
    select(func.count())
    .select_from(_members)
    .where(_members.c.pool_id == pools.c.id)
    .scalar_subquery()
    .label("machine_count")
)
COLUMNS = (*pools.c, _COUNT)


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, pool_id: PoolId, *, for_update: bool = False
) -> Pool | None:
    """The pool, or None when the organization has no such pool.

    With `for_update` nobody else changes or deletes it until the transaction ends.
    """
    query = select(*COLUMNS).where(pools.c.id == pool_id, pools.c.organization_id == organization_id)
    if for_update:
        query = query.with_for_update(of=pools)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _pool(row)


async def find(
    conn: AsyncConnection, organization_id: OrganizationId, *, skip: int = 0, limit: int = 100
) -> tuple[tuple[Pool, ...], int]:
    """One page, newest first, and how many there are in all."""
    own = pools.c.organization_id == organization_id
    total = (await conn.execute(select(func.count()).select_from(pools).where(own))).scalar_one()
    rows = await conn.execute(_newest_first(select(*COLUMNS).where(own)).offset(skip).limit(limit))
    return tuple(map(_pool, rows)), total


async def unknown(
    conn: AsyncConnection, organization_id: OrganizationId, ids: Collection[PoolId]
) -> tuple[PoolId, ...]:
    """Those of `ids` that are no pool of the organization; the others stay until the transaction ends."""
    return await not_among(conn, pools, organization_id, ids)


async def names(conn: AsyncConnection, ids: Collection[PoolId]) -> tuple[str, ...]:
    """What people call these pools, in the order of the alphabet."""
    if not ids:
        return ()
    rows = await conn.execute(select(pools.c.name).where(pools.c.id.in_(ids)).order_by(pools.c.name))
    return tuple(rows.scalars())


async def parameters(conn: AsyncConnection, ids: Sequence[PoolId]) -> tuple[JsonObject, frozenset[str]]:
    """What the pools give a run that names them in this order: values of `{x}`, and names of secrets.

    Of several pools the one named first wins.
    """
    found = {row.id: row for row in await conn.execute(_PARAMETERS, {"ids": list(ids)})}
    named = [found[pool_id] for pool_id in ids if pool_id in found]
    return _values(named), frozenset(name for row in named for name in row.sensitive_parameter_aliases or ())


async def parameters_of_sets(
    conn: AsyncConnection, sets: Collection[tuple[PoolId, ...]]
) -> Mapping[tuple[PoolId, ...], JsonObject]:
    """The values alone, for each of several runs that name pools."""
    if not sets:
        return {}
    wanted = {pool_id for ids in sets for pool_id in ids}
    found = {row.id: row for row in await conn.execute(_PARAMETERS, {"ids": list(wanted)})}
    return {ids: _values([found[pool_id] for pool_id in ids if pool_id in found]) for ids in sets}


async def machines_of(
    conn: AsyncConnection, pool_ids: Collection[PoolId]
) -> Mapping[PoolId, tuple[Machine, ...]]:
    """The machines of each pool, newest first; empty pools are left out."""
    rows = await conn.execute(
        select(pool_machines.c.pool_id, *machines.c)
        .join(machines, machines.c.id == pool_machines.c.machine_id)
        .where(pool_machines.c.pool_id.in_(pool_ids))
        .order_by(machines.c.created_at.desc(), machines.c.id.desc())
    )
    found: dict[PoolId, list[Machine]] = defaultdict(list)
    for row in rows:
        found[row.pool_id].append(machine_from(row))
    return {pool_id: tuple(members) for pool_id, members in found.items()}


async def of_machines(
    conn: AsyncConnection, machine_ids: Collection[MachineId]
) -> Mapping[MachineId, tuple[Pool, ...]]:
    """The pools each machine is in, newest first; machines without one are left out."""
    return await _of_machines(conn, pool_machines.c.machine_id.in_(machine_ids))


async def of_members(
    conn: AsyncConnection, pool_ids: Collection[PoolId]
) -> Mapping[MachineId, tuple[Pool, ...]]:
    """The pools, these and others, that the machines of these pools are in, newest first."""
    members = select(pool_machines.c.machine_id).where(pool_machines.c.pool_id.in_(pool_ids))
    return await _of_machines(conn, pool_machines.c.machine_id.in_(members))


async def add(conn: AsyncConnection, pool: Pool) -> None:
    """Write a new pool, without machines."""
    await conn.execute(pools.insert(), {column.name: getattr(pool, column.name) for column in pools.c})


async def update_fields(conn: AsyncConnection, pool_id: PoolId, changes: Mapping[str, Any]) -> None:
    """Change these columns."""
    await conn.execute(update(pools).where(pools.c.id == pool_id).values(**changes))


async def delete(conn: AsyncConnection, pool_id: PoolId) -> tuple[str, ...]:
    """Remove the pool and its secrets; its machines stay.

    Returns the demands of runs that no machine can satisfy any more.
    """
    # The row first: a run that is being made with this pool holds it, and is seen once it is committed.
    await conn.execute(pools.delete().where(pools.c.id == pool_id))
    demands = select(pool_sets.c.demand).where(pool_sets.c.pool_id == pool_id)
    lost = tuple((await conn.execute(demands)).scalars())
    await conn.execute(pool_sets.delete().where(pool_sets.c.demand.in_(lost)))
    return lost


async def add_machines(conn: AsyncConnection, pool_id: PoolId, machine_ids: Collection[MachineId]) -> None:
    """Put machines into the pool; those that are in it stay."""
    await _join(conn, [(pool_id, machine_id) for machine_id in machine_ids])


async def remove_machines(conn: AsyncConnection, pool_id: PoolId, machine_ids: Collection[MachineId]) -> None:
    """Take machines out of the pool; those that are not in it stay out."""
    await conn.execute(
        pool_machines.delete().where(
            pool_machines.c.pool_id == pool_id, pool_machines.c.machine_id.in_(machine_ids)
        )
    )


async def replace_for_machine(
    conn: AsyncConnection, machine_id: MachineId, pool_ids: Collection[PoolId]
) -> None:
    """The machine is in these pools and in no other."""
    await conn.execute(
        pool_machines.delete().where(
            pool_machines.c.machine_id == machine_id, pool_machines.c.pool_id.not_in(pool_ids)
        )
    )
    await _join(conn, [(pool_id, machine_id) for pool_id in pool_ids])


async def _join(conn: AsyncConnection, pairs: Collection[tuple[PoolId, MachineId]]) -> None:
    rows = [{"pool_id": pool_id, "machine_id": machine_id} for pool_id, machine_id in pairs]
    if rows:
        await conn.execute(insert(conn, pool_machines).on_conflict_do_nothing(), rows)


async def _of_machines(
    conn: AsyncConnection, which: ColumnElement[bool]
) -> Mapping[MachineId, tuple[Pool, ...]]:
    joined = select(pool_machines.c.machine_id, *COLUMNS).join(pools, pools.c.id == pool_machines.c.pool_id)
    found: dict[MachineId, list[Pool]] = defaultdict(list)
    for row in await conn.execute(_newest_first(joined.where(which))):
        found[row.machine_id].append(_pool(row))
    return {machine_id: tuple(its_pools) for machine_id, its_pools in found.items()}


def _newest_first(query: Select[Any]) -> Select[Any]:
    return query.order_by(pools.c.created_at.desc(), pools.c.id.desc())


def _pool(row: Row[Any]) -> Pool:
    return Pool(**{column.name: row._mapping[column.name] for column in COLUMNS})


def _values(named: Sequence[Any]) -> JsonObject:
    return layered(*(row.pool_parameters for row in reversed(named)))


_PARAMETERS = select(pools.c.id, pools.c.pool_parameters, pools.c.sensitive_parameter_aliases).where(
    among(pools.c.id, "ids")
)
