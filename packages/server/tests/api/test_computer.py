"""A machine by hand, over HTTP: the real gateway, and behind it a real driver with a painted desktop."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.ids import MachineId, OrganizationId, ServerId
from cyberdesk_server.gateway import Gateway, TunnelWebSocketProtocol
from cyberdesk_server.testing.rows import HERE, a_machine
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases.keys import KeyUses
from cyberdriver.backends.base import Box, Button, Direction, Point, Size
from cyberdriver.backends.fake import (
    ButtonChanged,
    Clicked,
    Dragged,
    FakeBackend,
    Held,
    Moved,
    Pressed,
    Scrolled,
    TextField,
    Typed,
)
from cyberdriver.backends.keys import parse_keys
from cyberdriver.rehearsal import StagedMachine
from cyberdriver.settings import Allowed
from cyberdriver.tunnel import Greeting, Link, parse_address
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

KEY = {"Idempotency-Key": "k-1"}
FINGERPRINT = str(UUID(int=5))
FIELD = Box(100, 20, 300, 50)
CTRL_A = parse_keys("ctrl+a")[0]


class Front:
    """The machine at the front desk, and how a caller operates it."""

    def __init__(self, staged: StagedMachine, client: httpx.AsyncClient, machine_id: MachineId) -> None:
        self.staged = staged
        self.client = client
        self.id = machine_id

    @property
    def backend(self) -> FakeBackend:
        return self.staged.backend

    async def get(self, path: str, query: Any = None) -> httpx.Response:
        return await self.client.get(f"/v1/computer/{self.id}/{path}", params=query)

    async def post(
        self, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        return await self.client.post(f"/v1/computer/{self.id}/{path}", json=body, headers=headers)


@pytest.fixture
async def gateway_url(parts: Parts) -> AsyncIterator[str]:
    gateway = Gateway(HERE, parts.database, parts.bus, SystemClock(), KeyUses())
    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/tunnel/ws", gateway)]),
        ws=TunnelWebSocketProtocol,
        ws_per_message_deflate=False,
        log_config=None,
        lifespan="off",
    )
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(uvicorn.Server(config)._serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    await gateway.close()
    serving.cancel()  # uvicorn's own way out takes its time, test by test
    await asyncio.gather(serving, return_exceptions=True)
    listener.close()


@pytest.fixture
def allowed() -> Allowed:
    return Allowed()


@pytest.fixture
async def front(
    parts: Parts, client: httpx.AsyncClient, gateway_url: str, tmp_path: Path, allowed: Allowed
) -> AsyncIterator[Front]:
    folder = tmp_path / "driver"
    folder.mkdir()
    field = TextField("Name", FIELD, "Ada")
    staged = StagedMachine(folder, FakeBackend(Size(320, 200), [field]), allowed=allowed)
    greeting = Greeting("cd_own", FINGERPRINT, "front desk", "host")
    link = Link(parse_address(gateway_url), greeting, staged.dispatcher)
    stop = asyncio.Event()
    async with parts.bus.listen(MACHINES_FREE) as joinings:
        joining = asyncio.create_task(link.stay_joined(stop))
        await anext(joinings)
    [machine] = (await client.get("/v1/machines")).json()["items"]
    yield Front(staged, client, MachineId(UUID(machine["id"])))
    stop.set()
    await joining
    staged.close()


@pytest.mark.parametrize(
    ("path", "body", "done"),
    [
        ("mouse/move", {"x": 3, "y": 4}, Moved(Point(3, 4))),
        ("mouse/click", {"x": 3, "y": 4}, Clicked(Point(3, 4))),
        (
            "mouse/click",
            {"x": 3, "y": 4, "button": "right", "clicks": 2},
            Clicked(Point(3, 4), Button.RIGHT, 2),
        ),
        ("mouse/click", {"down": True}, ButtonChanged(Button.LEFT, True)),
        (
            "mouse/drag",
            {"start_x": 1, "start_y": 2, "to_x": 3, "to_y": 4, "duration": 0.5, "button": None},
            Dragged(Point(1, 2), Point(3, 4), Button.LEFT, 0.5),
        ),
        (
            "mouse/scroll",
            {"direction": "down", "amount": 3, "x": 5, "y": 6},
            Scrolled(Direction.DOWN, 3, Point(5, 6)),
        ),
        ("keyboard/type", {"text": "Łódź <€>"}, Typed("Łódź <€>")),
        ("keyboard/key", {"text": "ctrl+a"}, Pressed(CTRL_A)),
        ("keyboard/key", {"text": "ctrl+a", "down": True}, Held(CTRL_A, True)),
    ],
)
async def test_every_input_reaches_the_desktop(front: Front, path: str, body: Any, done: object) -> None:
    answer = await front.post(f"input/{path}", body)

    assert (answer.status_code, answer.content) == (204, b"")
    assert front.backend.inputs == [done]


async def test_a_screenshot_is_a_png_of_the_real_size(front: Front) -> None:
    answer = await front.get("display/screenshot")
    dimensions = await front.get("display/dimensions")

    assert answer.headers["content-type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG\r\n")
    assert int.from_bytes(answer.content[16:20]) == 320
    assert dimensions.json() == {"width": 320, "height": 200}


async def test_the_pointer_is_where_it_was_moved(front: Front) -> None:
    await front.post("input/mouse/move", {"x": 30, "y": 40})

    assert (await front.get("input/mouse/position")).json() == {"x": 30, "y": 40}


async def test_what_was_copied_comes_under_the_name_that_was_asked_for(front: Front) -> None:
    await front.post("input/mouse/click", {"x": 150, "y": 30})
    await front.post("input/keyboard/key", {"text": "ctrl+a"})

    answer = await front.post("copy_to_clipboard", {"text": "name"})

    assert (answer.status_code, answer.json()) == (200, {"name": "Ada"})


async def test_files_are_written_listed_and_read(front: Front) -> None:
    content = base64.b64encode(b"one").decode()

    written = await front.post("fs/write", {"path": "a b/Ł.txt", "content": content})
    longer = await front.post("fs/write", {"path": "a b/Ł.txt", "content": content, "mode": "append"})
    listed = (await front.get("fs/list", {"path": "a b"})).json()
    read = (await front.get("fs/read", {"path": "a b/Ł.txt"})).json()

    assert [written.json()["size"], longer.json()["size"]] == [3, 6]
    assert [entry["name"] for entry in listed["entries"]] == ["Ł.txt"]
    assert listed["items"] == listed["entries"]
    assert (base64.b64decode(read["content"]), read["size"]) == (b"oneone", 6)


async def test_the_shell_runs_commands_in_sessions(front: Front) -> None:
    session = (await front.post("shell/powershell/session", {"action": "create"})).json()["session_id"]
    await front.post("shell/powershell/exec", {"command": "x=7", "session_id": session})

    ran = await front.post(
        "shell/powershell/exec", {"command": "echo $x; echo oh >&2; exit 3", "session_id": session}
    )
    simple = await front.post("shell/powershell/simple")
    test = await front.post("shell/powershell/test")

    assert (ran.status_code, ran.json()["stdout"], ran.json()["stderr"].strip()) == (200, "\n", "oh")
    assert ran.json()["exit_code"] == 3
    assert [answer.json()["exit_code"] for answer in (simple, test)] == [0, 0]


async def test_the_driver_tells_about_itself_and_is_told(front: Front) -> None:
    diagnostics = await front.get("internal/diagnostics")
    told = [
        (await front.post(f"internal/keepalive/remote/{word}")).status_code
        for word in ("activity", "enable", "disable")
    ]
    update = await front.post("internal/update", {})

    assert diagnostics.json()["screen"] == "320x200"
    assert told == [204, 204, 204]
    assert front.staged.awake.told[-3:] == ["touch", "enable", "disable"]
    assert update.status_code == 501
    assert "package manager" in update.json()["detail"]


async def test_a_driver_is_asked_to_end(front: Front) -> None:
    address = f"/v1/machines/{front.id}/cyberdriver/shutdown"

    plain = await front.client.post(address)
    named = await front.client.post(address, json={"source": "test", "reason": None})

    assert plain.json()["status"] == "shutting_down"
    assert named.status_code == 200
    assert front.staged.shutdowns == ["cloud-api: user_disabled_machine", "test: user_disabled_machine"]


@pytest.mark.parametrize("allowed", [Allowed(shell=False, shutdown=False)])
async def test_what_the_owner_has_switched_off_is_forbidden(front: Front) -> None:
    ran = await front.post("shell/powershell/exec", {"command": "true"})
    ended = await front.client.post(f"/v1/machines/{front.id}/cyberdriver/shutdown")

    assert [ran.status_code, ended.status_code] == [403, 403]
    assert "shell is switched off" in ran.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "words"),
    [
        ("GET", "fs/read", {"path": "nowhere"}, 404, "nowhere"),
        ("GET", "fs/list", {"path": "nowhere"}, 404, "nowhere"),
        ("GET", "fs/read", {"path": "/"}, 400, "directory"),
        ("POST", "fs/write", {"path": "x", "content": "?"}, 422, "must be base64"),
        ("POST", "input/keyboard/key", {"text": "ctrl+nothing"}, 422, "nothing"),
        ("POST", "input/keyboard/type", {"text": ""}, 422, "must not be empty"),
        ("POST", "shell/powershell/session", {"action": "destroy"}, 422, "session_id"),
        (
            "POST",
            "shell/powershell/exec",
            {"command": "true", "working_directory": "/nowhere"},
            400,
            "nowhere",
        ),
    ],
)
async def test_what_the_driver_refuses_is_refused_in_its_words(
    front: Front, method: str, path: str, sent: dict[str, str], status: int, words: str
) -> None:
    answer = await (front.get(path, sent) if method == "GET" else front.post(path, sent))

    assert answer.status_code == status, answer.text
    assert words in answer.text
    if status == 422:
        assert answer.json()["detail"][0]["loc"][0] == "body"


async def test_a_lost_screen_is_not_the_callers_fault(front: Front) -> None:
    front.backend.lose()

    answer = await front.get("display/screenshot")

    assert answer.status_code == 503


async def test_under_one_key_the_desktop_is_touched_once(front: Front) -> None:
    """Invariant 5 for callers."""
    answers = [await front.post("input/keyboard/type", {"text": "x"}, KEY) for _ in range(3)]
    other = await front.post("input/keyboard/type", {"text": "y"}, KEY)

    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert answers[1].headers["idempotency-status"] == "replayed"
    assert other.status_code == 422
    assert front.backend.inputs == [Typed("x")]


async def test_a_request_whose_answer_was_lost_is_asked_for_again_and_done_once(
    front: Front, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 5 for callers: the driver's journal knows what the server never heard of."""
    ask = parts.bus.ask

    async def ask_and_lose(*arguments: Any, **options: Any) -> Any:
        await ask(*arguments, **options)
        raise OSError("the server dies here")

    with monkeypatch.context() as patched:
        patched.setattr(parts.bus, "ask", ask_and_lose)
        lost = await front.post("input/keyboard/type", {"text": "x"}, KEY)
    again = await front.post("input/keyboard/type", {"text": "x"}, KEY)

    assert [lost.status_code, again.status_code] == [500, 204]
    assert front.backend.inputs == [Typed("x")]


