"""Section 8 of the driver protocol: what the published drivers need of a server to use it unchanged."""

import asyncio
import json
import ssl
from typing import Any
from uuid import uuid4

import pytest
import trustme
from cyberdesk_server.domain.machines import MachineStatus
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question
from websockets.exceptions import ConnectionClosed, InvalidStatus

Spoken = tuple[int, dict[str, str], bytes]

SCREENSHOT = Question("GET", "/computer/display/screenshot")
CLICK = Question(
    "POST",
    "/computer/input/mouse/click",
    headers={"content-type": "application/json", "x-idempotency-key": "run42-step7"},
    body=b'{"x":300,"y":250}',
)


def an_input(number: int) -> Question:
    return Question("POST", "/computer/input/mouse/move", body=json.dumps({"x": number, "y": 0}).encode())


def a_look(number: int) -> Question:
    return Question("GET", "/computer/display/screenshot", query=f"width={number}")


async def silence(meta: dict[str, Any], body: bytes) -> None:
    """A driver that answers later, or never."""


async def test_1_tls_on_the_tunnel(serving: Any) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    with certificate.private_key_and_cert_chain_pem.tempfile() as file:
        async with serving(ssl_certfile=file) as site, site.driver(ssl=trust) as (_, machine):
            answer = await site.ask(machine, CLICK)

            assert site.url.startswith("wss://")
            assert isinstance(answer, DriverAnswer)


@pytest.mark.parametrize("authorization", ["", "Bearer ", "Bearer wrong", "Basic abc", "Bearer wr\u00f6ng"])
async def test_2_a_bad_key_is_403_before_the_upgrade(site: Any, authorization: str) -> None:
    with pytest.raises(InvalidStatus) as refusal:
        async with site.dial(Authorization=authorization):
            pass

    assert refusal.value.response.status_code == 403
    assert b"key" in refusal.value.response.body


async def test_2_an_upgrade_grants_no_extensions(site: Any) -> None:
    async with site.dial() as dialled:
        assert dialled.protocol.extensions == []


async def test_3_a_connecting_driver_makes_a_machine(site: Any) -> None:
    headers = {"X_CYBERDRIVER_NAME": "Front desk", "X_PIGLET_HOSTNAME": "pc-7"}

    async with site.driver(version="1.0.2", **headers) as (_, machine):
        assert (machine.name, machine.hostname, machine.version) == ("Front desk", "pc-7", "1.0.2")
        assert machine.status is MachineStatus.CONNECTED


async def test_3_the_same_fingerprint_is_the_same_machine(site: Any) -> None:
    fingerprint = str(uuid4())
    async with site.driver(X_PIGLET_FINGERPRINT=fingerprint) as (_, first):
        pass
    await site.until(fingerprint, lambda machine: machine.status is MachineStatus.DISCONNECTED)

    async with site.driver(X_PIGLET_FINGERPRINT=fingerprint, version="0.0.40") as (_, second):
        assert second.id == first.id
        assert (second.status, second.version) == (MachineStatus.CONNECTED, "0.0.40")


async def test_3_the_newest_connection_of_a_fingerprint_wins(site: Any) -> None:
    same = {"X_PIGLET_FINGERPRINT": str(uuid4())}

    async with site.driver(**same) as (older, machine), site.driver(**same) as (newer, _):
        await older.socket.wait_closed()
        answer = await site.ask(machine, CLICK)

        assert (older.socket.close_code, older.received) == (4001, [])
        assert older.socket.close_reason == "another driver with this machine's identity connected"
        assert isinstance(answer, DriverAnswer)
        assert len(newer.received) == 1
        assert (await site.machine(machine.fingerprint)).status is MachineStatus.CONNECTED


async def test_4_frames_of_two_requests_never_interleave(site: Any) -> None:
    body = b"x" * 700_000
    writes = [Question("POST", f"/computer/fs/write{number}", body=body) for number in range(6)]

    async with site.driver(version="1.0.2") as (driver, machine):
        await asyncio.gather(*(site.ask(machine, question) for question in writes))

        assert driver.bodies == [body] * 6


