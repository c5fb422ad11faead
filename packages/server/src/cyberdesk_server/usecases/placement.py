"""Where is a run to be carried out: on which machine, in which pools, in which session?"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, PoolId, SessionId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refusals import SessionEnded, Unknown, invalid
from cyberdesk_server.domain.runs import (
    ANY_MACHINE,
    Demand,
    demand_of_machine,
    demand_of_pools,
    demand_of_session,
)
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.store import machines, pool_sets, pools, sessions


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller asks for. A session decides before a machine, a machine before pools."""

    machine_id: MachineId | None = None
    pool_ids: tuple[PoolId, ...] = ()
    session_id: SessionId | None = None
    """The session to join."""

    start_session: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a run goes, in the words of the run."""

    demand: Demand = ANY_MACHINE
    machine_id: MachineId | None = None
    pool_ids: tuple[PoolId, ...] | None = None
    session_id: SessionId | None = None
    is_after: datetime | None = None
    """When the run before it in its session was made. The runs of a session go in the order in which they
    were made, though the clocks of servers differ, and may be set back."""

    machine: Machine | None = field(default=None, repr=False)
    """The machine itself, when it is known which."""

    is_next: bool = True
    """False while other runs of its session come before it."""

    def fields(self) -> dict[str, Any]:
        """As members of `Run`."""
        return {
            "demand": self.demand,
            "machine_id": self.machine_id,
            "pool_ids": self.pool_ids,
            "session_id": self.session_id,
        }

    def following(self) -> "Placement":
        """Where the next run goes that is made together with this one: into the same session, if any."""
        if self.session_id is None:
            return self
        return replace(self, demand=demand_of_session(self.session_id), is_next=False)


async def place(
    conn: AsyncConnection, organization_id: OrganizationId, wish: Wish, *, now: datetime
) -> Placement:
    """Where a run with this wish goes; a session it starts is written.

    Raises `Unknown` for a machine, a pool or a session that is not the organization's, `SessionEnded`, and
    `InvalidFields` for a wish that contradicts itself.
    """
    if wish.session_id is not None:
        if wish.start_session:
            raise invalid(("body", "start_session"), "a run cannot start a session and join session_id")
        return await _join(conn, organization_id, wish.session_id)
    placement = await _choose(conn, organization_id, wish)
    if not wish.start_session:
        return placement
    session = Session(
        id=SessionId(uuid4()), organization_id=organization_id, demand=placement.demand, created_at=now
    )
    await sessions.add(conn, session)
    return replace(placement, session_id=session.id)


async def _choose(conn: AsyncConnection, organization_id: OrganizationId, wish: Wish) -> Placement:
    if wish.machine_id is not None:
        machine = await machines.get(conn, organization_id, wish.machine_id)
        if machine is None:
            raise Unknown("machine", wish.machine_id)
        return Placement(demand_of_machine(machine.id), machine_id=machine.id, machine=machine)
    if wish.pool_ids:
        pool_ids = tuple(dict.fromkeys(wish.pool_ids))
        for unknown in await pools.unknown(conn, organization_id, pool_ids):
            raise Unknown("pool", unknown)
        demand = demand_of_pools(pool_ids)
        await pool_sets.add(conn, organization_id, demand, pool_ids)
        return Placement(demand, pool_ids=pool_ids)
    return Placement()


async def _join(conn: AsyncConnection, organization_id: OrganizationId, session_id: SessionId) -> Placement:
    session = await sessions.get(conn, organization_id, session_id)
    if session is None:
        raise Unknown("session", session_id)
    if session.ended_at is not None:
        raise SessionEnded(session_id)
    is_next = not (await sessions.unfinished(conn, [session_id]))[session_id]
    # A session without a machine gets one through its oldest waiting run, which may be this one.
    is_first = is_next and session.machine_id is None
    demand = session.demand if is_first else demand_of_session(session_id)
    reserved = session.machine_id
    machine = None if reserved is None else await machines.get(conn, organization_id, reserved)
    return Placement(
        demand,
        machine_id=reserved,
        session_id=session_id,
        is_after=await sessions.last_made_at(conn, session_id),
        machine=machine,
        is_next=is_next,
    )
