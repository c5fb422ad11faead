"""A driver and a server on one loopback: joining, staying, coming back, ending."""

import asyncio
import json
import os
import ssl
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme
from cyberdesk_wire import Request, Response
from cyberdriver import __version__
from cyberdriver.backends.base import Point
from cyberdriver.backends.fake import Clicked, Typed
from cyberdriver.backends.keys import parse_keys
from cyberdriver.errors import KeyRefused, TurnedAway
from cyberdriver.rehearsal import ScriptedGateway, ScriptedTunnel, StagedMachine, until
from cyberdriver.testing import FakeBackend
from cyberdriver.tunnel import Greeting, link
from websockets.datastructures import Headers
from websockets.http11 import Response as Refusal

Join = Callable[..., "asyncio.Task[None]"]

CLICK = "/computer/input/mouse/click"
TYPE = "/computer/input/keyboard/type"


@pytest.fixture
async def tunnel(gateway: ScriptedGateway, join: Join) -> ScriptedTunnel:
    join()
    return await gateway.next_tunnel()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts are short."""
    monkeypatch.setattr("cyberdriver.tunnel.backoff.STEPS_SECONDS", (0.01,))


def refusal(status: int, **headers: str) -> Refusal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refusal(status, HTTPStatus(status).phrase, Headers(named | {"Content-Length": "0"}))


async def test_the_handshake_says_who_joins(gateway: ScriptedGateway, tunnel: ScriptedTunnel) -> None:
    headers = gateway.handshakes[0].headers

    assert gateway.handshakes[0].path == "/tunnel/ws"
    assert headers["Authorization"] == "Bearer ak_test"
    assert headers["X-PIGLET-FINGERPRINT"] == str(uuid.UUID(int=1))
    assert headers["X-PIGLET-VERSION"] == __version__
    assert headers["X-PIGLET-HOSTNAME"] == "host-1"
    assert headers["X-CYBERDRIVER-NAME"] == "front desk"
    assert headers["X-Cyberdriver-Features"] == "action-journal, conditional-screenshot, key-hold"
    assert "Sec-WebSocket-Extensions" not in headers
    assert "ak_test" not in repr(Greeting("ak_test", "1", "n", "h"))


async def test_a_request_is_answered(tunnel: ScriptedTunnel, backend: FakeBackend) -> None:
    click = await tunnel.ask("POST", CLICK, {"x": 3, "y": 4})
    screenshot = await tunnel.ask("GET", "/computer/display/screenshot")

    assert (click.status, click.body) == (200, b"{}")
    assert screenshot.body.startswith(b"\x89PNG")
    assert backend.inputs == [Clicked(Point(3, 4))]


async def test_pipelined_inputs_keep_their_order(tunnel: ScriptedTunnel, backend: FakeBackend) -> None:
    texts = [str(number) for number in range(60)]
    futures = [
        await tunnel.send(Request(text, "POST", TYPE, body=json.dumps({"text": text}).encode()))
        for text in texts
    ]

    await asyncio.gather(*futures)

    assert backend.inputs == [Typed(text) for text in texts]
    assert tunnel.order == texts


async def test_large_answers_are_not_mixed_up(tunnel: ScriptedTunnel, tmp_path: Path) -> None:
    contents = [os.urandom(700_000) for _ in range(4)]
    for number, content in enumerate(contents):
        (tmp_path / str(number)).write_bytes(content)

    answers = await asyncio.gather(
        *(tunnel.ask("GET", "/computer/fs/read", query=f"path={tmp_path}/{number}") for number in range(4)),
        *(tunnel.ask("POST", CLICK, {}) for _ in range(20)),
    )

    assert [answer.status for answer in answers] == [200] * 24
    assert [json.loads(answer.body)["size"] for answer in answers[:4]] == [700_000] * 4


async def test_a_ping_is_answered_while_commands_run(tunnel: ScriptedTunnel, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    command = json.dumps({"command": f"cat '{gate}'"}).encode()
    running = await tunnel.send(Request("1", "POST", "/computer/shell/powershell/exec", body=command))

    async with asyncio.timeout(20):
        await (await tunnel.socket.ping())
    position = await tunnel.ask("GET", "/computer/input/mouse/position")

    assert (position.status, running.done()) == (200, False)
    await asyncio.to_thread(gate.write_text, "go")
    assert json.loads((await running).body)["stdout"] == "go"


async def test_one_request_too_many_is_429(tunnel: ScriptedTunnel, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    command = json.dumps({"command": f"cat '{gate}'"}).encode()
    waiting = [
        await tunnel.send(Request(str(number), "POST", "/computer/shell/powershell/exec", body=command))
        for number in range(64)
    ]

    assert (await tunnel.ask("POST", CLICK, {})).status == 429

    for future in waiting:
        future.cancel()


@pytest.mark.parametrize(
    ("meta", "status"),
    [
        ('{"requestId":"1","method":"GET","path":"nowhere"}', 400),
        ('{"requestId":"1","method":"GET"}', 400),
        ('{"requestId":"1","method":"GET","path":"/x","headers":{"a":1}}', 400),
    ],
)
async def test_a_wrong_request_is_answered_and_the_tunnel_stands(
    tunnel: ScriptedTunnel, meta: str, status: int
) -> None:
    future = asyncio.get_running_loop().create_future()
    tunnel.waiting["1"] = future
    tunnel.side.send(Request("1", "GET", "/x"))
    await tunnel.socket.send("no json")
    await tunnel.socket.send(b"lost")
    await tunnel.socket.send(meta)

    async with asyncio.timeout(20):
        assert (await future).status == status
    assert (await tunnel.ask("POST", CLICK, {})).status == 200


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 4000, 4999])
async def test_a_closed_tunnel_is_joined_again(
    gateway: ScriptedGateway, tunnel: ScriptedTunnel, quick: None, code: int
) -> None:
    await tunnel.socket.close(code, "401 403")

    again = await gateway.next_tunnel()
    assert (await again.ask("POST", CLICK, {})).status == 200


async def test_a_dropped_line_is_joined_again_even_while_a_command_runs(
    gateway: ScriptedGateway, tunnel: ScriptedTunnel, quick: None
) -> None:
    sleeping = json.dumps({"command": "sleep 600"}).encode()
    await tunnel.send(Request("1", "POST", "/computer/shell/powershell/exec", body=sleeping))

    tunnel.socket.transport.abort()

    again = await gateway.next_tunnel()
    assert (await again.ask("POST", CLICK, {})).status == 200


async def test_4001_ends_for_good(gateway: ScriptedGateway, join: Join) -> None:
    joining = join()
    tunnel = await gateway.next_tunnel()

    await tunnel.socket.close(4001, "disabled")

    with pytest.raises(TurnedAway, match="disabled"):
        await joining


async def test_4008_waits_as_long_as_it_says(gateway: ScriptedGateway, tunnel: ScriptedTunnel) -> None:
    await tunnel.socket.close(4008, "Wait 0 seconds")

    await gateway.next_tunnel()


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_ends_for_good(gateway: ScriptedGateway, join: Join, status: int) -> None:
    gateway.refusals.append(refusal(status))

    with pytest.raises(KeyRefused, match=str(status)):
        await join()


@pytest.mark.parametrize("status", [404, 429, 500, 503])
async def test_other_answers_are_tried_again(
    gateway: ScriptedGateway, join: Join, quick: None, status: int
) -> None:
    gateway.refusals.append(refusal(status))
    join()

    await gateway.next_tunnel()

    assert len(gateway.handshakes) == 2


async def test_a_redirect_does_not_get_the_key(gateway: ScriptedGateway, join: Join, quick: None) -> None:
    elsewhere = ScriptedGateway()
    async with elsewhere.listen():
        gateway.refusals.append(refusal(307, Location=f"{elsewhere.url}/tunnel/ws"))
        join()
        await gateway.next_tunnel()

    assert elsewhere.handshakes == []


async def test_a_server_that_is_away_is_waited_for(
    gateway: ScriptedGateway, join: Join, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    away = ScriptedGateway()
    async with away.listen():
        port = away.port
    joining = join(url=f"http://127.0.0.1:{port}")
    await until(lambda: caplog.text.count("cannot connect") >= 2)

    async with away.listen(port):
        await away.next_tunnel()

    assert not joining.done()
    assert "ak_test" not in caplog.text


async def test_something_else_that_listens_is_waited_for(
    join: Join, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        joining = join(url=f"http://127.0.0.1:{port}")
        await until(lambda: "this is no tunnel" in caplog.text)

    assert not joining.done()


class Gate(FakeBackend):
    """Types when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def type_text(self, text: str) -> None:
        self.has_begun.set()
        self.may_end.wait(20)
        super().type_text(text)