async def test_4_answers_find_their_requests_in_any_order(site: Any) -> None:
    async with site.driver(silence, version="1.0.2") as (driver, machine):
        questions = [Question("GET", f"/internal/{number}") for number in range(3)]
        asked = [asyncio.create_task(site.ask(machine, question)) for question in questions]
        await driver.receives(3)
        for meta in reversed(driver.received):
            await driver.answer(meta, (200, {}, meta["path"].encode()))
        answers = await asyncio.gather(*asked)

        assert [answer.body for answer in answers] == [b"/internal/0", b"/internal/1", b"/internal/2"]


async def test_4_whoever_waits_learns_that_the_socket_closed(site: Any) -> None:
    async def hang_up(meta: dict[str, Any], body: bytes) -> Spoken:
        await driver.socket.close()
        return 200, {}, b""

    async with site.driver(hang_up) as (driver, machine):
        first, second = await asyncio.gather(site.ask(machine, CLICK), site.ask(machine, SCREENSHOT))

        assert first == NoAnswer("the connection to the desktop broke", was_sent=True)
        assert second == NoAnswer("the connection to the desktop broke", was_sent=False)


@pytest.mark.parametrize(
    ("version", "headers", "most"),
    [("0.0.39", {}, 1), ("", {}, 1), ("1.0.2", {}, 4), ("2.0.0", {"X_Cyberdriver_Features": "key-hold"}, 12)],
)
async def test_5_as_many_in_flight_as_the_version_takes(
    site: Any, version: str, headers: dict[str, str], most: int
) -> None:
    async with site.driver(silence, version=version, **headers) as (driver, machine):
        asked = [asyncio.create_task(site.ask(machine, a_look(number))) for number in range(12)]
        for answered in range(12):
            await driver.receives(min(answered + most, 12))
            await driver.answer(driver.received[answered], (200, {}, b""))
        await asyncio.gather(*asked)


async def test_5_inputs_are_serialised_from_version_1_on(site: Any) -> None:
    async with site.driver(silence, version="1.0.2") as (driver, machine):
        asked = [asyncio.create_task(site.ask(machine, an_input(number))) for number in range(3)]
        for answered in range(3):
            await driver.receives(answered + 1)
            await driver.answer(driver.received[answered], (200, {}, b""))
        await asyncio.gather(*asked)


async def test_6_a_meta_holds_all_five_fields(site: Any) -> None:
    async with site.driver() as (driver, machine):
        await site.ask(machine, CLICK)
        await site.ask(machine, Question("GET", "/computer/fs/list", query="path=%2Ftmp"))

        click, listing = driver.received
        assert click == {
            "requestId": CLICK.request_id,
            "method": "POST",
            "path": "/computer/input/mouse/click",
            "query": "",
            "headers": {"content-type": "application/json", "x-idempotency-key": "run42-step7"},
        }
        assert (listing["query"], listing["headers"]) == ("path=%2Ftmp", {})


async def test_6_only_headers_that_a_driver_knows_are_forwarded(site: Any) -> None:
    headers = {"content-type": "application/json", "accept": "*/*", "if-none-match": '"1"'}

    async with site.driver() as (driver, machine):
        await site.ask(machine, Question("POST", "/internal/x", headers=headers, body=b"{}"))

        assert driver.received[0]["headers"] == {"content-type": "application/json"}


async def test_7_nulls_are_stripped(site: Any) -> None:
    body = b'{"x":1,"y":2,"button":null,"clicks":null}'

    async with site.driver() as (driver, machine):
        await site.ask(machine, Question("POST", "/computer/input/mouse/click", body=body))

        assert json.loads(driver.bodies[0]) == {"x": 1, "y": 2}


