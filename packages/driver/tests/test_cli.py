"""The command line: every mistake one line and an exit code, and a whole driver on a virtual desktop."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from cyberdesk_wire import Request
from cyberdriver.cli import app
from cyberdriver.rehearsal import ScriptedGateway, until
from cyberdriver.testing import programs_of
from typer.testing import CliRunner
from websockets.datastructures import Headers
from websockets.http11 import Response as Refusal

HELP_EXAMPLES = ["join", "desktop", "identity", "check", "version"]


def run(*arguments: str, environment: dict[str, str] | None = None, text: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments, env=environment or {}, input=text)
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def _no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "CYBERDESK_AGENT_KEY", "CYBERDESK_SERVER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("command", HELP_EXAMPLES)
def test_every_command_has_an_example(command: str) -> None:
    code, output = run(command, "--help")

    assert code == 0
    assert "Example:" in output


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["join", "--server", "https://x"], 2, "no API key"),
        (["join", "--secret", "ak_1", "--server", "https://x"], 2, "--secret shows the key"),
        (["join", "--key-file", "/no/such"], 2, "--key-file /no/such"),
        (["join", "--key-stdin"], 2, "--server is missing"),
        (["join", "--key-stdin", "--server", "http://elsewhere.example"], 2, "--insecure"),
        (["join", "--key-stdin", "--server", "https://x", "--name", "ü"], 2, "--name"),
        (["join", "--key-stdin", "--server", "https://x", "--name", ""], 2, "--name"),
        (["join", "--key-stdin", "--server", "https://x"], 6, "DISPLAY is not set"),
        (["desktop", "--size", "big", "--", "xterm"], 2, "--size big"),
        (["desktop", "--size", "1x99999", "--", "xterm"], 2, "--size"),
        (["desktop", "--server", "https://x", "--", "xterm"], 2, "no API key"),
        (["desktop"], 2, "PROGRAM"),
    ],
)
def test_a_mistake_is_one_line_and_an_exit_code(
    tmp_path: Path, arguments: list[str], code: int, complaint: str
) -> None:
    arguments = [arguments[0], "--config-dir", str(tmp_path), *arguments[1:]]

    found, output = run(*arguments, text="ak_1\n")

    assert found == code
    assert complaint in output
    assert "Traceback" not in output
    assert "ak_1" not in output


def test_an_identity_is_printed_and_kept(tmp_path: Path) -> None:
    first = run("identity", "--config-dir", str(tmp_path))
    again = run("identity", "--config-dir", str(tmp_path))
    reset = run("identity", "--reset", "--config-dir", str(tmp_path))

    assert first == again
    assert first[0] == 0
    assert reset[1] != first[1]


def test_a_check_ends_with_0_where_a_desktop_can_be_made(tmp_path: Path) -> None:
    code, output = run("check", "--config-dir", str(tmp_path))

    assert code == 0
    assert "Xvfb" in output


def content(path: Path) -> str:
    return path.read_text() if path.exists() else ""


Start = Callable[..., Coroutine[Any, Any, asyncio.subprocess.Process]]


@pytest.fixture
async def start(gateway: ScriptedGateway, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts a real driver on a real virtual desktop that joins the gateway."""
    started: list[asyncio.subprocess.Process] = []

    async def begin(*program: str, key: str = "ak_test") -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cyberdriver", "desktop", "--size", "640x480", "--server", gateway.url),
            *("--config-dir", str(tmp_path / "config"), "--name", "virtual", "--", *program),
            env=os.environ | {"CYBERDESK_AGENT_KEY": key},
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest.mark.slow
async def test_a_desktop_joins_works_and_leaves_nothing(
    gateway: ScriptedGateway, start: Start, tmp_path: Path
) -> None:
    script = f"touch '{tmp_path}/shown'; read line; echo \"$line\" >'{tmp_path}/typed'; read more"
    driver = await start("xterm", "-wf", "-e", "sh", "-c", script)  # -wf: first the window, then the script
    tunnel = await gateway.next_tunnel()
    dimensions = await tunnel.ask("GET", "/computer/display/dimensions")
    await until((tmp_path / "shown").exists)
    await tunnel.ask("POST", "/computer/input/mouse/click", {"x": 320, "y": 240})

    await tunnel.ask("POST", "/computer/input/keyboard/type", {"text": "a<b ł€漢\n"})
    await until(lambda: content(tmp_path / "typed") != "")
    asked = {"command": "echo $XAUTHORITY"}
    answer = await tunnel.ask("POST", "/computer/shell/powershell/exec", asked)
    xauthority = Path(json.loads(answer.body)["stdout"].strip())
    assert programs_of(xauthority) != []
    driver.send_signal(signal.SIGTERM)
    _, errors = await driver.communicate()

    assert json.loads(dimensions.body) == {"width": 640, "height": 480}
    assert content(tmp_path / "typed") == "a<b ł€漢\n"
    assert (driver.returncode, tunnel.socket.close_code) == (0, 1001)
    assert programs_of(xauthority) == []
    assert not xauthority.parent.exists()
    assert b"ak_test" not in errors


