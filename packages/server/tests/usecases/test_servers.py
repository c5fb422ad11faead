"""Several servers on one database: who is alive, and what becomes of what a dead one held."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from cyberdesk_server.domain.ids import OrganizationId, RunId, ServerId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import leases, machines, servers
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import ManualClock
from cyberdesk_server.testing.rows import a_machine, a_run, a_workflow, an_organization, claim_next
from cyberdesk_server.usecases.servers import Lookout, begin, end, give_sign

A, B = ServerId("a"), ServerId("b")
PATIENCE_SECONDS = 5.0


@dataclass
class House:
    """Two servers that have begun, on folders of their own, with one organization between them."""

    database: Database
    clock: ManualClock
    organization_id: OrganizationId
    workflow: Workflow

    def lookout(self, server_id: ServerId) -> Lookout:
        return Lookout(self.database, server_id, self.clock, patience_seconds=PATIENCE_SECONDS)

    async def give_sign(self, server_id: ServerId) -> bool:
        return await give_sign(self.database, server_id, folder=server_id, now=self.clock.now())

    async def alive(self) -> set[ServerId]:
        async with self.database.read() as conn:
            return set(await servers.signs_of_life(conn))

    async def machine(self, server_id: ServerId, **fields: Any) -> Machine:
        async with self.database.transaction() as conn:
            return await a_machine(conn, self.organization_id, server_id=server_id, **fields)

    async def machine_comes_to(self, server_id: ServerId, machine: Machine) -> None:
        await self.machine(server_id, fingerprint=machine.fingerprint)
        async with self.database.transaction() as conn:
            await leases.follow_machine(conn, machine.id, server_id=server_id, now=self.clock.now())

    async def run(self) -> RunId:
        async with self.database.transaction() as conn:
            return (await a_run(conn, self.workflow)).id

    async def claim(self, server_id: ServerId) -> Claim | None:
        async with self.database.transaction() as conn:
            return await claim_next(
                conn, server_id=server_id, now=self.clock.now(), lease_seconds=PATIENCE_SECONDS
            )

    async def now(self, machine: Machine) -> Machine:
        async with self.database.read() as conn:
            found = await machines.get(conn, self.organization_id, machine.id)
        assert found is not None
        return found


@asynccontextmanager
async def a_house(database: Database) -> AsyncIterator[House]:
    clock = ManualClock()
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        workflow = await a_workflow(conn, organization_id)
    for server_id in (A, B):
        await begin(database, server_id, folder=server_id, now=clock.now())
    yield House(database, clock, organization_id, workflow)


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with a_house(database) as built:
        yield built


async def test_a_server_that_gives_signs_is_left_alone(house: House) -> None:
    lookout = house.lookout(B)

    for _ in range(10):
        house.clock.advance(PATIENCE_SECONDS / 2)
        await house.give_sign(A)
        assert await lookout.look() == ()

    assert await house.alive() == {A, B}


async def test_what_a_silent_server_held_is_free_for_others(house: House) -> None:
    machine = await house.machine(A)
    run_id = await house.run()
    await house.claim(A)
    lookout = house.lookout(B)

    looks = []
    for _ in range(7):
        looks.append(await lookout.look())
        house.clock.advance(1)

    assert looks == [(), (), (), (), (), (A,), ()]
    assert await house.alive() == {B}
    free = await house.now(machine)
    assert (free.status, free.connection_id, free.server_id) == (MachineStatus.DISCONNECTED, None, None)
    taken = await house.claim(B)
    assert taken is not None
    assert (taken.run.id, taken.attempt) == (run_id, 2)


async def test_clocks_that_differ_make_no_server_gone(house: House) -> None:
    """Only whether the sign changes counts, never what time it says."""
    lookout = house.lookout(B)

    for seconds in range(1, 20):
        house.clock.advance(1)
        async with house.database.transaction() as conn:
            await servers.seen(conn, A, now=house.clock.now().replace(year=2020, second=seconds))
        assert await lookout.look() == ()


async def test_a_server_that_stood_still_itself_calls_nobody_gone(house: House) -> None:
    """Nobody can tell whether the others were silent while it did not look."""
    lookout = house.lookout(B)
    await lookout.look()

    house.clock.advance(100 * PATIENCE_SECONDS)

    assert await lookout.look() == ()
    assert await house.alive() == {A, B}


async def test_two_who_notice_the_same_do_it_once(house: House) -> None:
    await begin(house.database, ServerId("c"), folder="c", now=house.clock.now())
    lookouts = house.lookout(B), house.lookout(ServerId("c"))

    found = []
    for _ in range(6):
        for lookout, server_id in zip(lookouts, (B, ServerId("c")), strict=True):
            await house.give_sign(server_id)
            found += await lookout.look()
        house.clock.advance(1)

    assert found == [A]


async def test_a_server_that_was_taken_for_gone_begins_anew(house: House) -> None:
    async with house.database.transaction() as conn:
        await servers.remove(conn, A)

    assert not await house.give_sign(A)

    assert await house.alive() == {A, B}
    assert await house.give_sign(A)


async def test_a_start_on_the_same_folder_takes_its_own_past_over_and_nothing_else(house: House) -> None:
    own, others = await house.machine(A), await house.machine(B)
    for server_id in (A, B):
        await house.run()
        assert await house.claim(server_id) is not None

    again = ServerId("a-again")
    await begin(house.database, again, folder=A, now=house.clock.now())

    assert await house.alive() == {again, B}
    assert (await house.now(own)).connection_id is None
    assert (await house.now(others)).connection_id == others.connection_id
    taken = await house.claim(again)
    assert taken is not None
    assert taken.machine.id == own.id
    assert await house.claim(again) is None


async def test_a_server_that_ends_leaves_nothing_behind(house: House) -> None:
    machine = await house.machine(A)
    await house.run()
    await house.claim(A)

    await end(house.database, A, now=house.clock.now())

    assert await house.alive() == {B}
    assert (await house.now(machine)).connection_id is None
    assert await house.claim(B) is not None


async def test_a_run_of_a_living_server_is_taken_over_by_nobody_else_however_late_it_is(house: House) -> None:
    """Clocks of two hosts may differ by more than a lease."""
    await house.machine(A)
    await house.run()
    await house.claim(A)

    house.clock.advance(10 * PATIENCE_SECONDS)

    assert await house.claim(B) is None
    assert await house.claim(A) is not None


async def test_a_run_follows_its_machine_to_another_living_server(house: House) -> None:
    """Invariant 4: the worker it leaves can write nothing more."""
    machine = await house.machine(A)
    run_id = await house.run()
    left = await house.claim(A)
    assert left is not None

    await house.machine_comes_to(B, machine)

    async with house.database.transaction() as conn:
        assert not await leases.may_act(conn, (run_id, left.attempt))
        until = house.clock.now()
        assert await leases.renew(conn, [(run_id, left.attempt)], server_id=A, lease_until=until) == {}
    assert await house.claim(A) is None
    taken = await house.claim(B)
    assert taken is not None
    assert taken.run.id == run_id
    assert taken.attempt > left.attempt


async def test_a_machine_that_comes_back_to_its_server_keeps_its_worker(house: House) -> None:
    machine = await house.machine(A)
    run_id = await house.run()
    claimed = await house.claim(A)
    assert claimed is not None

    await house.machine_comes_to(A, machine)

    async with house.database.transaction() as conn:
        assert await leases.may_act(conn, (run_id, claimed.attempt))
    assert await house.claim(A) is None


async def test_a_waiting_run_is_for_the_server_its_machine_is_connected_to(house: House) -> None:
    machine = await house.machine(A)
    await house.run()

    assert await house.claim(B) is None

    await house.machine_comes_to(B, machine)
    assert await house.claim(A) is None
    assert await house.claim(B) is not None


async def test_a_run_that_was_left_goes_to_whoever_comes_first(house: House) -> None:
    """A stopping server lets its runs go before it is gone itself."""
    await house.machine(A)
    run_id = await house.run()
    claimed = await house.claim(A)
    assert claimed is not None

    async with house.database.transaction() as conn:
        await leases.leave(conn, (run_id, claimed.attempt), now=house.clock.now())

    taken = await house.claim(B)
    assert taken is not None
    assert (taken.run.id, taken.attempt) == (run_id, 2)
