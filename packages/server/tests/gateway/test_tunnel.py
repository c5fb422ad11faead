"""What a tunnel does when a driver is slow, silent, wrong or gone."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.machines import MachineStatus
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question

CLICK = Question("POST", "/computer/input/mouse/click", body=b'{"x":1,"y":2}')


def a_look(**fields: Any) -> Question:
    return Question("GET", "/computer/display/screenshot", **fields)


async def silence(meta: dict[str, Any], body: bytes) -> None:
    """A driver that answers later, or never."""


async def test_a_driver_that_is_too_slow_has_been_asked(site: Any) -> None:
    async with site.driver(silence) as (_, machine):
        answer = await site.ask(machine, a_look(answer_seconds=0.01))

        assert answer == NoAnswer("the desktop did not answer within 0.01 s", was_sent=True, was_late=True)


async def test_a_late_answer_is_nobodys(site: Any) -> None:
    async with site.driver(silence) as (driver, machine):
        await site.ask(machine, a_look(answer_seconds=0.01))
        asked = asyncio.create_task(site.ask(machine, a_look()))
        await driver.receives(2)
        await driver.answer(driver.received[0], (200, {}, b"late"))
        await driver.answer(driver.received[1], (200, {}, b"in time"))

        assert await asked == DriverAnswer(200, {}, b"in time")


async def test_a_question_that_was_given_up_leaves_its_place(site: Any) -> None:
    async with site.driver(silence) as (driver, machine):
        given_up = asyncio.create_task(site.ask(machine, a_look()))
        await driver.receives(1)
        given_up.cancel()
        asked = asyncio.create_task(site.ask(machine, a_look()))
        await driver.receives(2)
        await driver.answer(driver.received[1], (200, {}, b""))

        assert await asked == DriverAnswer(200, {}, b"")


@pytest.mark.parametrize(
    "meta",
    [
        {"status": "200"},
        {"status": None},
        {"status": 200, "headers": [1]},
        {"status": 200, "headers": {"a": 1}},
    ],
)
async def test_an_answer_against_the_protocol_ends_the_wait(site: Any, meta: dict[str, Any]) -> None:
    async with site.driver(silence) as (driver, machine):
        asked = asyncio.create_task(site.ask(machine, a_look()))
        await driver.receives(1)
        await driver.socket.send(json.dumps({"requestId": driver.received[0]["requestId"]} | meta))
        await driver.socket.send("end")
        answer = await asked

        assert isinstance(answer, NoAnswer)
        assert answer.was_sent
        assert "against the protocol" in answer.reason


async def test_noise_does_not_close_the_tunnel(site: Any) -> None:
    async with site.driver() as (driver, machine):
        for frame in ("end", "{", b"body", '{"requestId":"unknown","status":200}', b"body", "end", "[]"):
            await driver.socket.send(frame)

        assert await site.ask(machine, CLICK) == DriverAnswer(
            200, {"content-type": "application/json"}, b"{}"
        )


async def test_a_request_that_cannot_be_framed_is_not_sent(site: Any) -> None:
    async with site.driver() as (driver, machine):
        answer = await site.ask(machine, Question("GET", "no/slash"))

        assert isinstance(answer, NoAnswer)
        assert not answer.was_sent
        assert driver.received == []


async def test_a_closed_tunnel_is_served_no_more(site: Any) -> None:
    fingerprint = str(uuid4())
    async with site.driver(X_PIGLET_FINGERPRINT=fingerprint) as (driver, _):
        await driver.socket.close()
        machine = await site.until(fingerprint, lambda now: now.status is MachineStatus.DISCONNECTED)

        assert machine.connection_id is None


async def test_a_driver_that_owes_no_answer_must_answer_pings(serving: Any) -> None:
    async with serving(ws_ping_interval=0.02, ws_ping_timeout=0.05) as site:
        fingerprint = str(uuid4())
        async with site.driver(X_PIGLET_FINGERPRINT=fingerprint) as (driver, _):
            driver.socket.transport.pause_reading()

            await site.until(fingerprint, lambda now: now.status is MachineStatus.DISCONNECTED)
            driver.socket.transport.abort()


async def test_a_driver_at_work_need_not_answer_pings(serving: Any) -> None:
    impatient = serving(ws_ping_interval=0.02, ws_ping_timeout=0.05)

    async with impatient as site, site.driver(silence) as (driver, machine):
        asked = asyncio.create_task(site.ask(machine, CLICK))
        await driver.receives(1)
        driver.socket.transport.pause_reading()
        await asyncio.sleep(0.3)
        driver.socket.transport.resume_reading()
        await driver.answer(driver.received[0], (200, {}, b"{}"))

        assert await asked == DriverAnswer(200, {}, b"{}")


async def test_connecting_many_times_at_once_leaves_one_live_connection(site: Any) -> None:
    fingerprint = str(uuid4())
    async with AsyncExitStack() as stack:
        dialling = [stack.enter_async_context(site.dial(X_PIGLET_FINGERPRINT=fingerprint)) for _ in range(5)]
        sockets = await asyncio.gather(*dialling)
        closing = {asyncio.create_task(socket.wait_closed()) for socket in sockets}
        while len(closing) > 1:
            _, closing = await asyncio.wait(closing, return_when=asyncio.FIRST_COMPLETED)
        machine = await site.machine(fingerprint)

        assert machine.status is MachineStatus.CONNECTED
        assert sorted(socket.close_code or 0 for socket in sockets) == [0, 4001, 4001, 4001, 4001]
