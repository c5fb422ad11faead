"""Commands tell what they printed and how they ended, sessions remember, and nothing runs past its limit."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyberdriver.commands.processes import MAX_OUTPUT_BYTES
from cyberdriver.commands.shells import MAX_SESSIONS, Shells
from cyberdriver.rehearsal import StagedMachine
from cyberdriver.settings import Allowed
from cyberdriver.testing import eventually

EXEC = "/computer/shell/powershell/exec"
SESSION = "/computer/shell/powershell/session"


async def run(machine: StagedMachine, command: str, **fields: object) -> dict[str, Any]:
    response = await machine.ask("POST", EXEC, {"command": command, **fields})
    assert response.status == 200, response.body
    return dict(json.loads(response.body))


async def test_output_and_exit_code_are_told(machine: StagedMachine) -> None:
    answer = await run(machine, "echo out; echo err >&2; exit 3", session_id="s")

    assert answer == {"stdout": "out\n", "stderr": "err\n", "exit_code": 3, "session_id": "s"}


async def test_blank_lines_and_strange_bytes_survive(machine: StagedMachine) -> None:
    answer = await run(machine, r"printf 'a\n\n\nb ł \377'")

    assert answer["stdout"] == "a\n\n\nb ł \ufffd"


async def test_a_signal_is_an_exit_code(machine: StagedMachine) -> None:
    assert (await run(machine, "kill -9 $$"))["exit_code"] == 137


async def test_a_syntax_error_is_the_commands_own(machine: StagedMachine) -> None:
    answer = await run(machine, "echo 'unclosed; )")

    assert answer["exit_code"] == 2
    assert "syntax" in answer["stderr"].lower() or "unterminated" in answer["stderr"].lower()


async def test_a_session_keeps_folder_and_environment(machine: StagedMachine, tmp_path: Path) -> None:
    await run(machine, f"cd '{tmp_path}'; export GREETING='it'\"'\"'s ł'; exit 1")

    assert (await run(machine, 'pwd; echo "$GREETING"'))["stdout"] == f"{tmp_path}\nit's ł\n"


async def test_sessions_do_not_share(machine: StagedMachine) -> None:
    await run(machine, "export A=1", session_id="one")

    assert (await run(machine, "echo ${A-unset}", session_id="two"))["stdout"] == "unset\n"
    assert (await run(machine, "echo ${A-unset}", session_id="one"))["stdout"] == "1\n"


async def test_without_a_session_nothing_is_kept(machine: StagedMachine) -> None:
    await run(machine, "export A=1")

    assert (await run(machine, "echo ${A-unset}", same_session=False))["stdout"] == "unset\n"


async def test_a_command_starts_where_it_is_told(machine: StagedMachine, tmp_path: Path) -> None:
    assert (await run(machine, "pwd", working_directory=str(tmp_path)))["stdout"] == f"{tmp_path}\n"
    response = await machine.ask("POST", EXEC, {"command": "pwd", "working_directory": "/no/such"})
    assert response.status == 400


async def test_a_session_whose_folder_is_gone_goes_home(machine: StagedMachine, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    await run(machine, f"cd '{tmp_path}/gone'; rmdir '{tmp_path}/gone'")

    assert (await run(machine, "pwd"))["stdout"] == f"{Path.home()}\n"


async def test_after_the_time_limit_the_whole_group_is_gone_and_its_output_kept(
    machine: StagedMachine, tmp_path: Path
) -> None:
    command = f"echo first; sh -c 'echo $$ >{tmp_path}/pid; exec sleep 600' & wait"

    answer = await run(machine, command, timeout=1)

    assert answer | {"session_id": ""} == {
        "stdout": "first\n",
        "stderr": "",
        "exit_code": 124,
        "timeout_reached": True,
        "session_id": "",
    }
    pid = int((tmp_path / "pid").read_text())
    # It was killed with its shell, whose end alone is waited for; the kernel takes its own time.
    assert await asyncio.to_thread(eventually, lambda: not is_running(pid))


async def test_a_program_left_in_the_background_lives_on(machine: StagedMachine, tmp_path: Path) -> None:
    answer = await run(machine, "sleep 600 & echo $!")

    pid = int(answer["stdout"])
    assert answer["exit_code"] == 0
    assert is_running(pid)
    os.kill(pid, 9)


async def test_too_much_output_is_cut_in_the_middle(machine: StagedMachine) -> None:
    answer = await run(machine, "echo begin; head -c 300000 /dev/zero | tr '\\0' x; echo; echo end")

    assert answer["stdout"].startswith("begin\nxxx")
    assert answer["stdout"].endswith("xxx\nend\n")
    assert "bytes left out" in answer["stdout"]
    assert len(answer["stdout"]) < MAX_OUTPUT_BYTES + 100


async def test_no_command_sees_the_frame_around_it(machine: StagedMachine) -> None:
    first = await run(machine, "env | grep -c __CYBERDRIVER; true")
    second = await run(machine, "env | grep -c __CYBERDRIVER; true")

    assert first["stdout"] == second["stdout"] == "0\n"


async def test_sessions_are_made_and_forgotten(machine: StagedMachine) -> None:
    created = json.loads((await machine.ask("POST", SESSION, {"action": "create"})).body)["session_id"]
    await run(machine, "export A=1", session_id=created)

    destroyed = await machine.ask("POST", SESSION, {"action": "destroy", "session_id": created})
    again = await machine.ask("POST", SESSION, {"action": "destroy", "session_id": created})

    assert (destroyed.status, again.status) == (200, 404)
    assert (await run(machine, "echo ${A-unset}", session_id=created))["stdout"] == "unset\n"


def test_what_a_killed_driver_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "shells"
    Shells("sh", folder=folder).create("s")
    assert len(list(folder.iterdir())) == 1

    Shells("sh", folder=folder)

    assert list(folder.iterdir()) == []


async def test_too_many_sessions_forget_the_oldest(machine: StagedMachine) -> None:
    await run(machine, "export A=1", session_id="oldest")
    for number in range(MAX_SESSIONS):
        machine.desk.shells.create(str(number))

    assert (await run(machine, "echo ${A-unset}", session_id="oldest"))["stdout"] == "unset\n"


@pytest.mark.parametrize("path", ["simple", "test"])
async def test_the_smoke_tests_answer(machine: StagedMachine, path: str) -> None:
    answer = json.loads((await machine.ask("POST", f"/computer/shell/powershell/{path}")).body)

    assert (answer["stdout"], answer["exit_code"]) == ("Hello from cyberdriver\n", 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "command"),
        ({"command": ""}, "command"),
        ({"command": "a\0b"}, "command"),
        ({"command": "x" * 40_000}, "command"),
        ({"command": "true", "timeout": "30"}, "timeout"),
        ({"command": "true", "timeout": 0}, "timeout"),
        ({"command": "true", "timeout": 1e9}, "timeout"),
        ({"command": "true", "session_id": 1}, "session_id"),
        ({"command": "true", "same_session": 1}, "same_session"),
    ],
)
async def test_a_wrong_field_is_named(machine: StagedMachine, body: object, field: str) -> None:
    response = await machine.ask("POST", EXEC, body)

    assert response.status == 422
    assert json.loads(response.body)["detail"][0]["loc"] == ["body", field]


async def test_a_slow_command_holds_up_nothing_else(machine: StagedMachine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = asyncio.create_task(run(machine, f"cat '{gate}'"))

    position = await machine.ask("GET", "/computer/input/mouse/position")
    other = await run(machine, "echo other", session_id="other")

    assert (position.status, other["stdout"], slow.done()) == (200, "other\n", False)
    await asyncio.to_thread(gate.write_text, "go")
    assert (await slow)["stdout"] == "go"


async def test_the_owner_can_switch_it_off(make_machine: Callable[..., StagedMachine]) -> None:
    machine = make_machine(allowed=Allowed(shell=False))

    response = await machine.ask("POST", EXEC, {"command": "true"})

    assert response.status == 403
    assert b"allow.shell" in response.body


async def test_ending_kills_what_runs(make_machine: Callable[..., StagedMachine], tmp_path: Path) -> None:
    machine = make_machine()
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    running = asyncio.create_task(run(machine, f"echo up >'{ready}'; sleep 600"))
    await asyncio.to_thread(ready.read_text)

    assert await asyncio.to_thread(machine.dispatcher.close, 20)

    assert (await running)["exit_code"] == 137


def is_running(pid: int) -> bool:
    """Whether the process still does something; a zombie nobody waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_only_named_commands_run_whatever_the_server_asks_for(
    make_machine: Callable[..., StagedMachine], tmp_path: Path
) -> None:
    machine = make_machine(allowed=Allowed(shell_commands=("echo *",)))

    named = await machine.ask("POST", EXEC, {"command": "echo yes"})
    joined = await machine.ask("POST", EXEC, {"command": f"echo yes; touch {tmp_path}/smuggled"})

    assert (named.status, joined.status) == (200, 403)
    assert b"allow.shell_commands" in joined.body
    assert not (tmp_path / "smuggled").exists()
