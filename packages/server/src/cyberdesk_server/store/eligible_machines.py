"""The machines a waiting run could use, counted by what keeps them from taking it."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import bindparam, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, PoolId
from cyberdesk_server.domain.machines import MachineStatus
from cyberdesk_server.domain.waiting import Obstacle
from cyberdesk_server.store.tables import machines, pool_machines

_OBSTACLE = case(
    (
        (machines.c.status != MachineStatus.CONNECTED.value) | machines.c.connection_id.is_(None),
        literal(Obstacle.NOT_CONNECTED.name),
    ),
    (~machines.c.is_available, literal(Obstacle.NOT_AVAILABLE.name)),
    (machines.c.held_by_run_id.is_not(None), literal(Obstacle.BUSY.name)),
    (machines.c.reserved_session_id.is_not(None), literal(Obstacle.RESERVED.name)),
)


async def counts(
    conn: AsyncConnection, organization_id: OrganizationId, pool_ids: Collection[PoolId]
) -> Mapping[Obstacle | None, int]:
    """How many machines of the organization are in all of these pools, by what keeps them from taking a run
    that is in no session, as `domain.waiting.obstacle` has it."""
    wanted = list(frozenset(pool_ids))
    asked: dict[str, Any] = {"organization_id": organization_id}
    if wanted:
        asked |= {"pool_ids": wanted, "number_of_pools": len(wanted)}
    rows = await conn.execute(_COUNTED_IN_POOLS if wanted else _COUNTED, asked)
    return {None if row.obstacle is None else Obstacle[row.obstacle]: row.number for row in rows}


# Built once: putting these together takes longer than asking for them.
_COUNTED = (
    select(_OBSTACLE.label("obstacle"), func.count().label("number"))
    .where(machines.c.organization_id == bindparam("organization_id"))
    .group_by("obstacle")
)
_IN_ALL = (
    select(pool_machines.c.machine_id)
    .where(pool_machines.c.pool_id.in_(bindparam("pool_ids", expanding=True)))
    .group_by(pool_machines.c.machine_id)
    .having(func.count() == bindparam("number_of_pools"))
)
_COUNTED_IN_POOLS = _COUNTED.where(machines.c.id.in_(_IN_ALL))
