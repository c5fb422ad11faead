"""What the gateway tells the rest of the server about its tunnels."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import OrganizationId, ServerId
from cyberdesk_server.domain.machines import MachineStatus
from cyberdesk_server.gateway import Gateway
from cyberdesk_server.ports import NobodyAnswers
from cyberdesk_server.questions import Question
from cyberdesk_server.store import machines
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import ManualClock
from cyberdesk_server.testing.rows import HERE, NOON, a_machine, a_run, a_workflow, claim_next

ORGANIZATION = OrganizationId("org_test")
LOOK = Question("GET", "/computer/display/screenshot")


async def test_a_connected_machine_is_seen_again_and_again(site: Any) -> None:
    async with site.driver() as (_, machine):
        later = machine.last_seen + timedelta(hours=1)
        site.gateway._clock = ManualClock(later)

        await site.gateway.check_tunnels()

        seen = await site.machine(machine.fingerprint)
        assert (seen.status, seen.last_seen) == (MachineStatus.CONNECTED, later)


async def test_a_run_in_the_hands_of_another_server_follows_its_machine(
    site: Any, database: Database
) -> None:
    fingerprint, elsewhere = str(uuid4()), ServerId("elsewhere")
    async with database.transaction() as conn:
        await a_machine(conn, ORGANIZATION, fingerprint=fingerprint, server_id=elsewhere)
        run = await a_run(conn, await a_workflow(conn, ORGANIZATION))
        await claim_next(conn, server_id=elsewhere, now=NOON, lease_seconds=1e9)

    async with site.driver(X_PIGLET_FINGERPRINT=fingerprint):
        now = datetime.now(UTC)
        async with database.transaction() as conn:
            taken = await claim_next(conn, server_id=HERE, now=now, lease_seconds=5)

    assert taken is not None
    assert taken.run.id == run.id


async def test_a_tunnel_that_was_overtaken_at_another_server_is_closed_for_good(
    site: Any, database: Database
) -> None:
    """Two clones of one disk image would push each other out for ever."""
    async with site.driver() as (overtaken, machine):
        elsewhere = {"fingerprint": machine.fingerprint, "server_id": ServerId("elsewhere")}
        async with database.transaction() as conn:
            await a_machine(conn, ORGANIZATION, **elsewhere)

        await site.gateway.check_tunnels()

        await overtaken.socket.wait_closed()
        assert overtaken.socket.close_code == 4001
        assert (await site.machine(machine.fingerprint)).server_id == "elsewhere"


async def test_a_tunnel_of_a_machine_that_counts_as_gone_is_opened_anew(
    site: Any, database: Database
) -> None:
    """The other servers took this one for gone."""
    async with site.driver() as (driver, _):
        async with database.transaction() as conn:
            await machines.disconnect_all(conn, HERE, now=NOON)

        await site.gateway.check_tunnels()

        await driver.socket.wait_closed()
        assert (driver.socket.close_code, driver.socket.close_reason) == (4008, "Wait 1 seconds")


async def test_a_machine_whose_tunnel_is_not_here_is_disconnected(site: Any, database: Database) -> None:
    """The database was away when its tunnel closed."""
    async with database.transaction() as conn:
        machine = await a_machine(conn, ORGANIZATION)

    await site.gateway.check_tunnels()

    assert (await site.machine(machine.fingerprint)).connection_id is None


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


async def test_no_frame_is_packed_so_none_can_burst(site: Any) -> None:
    async with site.dial() as driver:  # the client offers to pack
        assert driver.protocol.extensions == []
        assert "Sec-WebSocket-Extensions" in driver.request.headers
