"""What the gateway tells the rest of the server about its tunnels."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.machines import MachineStatus
from cyberdesk_server.gateway import Gateway
from cyberdesk_server.ports import NobodyAnswers
from cyberdesk_server.questions import Question
from cyberdesk_server.testing.ports import ManualClock

LOOK = Question("GET", "/computer/display/screenshot")


async def test_a_connected_machine_is_seen_again_and_again(site: Any) -> None:
    async with site.driver() as (_, machine):
        later = machine.last_seen + timedelta(hours=1)
        site.gateway._clock = ManualClock(later)
        seeing = asyncio.create_task(site.gateway.keep_seen())
        seen = await site.until(machine.fingerprint, lambda now: now.last_seen > later)
        seeing.cancel()
        await asyncio.gather(seeing, return_exceptions=True)

        assert seen.status is MachineStatus.CONNECTED


async def test_a_connecting_machine_wakes_the_workers(site: Any) -> None:
    async with site.bus.listen("machines.free") as heard, site.dial():
        topic, _ = await anext(heard)

        assert topic == "machines.free"


async def test_nobody_answers_for_a_machine_that_left(site: Any) -> None:
    fingerprint = str(uuid4())
    async with site.driver(X_PIGLET_FINGERPRINT=fingerprint) as (_, machine):
        pass
    await site.until(fingerprint, lambda now: now.status is MachineStatus.DISCONNECTED)

    with pytest.raises(NobodyAnswers):
        await site.ask(machine, LOOK)


async def test_closing_without_tunnels_takes_no_time(site: Any) -> None:
    gateway: Gateway = site.gateway

    await gateway.close()
    await gateway.close()


async def test_the_same_fingerprint_in_two_organizations_is_two_machines(site: Any) -> None:
    fingerprint = str(uuid4())
    other_key = await site.another_organization("org_other")

    async with site.driver(X_PIGLET_FINGERPRINT=fingerprint) as (driver, machine):
        async with site.dial(X_PIGLET_FINGERPRINT=fingerprint, Authorization=f"Bearer {other_key}"):
            await site.ask(machine, LOOK)

        assert len(driver.received) == 1
        assert (await site.machine(fingerprint)).status is MachineStatus.CONNECTED