async def test_7_old_drivers_are_never_asked_to_hold_a_key(site: Any) -> None:
    hold = Question("POST", "/computer/input/keyboard/key", body=b'{"text":"ctrl","down":true}')

    async with site.driver(version="0.0.39") as (driver, machine):
        answer = await site.ask(machine, hold)

        assert isinstance(answer, DriverAnswer)
        assert (answer.status, driver.received) == (422, [])
        assert b"down" in answer.body


async def test_7_newer_drivers_hold_keys(site: Any) -> None:
    hold = Question("POST", "/computer/input/keyboard/key", body=b'{"text":"ctrl","down":true}')

    async with site.driver(version="1.0.2") as (driver, machine):
        await site.ask(machine, hold)

        assert json.loads(driver.bodies[0]) == {"text": "ctrl", "down": True}


async def test_7_a_command_always_has_a_timeout(site: Any) -> None:
    async with site.driver() as (driver, machine):
        command = Question("POST", "/computer/shell/powershell/exec", body=b'{"command":"dir"}')
        await site.ask(machine, command)

        assert json.loads(driver.bodies[0]) == {"command": "dir", "timeout": 30}


@pytest.mark.slow
async def test_8_an_answer_of_134_mb_in_one_frame_passes(site: Any) -> None:
    body = b"x" * 134_000_000

    async def read_file(meta: dict[str, Any], _: bytes) -> Spoken:
        return 200, {"CONTENT-Type": "application/json"}, body

    async with site.driver(read_file, version="1.0.2") as (driver, machine):
        driver.chunk_bytes = len(body)
        answer = await site.ask(machine, Question("GET", "/computer/fs/read", query="path=x"))

        assert isinstance(answer, DriverAnswer)
        assert answer.body == body


async def test_8_header_names_are_case_insensitive(site: Any) -> None:
    async def shout(meta: dict[str, Any], body: bytes) -> Spoken:
        return 200, {"CONTENT-TYPE": "image/png", "ETag": '"7"'}, b"png"

    async with site.driver(shout, x_piglet_hostname="lower-case") as (_, machine):
        answer = await site.ask(machine, SCREENSHOT)

        assert machine.hostname == "lower-case"
        assert answer == DriverAnswer(200, {"content-type": "image/png", "etag": '"7"'}, b"png")


async def test_9_bytes_and_faults_pass_through_with_the_drivers_words(site: Any) -> None:
    async def fault(meta: dict[str, Any], body: bytes) -> Spoken:
        return 500, {"content-type": "text/plain"}, b"ReadTimeout: the desktop hung"

    async with site.driver(fault) as (_, machine):
        answer = await site.ask(machine, SCREENSHOT)

        assert answer == DriverAnswer(500, {"content-type": "text/plain"}, b"ReadTimeout: the desktop hung")


async def test_10_nothing_is_sent_again_after_a_drop(site: Any) -> None:
    fingerprint = str(uuid4())
    async with site.driver(silence, X_PIGLET_FINGERPRINT=fingerprint) as (driver, machine):
        asked = asyncio.create_task(site.ask(machine, CLICK))
        await driver.receives(1)
        await driver.socket.close()
        await asked
    await site.until(fingerprint, lambda machine: machine.status is MachineStatus.DISCONNECTED)

    async with site.driver(X_PIGLET_FINGERPRINT=fingerprint) as (again, _):
        await site.ask(machine, SCREENSHOT)

        assert [meta["path"] for meta in again.received] == [SCREENSHOT.path]


async def test_10_a_restart_sends_drivers_away_for_a_second(site: Any) -> None:
    fingerprint = str(uuid4())
    async with site.driver(X_PIGLET_FINGERPRINT=fingerprint) as (driver, _):
        await site.gateway.close()
        with pytest.raises(ConnectionClosed):
            await driver.socket.recv()

        assert (driver.socket.close_code, driver.socket.close_reason) == (4008, "Wait 1 seconds")
        assert (await site.machine(fingerprint)).status is MachineStatus.DISCONNECTED
        with pytest.raises(InvalidStatus) as refusal:
            async with site.dial():
                pass
        assert refusal.value.response.status_code == 503
