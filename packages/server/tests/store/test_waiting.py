"""Which waiting run is next, and on which machine; on both databases."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import MachineId, OrganizationId, PoolId, RunId, ServerId, SessionId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.pools import Pool
from cyberdesk_server.domain.runs import ANY_MACHINE, Run, RunStatus, demand_of_pools, demand_of_session
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import claims, machines, pool_sets, pools, runs, sessions, tables, waiting
from cyberdesk_server.store.claims import Claimed
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.openings import NEWS_AT_ONCE, is_any_machine_free, review
from cyberdesk_server.store.waiting import FEW, Found, next_pairs
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    a_pool,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

SECOND = timedelta(seconds=1)


@dataclass
class Office:
    """One organization with a workflow; runs are made a second apart."""

    conn: AsyncConnection
    organization_id: OrganizationId
    workflow: Workflow
    made: int = 0

    async def machine(self, **fields: Any) -> Machine:
        return await a_machine(self.conn, self.organization_id, **fields)

    async def pool(self, *members: Machine) -> Pool:
        return await a_pool(self.conn, self.organization_id, machine_ids=[machine.id for machine in members])

    async def run(self, **fields: Any) -> Run:
        self.made += 1
        return await a_run(self.conn, self.workflow, created_at=NOON + self.made * SECOND, **fields)

    async def run_of(self, *needed: Pool, **fields: Any) -> Run:
        """A run that waits for a machine in all of these pools."""
        pool_ids = tuple(pool.id for pool in needed)
        demand = demand_of_pools(pool_ids)
        await pool_sets.add(self.conn, self.organization_id, demand, pool_ids)
        return await self.run(pool_ids=pool_ids, demand=demand, **fields)

    async def session_on(self, machine: Machine) -> SessionId:
        """A session that has reserved the machine."""
        session = Session(SessionId(uuid4()), self.organization_id, ANY_MACHINE, NOON)
        await sessions.add(self.conn, session)
        await sessions.reserve(self.conn, {session.id: machine.id})
        return session.id

    async def run_in(self, session_id: SessionId, **fields: Any) -> Run:
        return await self.run(session_id=session_id, demand=demand_of_session(session_id), **fields)


async def leave_out(conn: AsyncConnection, run_id: RunId) -> None:
    """The run waits no longer."""
    await runs.end(conn, run_id, status=RunStatus.CANCELLED, changes={}, now=NOON)


async def an_office(conn: AsyncConnection, name: str = "org_test") -> Office:
    organization = await an_organization(conn, name)
    return Office(conn, organization, await a_workflow(conn, organization))


def pair(run: Run, machine: Machine) -> tuple[RunId, MachineId]:
    return run.id, machine.id


async def best_pair(conn: AsyncConnection, server_id: ServerId) -> tuple[RunId, MachineId] | None:
    """The run that is next at this server, and its machine."""
    found = await next_pairs(conn, server_id, at_most=1)
    while not found.pairs and not found.is_all:
        found = await next_pairs(conn, server_id, at_most=1)
    return (found.pairs[0].run_id, found.pairs[0].machine_id) if found.pairs else None


async def test_nothing_is_next_without_a_run_or_without_a_machine(database: Database) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        assert await best_pair(conn, HERE) is None
        run = await office.run()
        assert await best_pair(conn, HERE) is None

        machine = await office.machine()

        assert await best_pair(conn, HERE) == pair(run, machine)


async def test_a_run_takes_no_machine_of_another_organization(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        own, other, idle = [await an_office(conn, f"org_{name}") for name in "abc"]
        await idle.machine()
        await own.run(is_priority=True)
        run = await other.run()
        machine = await other.machine()

        assert await best_pair(conn, HERE) == pair(run, machine)
        await leave_out(conn, run.id)
        assert await best_pair(conn, HERE) is None


async def test_the_organization_whose_last_claim_is_longest_ago_comes_first(database: Database) -> None:
    async with database.transaction() as conn:
        crowded, small, late = [await an_office(conn, f"org_{name}") for name in "abc"]
        for office in (crowded, small):
            for _ in range(3):
                await office.machine()
        for _ in range(3):
            await crowded.run(is_priority=True)
        await small.run()
        await small.run()

        assert await claimed_for(conn, 3) == ["org_a", "org_b", "org_a"]
        await late.machine()
        await late.run()
        assert await claimed_for(conn, 4) == ["org_c", "org_b", "org_a"]


async def claimed_for(conn: AsyncConnection, times: int) -> list[str]:
    """The organizations of the next claims."""
    made = [await claim_next(conn, server_id=HERE, now=NOON, lease_seconds=30) for _ in range(times)]
    return [claim.run.organization_id for claim in made if claim is not None]


async def test_a_run_of_pools_takes_a_machine_that_is_in_all_of_them(database: Database) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        in_one, in_both = await office.machine(), await office.machine()
        one, two = await office.pool(in_one, in_both), await office.pool(in_both)

        run = await office.run_of(one, two)

        assert await best_pair(conn, HERE) == pair(run, in_both)
        await pools.remove_machines(conn, one.id, [in_both.id])
        assert await best_pair(conn, HERE) is None
        await pools.add_machines(conn, two.id, [in_one.id])
        assert await best_pair(conn, HERE) == pair(run, in_one)


async def test_the_order_of_pools_makes_no_other_set(database: Database) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        machine = await office.machine()
        one, two = await office.pool(machine), await office.pool(machine)

        old, young = await office.run_of(one, two), await office.run_of(two, one)

        assert old.demand == young.demand
        assert await best_pair(conn, HERE) == pair(old, machine)


async def test_a_set_of_pools_is_no_other_organizations(database: Database) -> None:
    """Invariant 8: a demand is found by its key, and a key may be known to anybody."""
    async with database.transaction() as conn:
        own, other = await an_office(conn, "org_own"), await an_office(conn, "org_other")
        machine = await other.machine()
        foreign = await other.pool(machine)
        demand = demand_of_pools([foreign.id])
        await pool_sets.add(conn, other.organization_id, demand, [foreign.id])

        await own.run(demand=demand)

        assert await best_pair(conn, HERE) is None


async def test_a_set_whose_pool_is_gone_is_satisfied_by_nobody(database: Database) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        machine = await office.machine()
        pool = await office.pool(machine)
        await office.run_of(pool)

        await pools.delete(conn, pool.id)

        assert await best_pair(conn, HERE) is None
        await pool_sets.add(conn, office.organization_id, "pools:never", [PoolId(uuid4())])
        assert await best_pair(conn, HERE) is None


async def test_runs_for_anything_for_one_machine_and_for_pools_queue_together(database: Database) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        machine = await office.machine()
        pool = await office.pool(machine)
        expected = [
            await office.run_of(pool),
            await office.run(),
            await office.run(machine_id=machine.id),
            await office.run_of(pool),
        ]
        expected.insert(0, await office.run(machine_id=machine.id, is_priority=True))

        order = []
        while (found := await best_pair(conn, HERE)) is not None:
            order.append(found)
            await leave_out(conn, found[0])

    assert order == [pair(run, machine) for run in expected]


async def test_a_reserved_machine_takes_runs_of_its_session_only_and_in_order(database: Database) -> None:
    """Invariant 3."""
    async with database.transaction() as conn:
        office = await an_office(conn)
        machine = await office.machine()
        pool = await office.pool(machine)
        session_id = await office.session_on(machine)
        await office.run(is_priority=True)
        await office.run(machine_id=machine.id, is_priority=True)
        await office.run_of(pool, is_priority=True)
        assert await best_pair(conn, HERE) is None

        first = await office.run_in(session_id)
        second = await office.run_in(session_id, is_priority=True)

        assert await best_pair(conn, HERE) == pair(first, machine)
        await leave_out(conn, first.id)
        assert await best_pair(conn, HERE) == pair(second, machine)


async def test_a_run_of_a_session_takes_no_other_machine(database: Database) -> None:
    """Invariant 3."""
    async with database.transaction() as conn:
        office = await an_office(conn)
        reserved = await office.machine()
        await office.machine()
        session_id = await office.session_on(reserved)
        await machines.update_fields(conn, office.organization_id, reserved.id, {"is_available": False})

        await office.run_in(session_id)

        assert await best_pair(conn, HERE) is None


@pytest.mark.parametrize(
    ("fields", "is_free"),
    [
        ({}, True),
        ({"reserved_session_id": uuid4()}, True),
        ({"is_connected": False}, False),
        ({"is_available": False}, False),
        ({"held_by_run_id": uuid4()}, False),
        ({"status": "error"}, False),
    ],
)
async def test_a_machine_is_free_when_some_run_could_take_it(
    database: Database, fields: dict[str, Any], is_free: bool
) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        assert not await is_any_machine_free(conn, HERE)

        await office.machine(**fields)
        await best_pair(conn, HERE)

        assert await is_any_machine_free(conn, HERE) is is_free


@pytest.mark.parametrize("table", [tables.offers, tables.openings, tables.standings])
async def test_what_got_lost_is_found_by_a_review(database: Database, table: Table) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        machine, run = await office.machine(), await office.run()
        assert await best_pair(conn, HERE) == pair(run, machine)
        await conn.execute(table.delete())
        assert await best_pair(conn, HERE) is None

        assert await review(conn, after=None) == (machine.id,)

        assert await best_pair(conn, HERE) == pair(run, machine)
        assert await review(conn, after=machine.id) == ()


async def test_nothing_is_reviewed_while_nothing_waits(database: Database) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        await office.machine()

        assert await review(conn, after=None) == ()


async def test_a_decision_takes_so_many_news_and_leaves_the_others_to_the_next(
    database: Database,
) -> None:
    async with database.transaction() as conn:
        office = await an_office(conn)
        for number in range(NEWS_AT_ONCE):
            await office.run(demand=f"nobody {number}")
        machine, run = await office.machine(), await office.run()

        first = await next_pairs(conn, HERE, at_most=1)
        second = await next_pairs(conn, HERE, at_most=1)

        assert (first.pairs, first.is_all) == ((), False)
        assert [(one.run_id, one.machine_id) for one in second.pairs] == [pair(run, machine)]


async def test_more_organizations_than_a_decision_looks_at_take_their_turns(database: Database) -> None:
    async with database.transaction() as conn:
        names = [f"org_{number:02}" for number in range(2 * FEW + 1)]
        for name in names:
            office = await an_office(conn, name)
            for _ in range(2):
                await office.machine()
                await office.run()

        assert await claimed_for(conn, 2 * len(names)) == names + names


async def test_a_run_that_was_ended_in_this_very_moment_takes_nothing_from_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = waiting.next_pairs

    async def and_then_cancel(conn: AsyncConnection, *asked: Any, **more: Any) -> Found:
        found = await decide(conn, *asked, **more)
        await leave_out(conn, found.pairs[0].run_id)
        return found

    async with database.transaction() as conn:
        office = await an_office(conn)
        for _ in range(2):
            await office.machine()
        gone, other, later = [await office.run() for _ in range(3)]

        with monkeypatch.context() as patch:
            patch.setattr(waiting, "next_pairs", and_then_cancel)
            claimed = await claim_two(conn)

        assert [claim.run.id for claim in claimed.claims] == [other.id]
        assert not claimed.is_all
        assert [claim.run.id for claim in (await claim_two(conn)).claims] == [later.id]
        assert (await runs.get(conn, office.organization_id, gone.id)).machine_id is None


async def test_a_machine_that_is_taken_away_in_this_very_moment_gets_no_run_and_no_other_comes_before(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = waiting.next_pairs

    async def and_then_take_away(conn: AsyncConnection, *asked: Any, **more: Any) -> Found:
        found = await decide(conn, *asked, **more)
        machine_id = found.pairs[0].machine_id
        await conn.execute(
            tables.machines.update().where(tables.machines.c.id == machine_id).values(is_available=False)
        )
        return found

    async with database.transaction() as conn:
        office = await an_office(conn)
        for _ in range(2):
            await office.machine()
        first, _ = [await office.run() for _ in range(2)]

        with monkeypatch.context() as patch:
            patch.setattr(waiting, "next_pairs", and_then_take_away)
            claimed = await claim_two(conn)

        assert (claimed.claims, claimed.is_all) == ((), False)
        assert [claim.run.id for claim in (await claim_two(conn)).claims] == [first.id]


async def claim_two(conn: AsyncConnection) -> Claimed:
    return await claims.claim(conn, server_id=HERE, now=NOON, lease_seconds=30, at_most=2)