async def test_an_action_whose_answer_was_lost_is_done_once(
    gateway: ScriptedGateway, join: Join, quick: None, make_machine: Callable[..., StagedMachine]
) -> None:
    gate = Gate()
    join(on=make_machine(backend=gate))
    tunnel = await gateway.next_tunnel()
    request = Request("1", "POST", TYPE, headers={"x-action-id": "7"}, body=b'{"text":"once"}')
    await tunnel.send(request)
    await asyncio.to_thread(gate.has_begun.wait, 20)

    tunnel.socket.transport.abort()
    again = await gateway.next_tunnel()
    resent = await again.send(request)
    gate.may_end.set()
    async with asyncio.timeout(20):
        first: Response = await resent
    third = await again.ask("POST", TYPE, {"text": "once"}, headers={"x-action-id": "8"})

    assert (first.status, third.status) == (200, 200)
    assert gate.inputs == [Typed("once"), Typed("once")]


async def test_inputs_that_waited_when_the_line_dropped_are_not_done(
    gateway: ScriptedGateway, join: Join, quick: None, make_machine: Callable[..., StagedMachine]
) -> None:
    gate = Gate()
    join(on=make_machine(backend=gate))
    tunnel = await gateway.next_tunnel()
    for text in ("begun", "waiting"):
        await tunnel.send(Request(text, "POST", TYPE, body=json.dumps({"text": text}).encode()))
    await asyncio.to_thread(gate.has_begun.wait, 20)

    tunnel.socket.transport.abort()
    again = await gateway.next_tunnel()
    gate.may_end.set()
    await again.ask("POST", TYPE, {"text": "next"})

    assert gate.inputs == [Typed("begun"), Typed("next")]