async def test_a_second_request_under_a_key_comes_back_later(front: Front, tmp_path: Path) -> None:
    command = {"command": f"until test -e {tmp_path}/go; do sleep 0.01; done", "same_session": False}
    first = asyncio.create_task(front.post("shell/powershell/exec", command, KEY))
    await asyncio.sleep(0.2)

    second = await front.post("shell/powershell/exec", command, KEY)
    (tmp_path / "go").touch()

    assert second.status_code == 409
    assert second.headers["idempotency-status"] == "in_progress"
    assert second.headers["retry-after"] == "1"
    assert (await first).json()["exit_code"] == 0


async def test_a_machine_that_has_gone_is_unavailable_for_now(
    client: httpx.AsyncClient, make: Callable[..., Awaitable[dict[str, Any]]]
) -> None:
    machine = await make("machines")
    address = f"/v1/computer/{machine['id']}"

    seen = await client.get(f"{address}/display/screenshot")
    clicked = await client.post(f"{address}/input/mouse/click", json={}, headers=KEY)

    assert [seen.status_code, clicked.status_code] == [503, 503]
    assert seen.json() == {"detail": "the machine has no live connection"}


async def test_a_machine_at_another_server_is_not_asked(client: httpx.AsyncClient, parts: Parts) -> None:
    """Another try may get to that server: nothing has happened."""
    async with parts.database.transaction() as conn:
        machine = await a_machine(conn, OrganizationId("org_own"), server_id=ServerId("elsewhere"))

    answer = await client.post(f"/v1/computer/{machine.id}/input/mouse/click", json={}, headers=KEY)

    assert answer.status_code == 503
    assert "connected to another server" in answer.json()["detail"]


