"""The gate in front of a desktop: nothing passes without a lease, and nothing new once a worker stops."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.actions import Click
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.executor.signals import RunStopped
from cyberdesk_server.testing.ports import ManualClock, ScriptedDesktop
from cyberdesk_server.worker.gate import GatedDesktop

LEASE = timedelta(seconds=5)
CLICK = Click(Point(1, 2))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desktop() -> ScriptedDesktop:
    return ScriptedDesktop()


@pytest.fixture
def gate(desktop: ScriptedDesktop, clock: ManualClock) -> GatedDesktop:
    return GatedDesktop(desktop, clock, open_until=clock.now() + LEASE)


async def clicking(gate: GatedDesktop) -> asyncio.Task[Any]:
    """A click that has come as far as it gets."""
    click = asyncio.create_task(gate.perform(CLICK, StepId(uuid4())))
    for _ in range(3):
        await asyncio.sleep(0)
    return click


async def test_everything_passes_while_the_lease_lasts(gate: Any, desktop: Any) -> None:
    await clicking(gate)

    assert desktop.performed == [CLICK]


async def test_a_worker_that_stood_still_beyond_its_lease_does_not_act(
    gate: Any, desktop: Any, clock: Any
) -> None:
    """It cannot know what happened meanwhile; whoever renews its leases finds out."""
    clock.advance(LEASE.total_seconds())

    click = await clicking(gate)

    assert not click.done()
    assert desktop.performed == []
    click.cancel()


async def test_what_waited_passes_once_the_lease_is_renewed(gate: Any, desktop: Any, clock: Any) -> None:
    clock.advance(LEASE.total_seconds())
    click = await clicking(gate)

    gate.open_until(clock.now() + LEASE)
    await click

    assert desktop.performed == [CLICK]


async def test_what_waited_stops_when_the_lease_is_lost(gate: Any, desktop: Any, clock: Any) -> None:
    clock.advance(LEASE.total_seconds())
    click = await clicking(gate)

    gate.close()

    with pytest.raises(RunStopped):
        await click
    assert desktop.performed == []


async def test_a_lost_lease_closes_the_gate_at_once(gate: Any, desktop: Any) -> None:
    gate.close()

    with pytest.raises(RunStopped):
        await gate.screenshot()
    assert desktop.looks == 0


async def test_a_held_gate_lets_nothing_new_pass_even_with_a_lease(
    gate: Any, desktop: Any, clock: Any
) -> None:
    holding = asyncio.create_task(gate.hold())
    await asyncio.sleep(0)
    click = await clicking(gate)

    await holding
    gate.open_until(clock.now() + LEASE)
    await asyncio.sleep(0)

    assert not click.done()
    assert desktop.performed == []
    click.cancel()
