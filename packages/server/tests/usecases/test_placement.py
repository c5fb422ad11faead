"""Where a run is to be carried out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import MachineId, PoolId, SessionId
from cyberdesk_server.domain.limits import BUILT_IN_LIMITS
from cyberdesk_server.domain.refusals import InvalidFields, SessionEnded, Unknown
from cyberdesk_server.domain.runs import (
    ANY_MACHINE,
    Run,
    demand_of_machine,
    demand_of_pools,
    demand_of_session,
)
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.store import sessions
from cyberdesk_server.store.tables import pool_sets
from cyberdesk_server.testing.rows import NOON, a_machine, a_pool, an_organization
from cyberdesk_server.usecases.orders import Order
from cyberdesk_server.usecases.placement import Placement, Wish, place
from cyberdesk_server.usecases.runs import create
from sqlalchemy import select

Office = Any


async def placed(office: Office, **wish: Any) -> Placement:
    return await place(office.conn, office.organization_id, Wish(**wish), now=NOON)


async def test_a_run_without_a_wish_goes_to_any_machine(office: Office) -> None:
    assert await placed(office) == Placement(ANY_MACHINE)


async def test_a_machine_decides_before_pools(office: Office) -> None:
    machine = await office.machine()

    placement = await placed(office, machine_id=machine.id, pool_ids=(PoolId(uuid4()),))

    assert placement == Placement(demand_of_machine(machine.id), machine_id=machine.id, machine=machine)


async def test_pools_are_a_set_that_machines_can_be_found_by(office: Office) -> None:
    one, two = [await a_pool(office.conn, office.organization_id) for _ in range(2)]

    placement = await placed(office, pool_ids=(two.id, one.id, two.id))
    again = await placed(office, pool_ids=(one.id, two.id))

    demand = demand_of_pools([one.id, two.id])
    stored = await office.conn.execute(select(pool_sets.c.demand, pool_sets.c.pool_id))
    assert placement == Placement(demand, pool_ids=(two.id, one.id))
    assert again.demand == demand
    assert set(stored.all()) == {(demand, one.id), (demand, two.id)}


async def test_a_session_that_a_run_starts_waits_for_what_the_run_waits_for(office: Office) -> None:
    machine = await office.machine()

    placement = await placed(office, machine_id=machine.id, start_session=True)

    assert placement.session_id is not None
    assert await sessions.get(office.conn, office.organization_id, placement.session_id) == Session(
        placement.session_id, office.organization_id, demand_of_machine(machine.id), NOON
    )
    assert placement.demand == demand_of_machine(machine.id)
    assert placement.following() == replace(
        placement, demand=demand_of_session(placement.session_id), is_next=False
    )


async def test_runs_made_together_without_a_session_do_not_follow_each_other(office: Office) -> None:
    placement = await placed(office)

    assert placement.following() == placement


async def test_a_session_decides_before_a_machine(office: Office) -> None:
    reserved, other = await office.machine(), await office.machine()
    session = await office.session()
    await sessions.reserve(office.conn, {session.id: reserved.id})

    placement = await placed(office, session_id=session.id, machine_id=other.id)

    assert placement == Placement(
        demand_of_session(session.id),
        machine_id=reserved.id,
        session_id=session.id,
        machine=replace(reserved, reserved_session_id=session.id),
    )


async def test_the_only_run_of_a_session_without_a_machine_gets_it_one(office: Office) -> None:
    session = await office.session(demand="pools:some")

    first = await placed(office, session_id=session.id)
    await office.run(session_id=session.id, demand=first.demand)
    second = await placed(office, session_id=session.id)

    assert first == Placement("pools:some", session_id=session.id)
    assert second == Placement(
        demand_of_session(session.id), session_id=session.id, is_after=NOON, is_next=False
    )


async def test_runs_of_a_session_follow_each_other_whatever_the_clocks_say(office: Office) -> None:
    """Invariant 3: they may be made on several servers, and a clock may be set back."""
    vault = EnvelopeVault(MasterKey(b"k" * 32))
    order = Order(office.workflow.id)

    async def made(wish: Wish, now: datetime) -> Sequence[Run]:
        return await create(
            office.conn,
            order,
            wish,
            organization_id=office.organization_id,
            allowed=BUILT_IN_LIMITS,
            vault=vault,
            now=now,
            count=2,
        )

    first = await made(Wish(start_session=True), NOON)
    second = await made(Wish(session_id=first[0].session_id), NOON - timedelta(seconds=10))

    made_at = [run.created_at for run in (*first, *second)]
    assert made_at == sorted(set(made_at))


async def test_a_session_that_has_ended_takes_no_run(office: Office) -> None:
    """Invariant 3."""
    session = await office.session(ended_at=NOON)

    with pytest.raises(SessionEnded):
        await placed(office, session_id=session.id)


async def test_a_run_cannot_start_a_session_and_join_another(office: Office) -> None:
    session = await office.session()

    with pytest.raises(InvalidFields) as refused:
        await placed(office, session_id=session.id, start_session=True)

    assert [problem.location for problem in refused.value.problems] == [("body", "start_session")]


@pytest.mark.parametrize(
    ("noun", "wish"),
    [
        ("machine", {"machine_id": MachineId(uuid4())}),
        ("pool", {"pool_ids": (PoolId(uuid4()),)}),
        ("session", {"session_id": SessionId(uuid4())}),
    ],
)
async def test_what_is_not_there_is_unknown(office: Office, noun: str, wish: dict[str, Any]) -> None:
    with pytest.raises(Unknown, match=f"{noun} .* not found"):
        await placed(office, **wish)


async def test_what_is_another_organizations_is_unknown(office: Office) -> None:
    """Invariant 8."""
    other = await an_organization(office.conn, "org_other")
    machine, pool = await a_machine(office.conn, other), await a_pool(office.conn, other)
    session = replace(await office.session(), id=SessionId(uuid4()), organization_id=other)
    await sessions.add(office.conn, session)

    for wish in ({"machine_id": machine.id}, {"pool_ids": (pool.id,)}, {"session_id": session.id}):
        with pytest.raises(Unknown):
            await placed(office, **wish)