async def test_a_malformed_id_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/computer/x/display/screenshot")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["path", "machine_id"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("input/mouse/click", {"x": 1}, "x and y"),
        ("input/mouse/click", {"x": 2**31, "y": 1}, "x"),
        ("input/mouse/click", {"button": "fourth"}, "button"),
        ("input/mouse/click", {"clicks": 4}, "clicks"),
        ("input/mouse/move", {"x": 1.5, "y": 1}, "x"),
        ("input/mouse/drag", {"start_x": 1, "start_y": 1, "to_x": 1}, "to_y"),
        ("input/mouse/drag", {"start_x": 1, "start_y": 1, "to_x": 1, "to_y": 1, "duration": 31}, "duration"),
        ("input/mouse/scroll", {"direction": "in", "amount": 1}, "direction"),
        ("input/mouse/scroll", {"direction": "up", "amount": -1}, "amount"),
        ("input/keyboard/type", {"text": "x" * 100_001}, "text"),
        ("fs/write", {"path": "x", "content": "", "mode": "cut"}, "mode"),
        ("shell/powershell/exec", {"command": "x", "timeout": 3601}, "timeout"),
        ("shell/powershell/session", {"action": "look"}, "action"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_is_done(
    front: Front, path: str, body: Any, field: str
) -> None:
    answer = await front.post(path, body)

    assert answer.status_code == 422
    [problem] = answer.json()["detail"]
    assert field in problem["loc"] or field in problem["msg"]
    assert front.backend.inputs == []