async def test_what_is_held_is_released_when_nobody_comes_back(
    gateway: ScriptedGateway,
    tunnel: ScriptedTunnel,
    backend: FakeBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(link, "HELD_SECONDS", 0.0)
    await tunnel.ask("POST", "/computer/input/keyboard/key", {"text": "shift", "down": True})
    assert backend.held == list(parse_keys("shift"))

    tunnel.socket.transport.abort()

    await until(lambda: not backend.held)


async def test_what_is_held_stays_held_over_a_quick_return(
    gateway: ScriptedGateway, tunnel: ScriptedTunnel, backend: FakeBackend, quick: None
) -> None:
    await tunnel.ask("POST", "/computer/input/keyboard/key", {"text": "shift", "down": True})

    tunnel.socket.transport.abort()
    await (await gateway.next_tunnel()).ask("POST", CLICK, {})

    assert backend.held == list(parse_keys("shift"))


async def test_a_goodbye_lets_the_current_input_finish(
    gateway: ScriptedGateway, join: Join, make_machine: Callable[..., StagedMachine]
) -> None:
    gate, stop = Gate(), asyncio.Event()
    machine = make_machine(backend=gate)
    joining = join(on=machine, stop=stop)
    tunnel = await gateway.next_tunnel()
    answer = await tunnel.send(Request("1", "POST", TYPE, body=b'{"text":"a"}'))
    waiting = await tunnel.send(Request("2", "POST", TYPE, body=b'{"text":"b"}'))
    await asyncio.to_thread(gate.has_begun.wait, 20)

    stop.set()
    await until(lambda: machine.dispatcher.is_ending)
    gate.may_end.set()
    async with asyncio.timeout(20):
        await joining
        await tunnel.socket.wait_closed()

    assert (await answer).status == 200
    assert waiting.cancelled()
    assert tunnel.socket.close_code == 1001
    assert gate.inputs == [Typed("a")]


async def test_a_driver_that_cannot_reach_its_server_ends_at_once(join: Join) -> None:
    stop = asyncio.Event()
    joining = join(url="http://127.0.0.1:1", stop=stop)
    await asyncio.sleep(0.05)

    stop.set()

    async with asyncio.timeout(20):
        await joining


@pytest.fixture
async def secure(gateway: ScriptedGateway) -> AsyncIterator[tuple[ScriptedGateway, trustme.CA]]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    secure = ScriptedGateway()
    async with secure.listen(trust=context):
        yield secure, authority


async def test_a_certificate_that_is_trusted_is_joined(
    secure: tuple[ScriptedGateway, trustme.CA], join: Join
) -> None:
    gateway, authority = secure
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    join(url=gateway.url, trust=trust)

    assert (await (await gateway.next_tunnel()).ask("POST", CLICK, {})).status == 200


async def test_a_certificate_of_a_stranger_gets_no_key(
    secure: tuple[ScriptedGateway, trustme.CA], join: Join, caplog: pytest.LogCaptureFixture
) -> None:
    gateway, _ = secure
    join(url=gateway.url)

    await until(lambda: "TLS failed" in caplog.text)

    assert gateway.handshakes == []