@pytest.mark.slow
@pytest.mark.parametrize(("status", "exit_code"), [(0, 0), (7, 1)])
async def test_a_desktop_ends_with_its_program(
    gateway: ScriptedGateway, start: Start, tmp_path: Path, status: int, exit_code: int
) -> None:
    os.mkfifo(tmp_path / "gate")
    driver = await start("sh", "-c", f"read line <'{tmp_path}/gate'; exit {status}")
    tunnel = await gateway.next_tunnel()

    await asyncio.to_thread((tmp_path / "gate").write_text, "end\n")
    _, errors = await driver.communicate()

    assert driver.returncode == exit_code
    assert f"the program ended with {status}".encode() in errors
    await tunnel.socket.wait_closed()


@pytest.mark.slow
async def test_the_server_can_end_the_driver_and_gets_its_answer(
    gateway: ScriptedGateway, start: Start
) -> None:
    driver = await start("sleep", "600")
    tunnel = await gateway.next_tunnel()

    answer = await tunnel.ask("POST", "/internal/shutdown", {"reason": "maintenance"})
    _, errors = await driver.communicate()

    assert json.loads(answer.body)["status"] == "shutting_down"
    assert (driver.returncode, tunnel.socket.close_code) == (0, 1001)
    assert b"maintenance" in errors


@pytest.mark.slow
async def test_a_wrong_key_ends_the_desktop_with_one_line(gateway: ScriptedGateway, start: Start) -> None:
    gateway.refusals.append(Refusal(403, "Forbidden", Headers({"Content-Length": "0"})))

    driver = await start("sleep", "600")
    _, errors = await driver.communicate()

    assert driver.returncode == 3
    assert b"refused the API key (HTTP 403)" in errors
    assert b"Traceback" not in errors


@pytest.mark.slow
async def test_an_action_cut_off_by_a_kill_has_an_unknown_outcome(
    gateway: ScriptedGateway, start: Start
) -> None:
    drag = Request(
        "1",
        "POST",
        "/computer/input/mouse/drag",
        headers={"x-action-id": "7"},
        body=b'{"start_x":100,"start_y":100,"to_x":300,"to_y":100,"duration":30}',
    )
    driver = await start("sleep", "600")
    tunnel = await gateway.next_tunnel()
    done = await tunnel.ask(
        "POST", "/computer/input/mouse/move", {"x": 5, "y": 5}, headers={"x-action-id": "6"}
    )
    await tunnel.send(drag)

    async def is_dragging() -> bool:
        position = await tunnel.ask("GET", "/computer/input/mouse/position")
        return bool(json.loads(position.body)["x"] > 100)

    while not await is_dragging():
        pass
    driver.kill()
    await driver.communicate()
    await start("sleep", "600")
    tunnel = await gateway.next_tunnel()
    again = await (await tunnel.send(drag))
    move = await tunnel.ask(
        "POST", "/computer/input/mouse/move", {"x": 5, "y": 5}, headers={"x-action-id": "6"}
    )

    assert done.status == 200
    assert (again.status, json.loads(again.body)["outcome"]) == (409, "unknown")
    assert (move.status, move.header("x-action-replayed")) == (200, "true")


@pytest.mark.slow
async def test_a_second_driver_with_the_same_identity_is_refused(
    gateway: ScriptedGateway, start: Start
) -> None:
    await start("sleep", "600")
    await gateway.next_tunnel()

    second = await start("sleep", "600")
    _, errors = await second.communicate()

    assert second.returncode == 5
    assert b"another cyberdriver already runs" in errors
