"""An X server that refuses, is not there, or dies: errors with one line, and a process that lives on."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cyberdriver.backends.base import (
    Backend,
    Button,
    Direction,
    DisplayError,
    DisplayLost,
    NoDisplay,
    Point,
    Size,
)
from cyberdriver.backends.keys import parse_keys
from cyberdriver.backends.x11 import X11Backend, silence
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.desktop import VirtualDesktop, open_backend

CALLS: dict[str, Callable[[Backend], object]] = {
    "size": lambda backend: backend.size(),
    "capture": lambda backend: backend.capture(),
    "pointer": lambda backend: backend.pointer(),
    "move": lambda backend: backend.move(Point(1, 1)),
    "button": lambda backend: backend.button(Button.LEFT, True),
    "click": lambda backend: backend.click(Point(1, 1), Button.LEFT, 1),
    "drag": lambda backend: backend.drag(Point(1, 1), Point(9, 9), Button.LEFT, 0.0),
    "scroll": lambda backend: backend.scroll(Direction.UP, 1, None),
    "type_text": lambda backend: backend.type_text("aż漢"),
    "press": lambda backend: backend.press(parse_keys("ctrl+a")),
    "hold": lambda backend: backend.hold(parse_keys("ctrl")[0], True),
    "clipboard_text": lambda backend: backend.clipboard_text(0.0),
    "clear_clipboard": lambda backend: backend.clear_clipboard(),
}


@pytest.fixture
def short_lived() -> Iterator[VirtualDesktop]:
    with VirtualDesktop(Size(320, 240)) as desktop:
        yield desktop


def test_every_call_says_that_the_server_is_gone(short_lived: VirtualDesktop) -> None:
    # One backend for each call: each must notice for itself.
    backends = {name: short_lived.open_backend() for name in CALLS}
    for backend in backends.values():
        backend.capture()
        backend.type_text("ż")

    short_lived.close()

    for name, call in CALLS.items():
        with pytest.raises(DisplayLost, match=r"^[a-z ]+ failed: the X server is gone$"):
            call(backends[name])
        with pytest.raises(DisplayLost):
            call(backends[name])
        backends[name].close()


def test_a_server_that_dies_in_a_drag_ends_the_drag(
    short_lived: VirtualDesktop, let_sleep: Callable[..., None]
) -> None:
    let_sleep("pointer", lambda _: short_lived.close())

    with short_lived.open_backend() as backend, pytest.raises(DisplayLost):
        backend.drag(Point(1, 1), Point(100, 100), Button.LEFT, 1.0)


@pytest.mark.parametrize("name", ["click", "move", "size", "pointer", "capture", "type_text"])
def test_a_server_that_says_nothing_is_given_up(
    short_lived: VirtualDesktop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(silence, "ANSWER_SECONDS", 0.2)
    backend = short_lived.open_backend()
    with stopped(server_of(short_lived)):
        with pytest.raises(DisplayLost, match="failed: the X server has not answered for"):
            CALLS[name](backend)
        backend.close()
    with short_lived.open_backend() as another:
        CALLS[name](another)


def test_a_server_of_which_nothing_is_asked_may_be_silent(
    desktop: VirtualDesktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "ANSWER_SECONDS", 0.2)
    connection = Connection(desktop.display, desktop.xauthority)
    connection.sync()

    time.sleep(2 * silence.LOOK_SECONDS)

    with connection.operation("test"):
        assert connection.size() == desktop.size
    connection.close()


def test_a_closed_backend_says_so(desktop: VirtualDesktop) -> None:
    backend = desktop.open_backend()
    backend.close()
    backend.close()

    with pytest.raises(DisplayError, match="the backend is closed"):
        backend.capture()


def test_a_refused_request_is_an_error_and_the_next_one_works(desktop: VirtualDesktop) -> None:
    connection = Connection(desktop.display, desktop.xauthority)

    with (
        pytest.raises(DisplayError, match="test failed: the X server answered BadWindow"),
        connection.operation("test") as display,
    ):
        connection.lib.x11.XSelectInput(display, 0x1FFFFFFF, 0)
    with connection.operation("test"):
        size = connection.size()

    assert size == desktop.size
    connection.close()


def test_no_display_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoDisplay) as nowhere:
        open_backend(":65000")
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(NoDisplay) as unset:
        open_backend()

    assert str(nowhere.value) == "no X display: cannot open DISPLAY=:65000"
    assert str(unset.value) == "no X display: DISPLAY is not set"


def test_without_the_cookie_nobody_gets_in(
    desktop: VirtualDesktop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XAUTHORITY", str(tmp_path / "nothing"))

    with pytest.raises(NoDisplay):
        open_backend(desktop.display)


def test_a_process_that_ends_without_closing_leaves_no_shared_memory(desktop: VirtualDesktop) -> None:
    script = "import os; from cyberdriver.desktop import open_backend; open_backend().capture(); os._exit(0)"

    program = subprocess.Popen([sys.executable, "-c", script], env=desktop.environment)
    assert program.wait(timeout=30) == 0

    assert shared_memory_segments(program.pid) == {}


def test_shared_memory_is_marked_for_removal_while_it_is_used(x11: X11Backend) -> None:
    before = shared_memory_segments(os.getpid())

    x11.capture()

    new = shared_memory_segments(os.getpid()).items() - before.items()
    assert [is_marked for _, is_marked in new] == [True]


def server_of(desktop: VirtualDesktop) -> int:
    """The process id of the X server, as the kernel tells it to whoever connects."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"/tmp/.X11-unix/X{desktop.display.removeprefix(':')}")
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[0])


@contextmanager
def stopped(process_id: int) -> Iterator[None]:
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process_id, signal.SIGCONT)


def shared_memory_segments(process_id: int) -> dict[str, bool]:
    """The id of every segment this process has made, and whether it goes away with its last user."""
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return {row[1]: bool(int(row[2], 8) & 0o1000) for row in rows if int(row[4]) == process_id}
