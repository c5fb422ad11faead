"""Virtual desktops: they start, they run programs, and nothing of them stays."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cyberdriver.backends.base import Size
from cyberdriver.desktop import DesktopNotReady, MissingProgram, VirtualDesktop
from cyberdriver.testing import EventWindow, eventually, programs_of

SMALL = Size(320, 240)

HESITATING = """#!{python}
import os, subprocess, sys, time
at = sys.argv.index("-displayfd") + 1
told, (ours, its) = int(sys.argv[at]), os.pipe()
with subprocess.Popen([{xvfb!r}, *sys.argv[1:at], str(its), *sys.argv[at + 1:]], pass_fds=[its]) as server:
    os.close(its)
    number = open(ours).readline().strip()
    os.write(told, number.encode())
    time.sleep(0.2)
    try:
        os.write(told, b"\\n")
    except BrokenPipeError:
        server.kill()
"""
"""Xvfb, scheduled so that there is time between the two writes by which it tells its number."""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def group_of(leader: int) -> list[int]:
    """The processes that belong to a process group."""
    members = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == leader and fields[0] != "Z":
            members.append(int(status.parent.name))
    return members


def test_a_desktop_has_its_size_and_a_display_of_its_own() -> None:
    with VirtualDesktop(SMALL) as first, VirtualDesktop(SMALL) as second:
        with first.open_backend() as backend:
            size = backend.size()

        assert size == SMALL
        assert first.display != second.display


def test_the_cookie_is_there_for_libraries_that_look_for_this_host_and_display() -> None:
    host = socket.gethostname().encode()
    with VirtualDesktop(SMALL) as desktop:
        number = desktop.display.removeprefix(":").encode()
        entry = struct.pack(">HH", 0x0100, len(host)) + host + struct.pack(">H", len(number)) + number

        assert desktop.xauthority.read_bytes().count(entry) == 1


def test_programs_see_the_desktop_and_their_end_is_told(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with VirtualDesktop(SMALL) as desktop, output.open("wb") as file:
        program = desktop.run(
            ["sh", "-c", 'echo "$DISPLAY $GREETING"; exit 7'], environment={"GREETING": "hi"}, output=file
        )

        assert program.wait(30.0) == 7
        assert output.read_text() == f"{desktop.display} hi\n"


def test_the_window_manager_gives_windows_a_frame(tmp_path: Path) -> None:
    with VirtualDesktop(Size(640, 480)) as desktop, desktop.open_backend() as backend:
        empty = backend.capture()
        with EventWindow(desktop, tmp_path):
            framed = backend.capture()

    assert framed.version > empty.version


def test_a_closed_desktop_leaves_nothing() -> None:
    with VirtualDesktop(SMALL) as desktop:
        program = desktop.run(["sh", "-c", "sleep 1000 & sleep 1000"])
        folder = desktop.xauthority.parent
        children = eventually(lambda: len(group_of(program.pid)) >= 3 and group_of(program.pid))
        assert children

    assert not any(map(is_running, children))
    assert not folder.exists()


def test_a_program_that_ignores_the_request_to_end_is_made_to(tmp_path: Path) -> None:
    script = "trap '' TERM; touch \"$1\"; while :; do sleep 0.05; done"
    with VirtualDesktop(SMALL, grace_seconds=0.1) as desktop:
        program = desktop.run(["sh", "-c", script, "stubborn", str(tmp_path / "ready")])
        assert eventually((tmp_path / "ready").exists)

    assert program.exit_code == -signal.SIGKILL


def test_a_desktop_ends_with_a_driver_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import os, time
from pathlib import Path
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.backends.base import Size
with VirtualDesktop(Size(320, 240), grace_seconds=0.2) as desktop:
    program = desktop.run(["sleep", "1000"])
    incomplete = Path({str(tmp_path)!r}) / "incomplete"
    incomplete.write_text(f"{{program.pid}} {{desktop.xauthority}}")
    incomplete.rename(incomplete.with_name("ready"))
    time.sleep(1000)
"""
    driver = subprocess.Popen([sys.executable, "-c", script])
    try:
        assert eventually((tmp_path / "ready").exists)
        pid, xauthority = (tmp_path / "ready").read_text().split()
        assert int(pid) in programs_of(Path(xauthority))
    finally:
        driver.kill()
        driver.wait()

    assert eventually(lambda: not programs_of(Path(xauthority)))
    assert eventually(lambda: not Path(xauthority).parent.exists())


def test_no_other_process_is_touched() -> None:
    bystander = subprocess.Popen(["sleep", "1000"])
    try:
        with VirtualDesktop(SMALL) as desktop:
            desktop.run(["sleep", "1000"])

        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_missing_program_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Xvfb").symlink_to(shutil.which("Xvfb") or "")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingProgram) as missing, VirtualDesktop(SMALL):
        pass
    os.remove(tmp_path / "Xvfb")
    with pytest.raises(MissingProgram) as both, VirtualDesktop(SMALL):
        pass

    apt = "program not found: {0}; on Debian and Ubuntu: apt-get install {1}"
    assert str(missing.value) == apt.format("openbox", "openbox")
    assert str(both.value) == apt.format("Xvfb", "xvfb")


def test_a_screen_is_listened_to_until_it_has_told_its_whole_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Xvfb ends when nobody is there to read the rest, and the number is another server's by then."""
    hesitating = tmp_path / "Xvfb"
    hesitating.write_text(HESITATING.format(python=sys.executable, xvfb=shutil.which("Xvfb")))
    hesitating.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with VirtualDesktop(SMALL) as desktop, desktop.open_backend() as backend:
        time.sleep(0.4)
        assert backend.size() == SMALL


def test_an_unknown_program_is_named() -> None:
    with (
        VirtualDesktop(SMALL) as desktop,
        pytest.raises(MissingProgram, match="program not found: no-such-thing"),
    ):
        desktop.run(["no-such-thing"])


def test_a_screen_that_does_not_start_says_why() -> None:
    with pytest.raises(DesktopNotReady) as failure, VirtualDesktop(Size(0, 0)):
        pass

    assert str(failure.value).startswith("the virtual desktop did not start: Xvfb: ")
    assert "\n" not in str(failure.value)
