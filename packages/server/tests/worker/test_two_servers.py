"""Two workers on one database that hear nothing of each other: a run is carried out where its machine is."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.domain.actions import Click
from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import ToolCall, Turn
from cyberdesk_server.store import leases
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import FunctionModel, turns
from cyberdesk_server.testing.rows import a_workflow, an_organization
from cyberdesk_server.usecases import servers

A, B = ServerId("a"), ServerId("b")
LEASE_SECONDS = 2.0
TWO_CLICKS = [Turn((ToolCall("click", {"x": x, "y": 1}),)) for x in (1, 2)]


class Halt:
    """A model that asks for two clicks and waits, before its second answer, until it is let go."""

    def __init__(self) -> None:
        self.is_reached = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.model: FunctionModel = turns(*TWO_CLICKS)
        self.model.before_answer = self._wait
        self._answers = 0

    async def _wait(self) -> None:
        self._answers += 1
        if self._answers == 2:
            self.is_reached.set()
            await self.may_go_on.wait()


def clicks(floor: Any) -> list[int]:
    return [action.at.x for action in floor.desktop.performed if isinstance(action, Click)]


@pytest.fixture
async def floors(database: Database, floor_of: Any) -> tuple[Any, Any]:
    """What each of the servers stands on: the same database and desktop, each a bus of its own."""
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        workflow = await a_workflow(conn, organization_id)
    for server_id in (A, B):
        await servers.begin(database, server_id, folder=server_id, now=SystemClock().now())
    here = floor_of(database, InProcessBus(), organization_id, workflow)
    return here, replace(here, bus=InProcessBus())


def worker(floor: Any, model: FunctionModel, server_id: ServerId) -> Any:
    return floor.worker(model, server_id, lease_seconds=LEASE_SECONDS, sweep_seconds=0.02)


async def comes_to(floor: Any, server_id: ServerId, machine: Machine) -> None:
    """What a gateway does when the machine's driver connects."""
    await floor.machine(fingerprint=machine.fingerprint, server_id=server_id)
    async with floor.database.transaction() as conn:
        await leases.follow_machine(conn, machine.id, server_id=server_id, now=SystemClock().now())
    await floor.bus.publish("machines.free")


async def ended(floor: Any, run: Any) -> Any:
    while not (now := await floor.now(run.id)).status.is_terminal:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    return now


async def test_a_run_made_at_one_server_starts_where_its_machine_is(floors: Any) -> None:
    here, there = floors
    await there.machine(server_id=B)

    async with (
        here.working(worker(here, turns(*TWO_CLICKS), A)),
        there.working(worker(there, turns(*TWO_CLICKS), B)),
    ):
        run = await here.announced_run()
        done = await ended(there, run)

    assert (done.status, done.attempt) == (RunStatus.SUCCESS, 1)
    assert clicks(there) == [1, 2]


async def test_a_run_goes_on_where_its_machine_connects_and_its_worker_lets_go(floors: Any) -> None:
    here, there = floors
    machine = await here.machine(server_id=A)
    halt = Halt()

    async with here.working(worker(here, halt.model, A)):
        run = await here.announced_run()
        await halt.is_reached.wait()
        async with there.working(worker(there, turns(*TWO_CLICKS), B)):
            await comes_to(there, B, machine)
            done = await ended(there, run)
        halt.may_go_on.set()

    assert (done.status, done.error) == (RunStatus.SUCCESS, None)
    assert clicks(there) == [1, 2]
    assert await here.now(run.id) == done


async def test_a_cancellation_at_another_server_arrives_with_the_next_renewal(floors: Any) -> None:
    here, there = floors
    machine = await here.machine(server_id=A)
    halt = Halt()

    async with here.working(worker(here, halt.model, A)):
        run = await here.announced_run()
        await halt.is_reached.wait()
        async with here.bus.listen("machines.free") as freed:
            await there.cancel(run.id)
            await anext(freed)

    assert await here.is_free(machine)
    assert clicks(here) == [1]


async def test_what_a_stopping_worker_leaves_another_server_takes(floors: Any) -> None:
    """Its machine may come there later: until then the desktop is waited for."""
    here, there = floors
    await here.machine(server_id=A)
    halt = Halt()

    async with there.working(worker(there, turns(*TWO_CLICKS), B)):
        async with here.working(here.worker(halt.model, A, shutdown_seconds=0.05)):
            run = await here.announced_run()
            await halt.is_reached.wait()
        done = await ended(there, run)

    assert (done.status, done.attempt) == (RunStatus.SUCCESS, 2)
    assert clicks(there) == [1, 2]


async def test_a_worker_taken_for_gone_goes_on_when_nobody_took_its_run(floors: Any) -> None:
    here, _ = floors
    await here.machine(server_id=A)
    halt = Halt()

    async with here.working(worker(here, halt.model, A)):
        run = await here.announced_run()
        await halt.is_reached.wait()
        await servers.end(here.database, A, now=SystemClock().now())
        while (await here.now(run.id)).lease_expires_at <= SystemClock().now():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        halt.may_go_on.set()
        done = await ended(here, run)

    assert done.status is RunStatus.SUCCESS
    assert clicks(here) == [1, 2]
