"""Pools and their machines, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from cyberdesk_server.domain.ids import MachineId, PoolId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.store import machines, pools
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import pool_sets
from cyberdesk_server.testing.rows import NOON, a_machine, a_pool, an_organization
from sqlalchemy import select


def ids(*found: Machine) -> set[MachineId]:
    return {machine.id for machine in found}


async def test_a_pool_is_its_organizations(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        own, other = await an_organization(conn, "org_a"), await an_organization(conn, "org_b")
        pool = await a_pool(conn, own, name="Front desks", pool_parameters={"site": 1})

        assert await pools.get(conn, own, pool.id) == pool
        assert await pools.get(conn, own, pool.id, for_update=True) == pool
        assert await pools.get(conn, other, pool.id) is None
        assert await pools.find(conn, other) == ((), 0)


async def test_unknown_are_the_ids_an_organization_does_not_have(database: Database) -> None:
    async with database.transaction() as conn:
        own, other = await an_organization(conn, "org_a"), await an_organization(conn, "org_b")
        pool, foreign, nowhere = await a_pool(conn, own), await a_pool(conn, other), PoolId(uuid4())
        machine, elsewhere = await a_machine(conn, own), await a_machine(conn, other)

        named = [foreign.id, pool.id, nowhere, foreign.id]
        assert await pools.unknown(conn, own, named) == (foreign.id, nowhere)
        assert await pools.unknown(conn, own, []) == ()
        assert await machines.unknown(conn, own, [machine.id, elsewhere.id]) == (elsewhere.id,)


async def test_pages_are_newest_first(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        made = [
            await a_pool(conn, organization, created_at=NOON + timedelta(minutes=minutes))
            for minutes in range(3)
        ]

        assert await pools.find(conn, organization, skip=1, limit=1) == ((made[1],), 3)
        assert await pools.find(conn, organization) == (tuple(reversed(made)), 3)


async def test_machines_join_and_leave_as_often_as_they_are_told(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        one, two, three = [await a_machine(conn, organization) for _ in range(3)]
        pool = await a_pool(conn, organization, machine_ids=[one.id])

        await pools.add_machines(conn, pool.id, [one.id, two.id, three.id])
        await pools.add_machines(conn, pool.id, [])
        await pools.remove_machines(conn, pool.id, [two.id])
        await pools.remove_machines(conn, pool.id, [two.id])

        members = await pools.machines_of(conn, [pool.id])
        assert ids(*members[pool.id]) == ids(one, three)
        assert await pools.get(conn, organization, pool.id) == replace(pool, machine_count=2)


async def test_the_pools_of_a_machine_are_replaced_as_a_set(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine, neighbour = [await a_machine(conn, organization) for _ in range(2)]
        left, kept = [
            await a_pool(conn, organization, machine_ids=[machine.id, neighbour.id]) for _ in range(2)
        ]
        joined = await a_pool(conn, organization)

        await pools.replace_for_machine(conn, machine.id, [kept.id, joined.id])

        of = await pools.of_machines(conn, [machine.id, neighbour.id])
        assert {pool.id: pool.machine_count for pool in of[machine.id]} == {kept.id: 2, joined.id: 1}
        assert {pool.id: pool.machine_count for pool in of[neighbour.id]} == {left.id: 1, kept.id: 2}
        assert await pools.of_members(conn, [joined.id]) == {machine.id: of[machine.id]}
        await pools.replace_for_machine(conn, machine.id, [])
        assert await pools.of_machines(conn, [machine.id]) == {}


async def test_of_the_parameters_of_several_pools_the_first_named_win(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        first = await a_pool(
            conn, organization, pool_parameters={"a": 1, "b": ""}, sensitive_parameter_aliases={"s": "x"}
        )
        second = await a_pool(
            conn,
            organization,
            pool_parameters={"a": 2, "b": 2, "c": 2, "d": None},
            sensitive_parameter_aliases={"s": "y", "t": "z"},
        )
        plain = await a_pool(conn, organization)

        forwards = await pools.parameters(conn, [first.id, plain.id, second.id])
        backwards = await pools.parameters(conn, [second.id, first.id])

        assert forwards == ({"a": 1, "b": 2, "c": 2, "d": "__EMPTY__"}, frozenset("st"))
        assert backwards == ({"a": 2, "b": 2, "c": 2, "d": "__EMPTY__"}, frozenset("st"))
        assert await pools.parameters(conn, []) == ({}, frozenset())


async def test_a_pool_that_goes_leaves_its_machines(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        pool = await a_pool(conn, organization, machine_ids=[machine.id])

        assert await pools.delete(conn, pool.id) == ()

        assert await pools.get(conn, organization, pool.id) is None
        assert await pools.of_machines(conn, [machine.id]) == {}
        assert await machines.get(conn, organization, machine.id) == machine


async def test_a_pool_that_goes_names_the_demands_that_are_lost_with_it(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        gone, kept = await a_pool(conn, organization), await a_pool(conn, organization)
        needed = [("pools:both", gone), ("pools:both", kept), ("pools:kept", kept)]
        own = {"organization_id": organization}
        sets = [{"demand": demand, "pool_id": pool.id, **own} for demand, pool in needed]
        await conn.execute(pool_sets.insert(), sets)

        assert await pools.delete(conn, gone.id) == ("pools:both",)

        left = (await conn.execute(select(pool_sets.c.demand, pool_sets.c.pool_id))).all()
        assert left == [("pools:kept", kept.id)]
