"""What the next decision of the scheduler has to look at (`openings`).

The database says it by itself, by triggers: of a new run that waits, and of a machine of which something has
changed that decides what it takes. Who lets a run wait again says so here, in the same transaction. It is a
list that is only added to: nobody waits for anybody's lock.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId
from cyberdesk_server.domain.runs import Demand
from cyberdesk_server.store.lists import each_id
from cyberdesk_server.store.tables import machines, news


async def of_demands(conn: AsyncConnection, demands: Collection[tuple[OrganizationId, Demand]]) -> None:
    """Runs of these organizations, no new ones, began to wait with these demands."""
    rows = [{"organization_id": organization_id, "demand": demand} for organization_id, demand in demands]
    await conn.execute(_INSERT, rows)


async def of_pool_set(conn: AsyncConnection, organization_id: OrganizationId, demand: Demand) -> None:
    """This demand, of a set of pools, is asked for the first time."""
    row = {"organization_id": organization_id, "demand": demand, "is_new_set": True}
    await conn.execute(_INSERT, row)


async def of_machines(conn: AsyncConnection, ids: Collection[MachineId]) -> None:
    """These machines take more runs than before, or fewer."""
    if ids:
        await conn.execute(_OF_MACHINES, {"machine_ids": ids})


async def of_machines_where(conn: AsyncConnection, which: ColumnElement[bool]) -> None:
    """The machines that `which` selects take more runs than before, or fewer."""
    await conn.execute(_INSERT.from_select(["machine_id"], select(machines.c.id).where(which)))


_INSERT = news.insert()
_OF_MACHINES = _INSERT.from_select(["machine_id"], each_id("machine_ids"))
