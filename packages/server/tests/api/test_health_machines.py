"""`GET /v1/health/machines`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.health import MachinesHealthCheckResponse
from cyberdesk_server.domain.ids import OrganizationId, ServerId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.ports import Message
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question, machine_topic
from cyberdesk_server.testing.rows import a_machine
from cyberdesk_server.usecases import health

FINE = DriverAnswer(200, {}, b'{"width":1,"height":1}')
Said = DriverAnswer | NoAnswer
Joined = Callable[..., Any]


@pytest.fixture
async def joined(parts: Parts) -> AsyncIterator[Joined]:
    """A connected machine whose driver answers so; with None it is never heard of again."""
    async with AsyncExitStack() as tunnels:

        async def joined(said: Said | None, organization: str = "org_own", **fields: Any) -> Machine:
            async with parts.database.transaction() as conn:
                machine = await a_machine(conn, OrganizationId(organization), **fields)

            async def answer(message: Message) -> Message:
                assert Question.from_message(message).path == "/computer/display/dimensions"
                assert said is not None
                return said.to_message()

            if said is not None:
                await tunnels.enter_async_context(parts.bus.serve(machine_topic(machine.id), answer))
            return machine

        yield joined


async def test_without_machines_nothing_is_wrong(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/health/machines")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "scope": "organization",
        "checked_machines": 0,
        "healthy_machines": 0,
        "errored_machines": [],
        "message": "0 of 0 connected machines answer",
    }


async def test_machines_that_answer_are_healthy(client: httpx.AsyncClient, joined: Joined) -> None:
    await joined(FINE)
    await joined(FINE)
    await joined(None, is_connected=False)

    answer = await client.get("/v1/health/machines")

    assert answer.status_code == 200
    assert (answer.json()["checked_machines"], answer.json()["healthy_machines"]) == (2, 2)


async def test_machines_at_another_server_are_left_out(client: httpx.AsyncClient, joined: Joined) -> None:
    await joined(FINE)
    await joined(None, server_id=ServerId("elsewhere"))

    answer = await client.get("/v1/health/machines")

    assert answer.status_code == 200
    assert answer.json()["checked_machines"] == 1


async def test_machines_that_do_not_are_named(client: httpx.AsyncClient, joined: Joined) -> None:
    await joined(FINE)
    refusing = await joined(DriverAnswer(503, {}, b'{"detail":"no screen"}'), name="front desk")
    gone = await joined(None)

    answer = await client.get("/v1/health/machines")

    assert answer.status_code == 503
    told = MachinesHealthCheckResponse(**answer.json())
    assert (told.status, told.checked_machines, told.healthy_machines) == ("error", 3, 1)
    errors = {(one.machine_id, one.machine_name, one.status_code, one.error) for one in told.errored_machines}
    assert errors == {
        (str(refusing.id), "front desk", 503, "the desktop answered 503: no screen"),
        (str(gone.id), None, None, "the machine has no live connection"),
    }


async def test_a_machine_that_takes_too_long_is_not_waited_for(
    client: httpx.AsyncClient, parts: Parts, joined: Joined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)
    machine = await joined(None)

    async def never(message: Message) -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async with parts.bus.serve(machine_topic(machine.id), never):
        answer = await client.get("/v1/health/machines")

    assert answer.status_code == 503
    [error] = answer.json()["errored_machines"]
    assert error["error"] == "the desktop did not answer within 0.05 s"


async def test_the_machines_of_others_are_not_checked(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, joined: Joined
) -> None:
    """Invariant 8."""
    await joined(None, "org_foreign")

    assert (await client.get("/v1/health/machines")).json()["checked_machines"] == 0
    assert (await stranger.get("/v1/health/machines")).status_code == 503
