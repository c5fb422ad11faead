"""What tests of the driver, and of programs that drive one, are made with.

`FakeBackend` is a desktop in memory. `RecordingTerminal` and `EventWindow` are real programs in a real
(virtual) desktop that write down what reaches them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from cyberdriver.backends.base import Point
from cyberdriver.backends.fake import (
    ButtonChanged,
    Clicked,
    Dragged,
    FakeBackend,
    Held,
    Input,
    Label,
    Moved,
    Pressed,
    PushButton,
    Scrolled,
    TextField,
    Typed,
    Widget,
)
from cyberdriver.backends.x11.barrier import focused_window
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.backends.x11.properties import read_property
from cyberdriver.desktop import Program, VirtualDesktop

__all__ = [
    "ButtonChanged",
    "Clicked",
    "Dragged",
    "EventWindow",
    "FakeBackend",
    "Held",
    "Input",
    "Label",
    "Moved",
    "Pressed",
    "PushButton",
    "RecordingTerminal",
    "Scrolled",
    "TextField",
    "Typed",
    "Widget",
    "eventually",
    "wait_for_window",
]

_Found = TypeVar("_Found")

_CORNER = Point(100, 100)
_CLIENT_BITS = 21
"""An X server numbers the windows of one program with the same upper bits."""


def eventually(look: Callable[[], _Found], *, timeout_seconds: float = 20.0) -> _Found:
    """The first answer that is true; the last one when none is in time, for an assertion to show."""
    deadline = time.monotonic() + timeout_seconds
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def programs_of(xauthority: Path) -> list[int]:
    """The process ids of the programs of the desktop with this file of cookies, its X server among them.

    Its display would say less: another desktop gets the number as soon as it is free.
    """
    entry = f"XAUTHORITY={xauthority}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if entry in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


class RecordingTerminal:
    """An xterm, as a context manager, whose program writes down every byte. It has the focus once entered.

    Entering raises `TimeoutError` when it does not open.
    """

    def __init__(self, desktop: VirtualDesktop, folder: Path, *, timeout_seconds: float = 20.0) -> None:
        self._desktop = desktop
        self._record = folder / "terminal-bytes"
        self._timeout_seconds = timeout_seconds
        self._program: Program | None = None

    def received(self, count: int) -> bytes:
        """All bytes so far, once there are `count`, or fewer after the timeout."""
        eventually(lambda: len(self._recorded()) >= count, timeout_seconds=self._timeout_seconds)
        return self._recorded()

    def _recorded(self) -> bytes:
        return self._record.read_bytes() if self._record.exists() else b""

    def __enter__(self) -> Self:
        command = ["xterm", "-u8", "-fn", "fixed", "-e", sys.executable, "-c", _TERMINAL_PROGRAM]
        self._program = self._desktop.run([*command, str(self._record)], environment={"LC_ALL": "C.UTF-8"})
        ready = _wait_for(self._record.with_suffix(".ready"), self._timeout_seconds)
        number = int(ready.read_text())
        _wait_until_active(
            self._desktop, lambda window: window.number == number, "xterm", self._timeout_seconds
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._program is not None:
            self._program.close()


class EventWindow:
    """A Tk window, as a context manager, that writes down what reaches it. It has the focus once entered.

    Each event is a line: `press 1 200 150`, `move 210 150`, `release 1 220 150` (button, pixel of the
    screen), `key Control_L` and `up Control_L` (keysym). Keys go to a text entry; its content is `text`.
    With a picture, a PNG, it has no frame and shows that at `corner` and nothing else.
    """

    def __init__(
        self,
        desktop: VirtualDesktop,
        folder: Path,
        *,
        corner: Point = _CORNER,
        text: str = "",
        picture: Path | None = None,
        timeout_seconds: float = 20.0,
    ) -> None:
        self._desktop = desktop
        self._record = folder / "window-events"
        self._arguments = [f"+{corner.x}+{corner.y}", text, str(picture or "")]
        self._timeout_seconds = timeout_seconds
        self._program: Program | None = None

    @property
    def lines(self) -> list[str]:
        """What happened until now, oldest first."""
        return self._record.read_text().splitlines()

    @property
    def text(self) -> str:
        """What is in the text entry."""
        return self._record.with_suffix(".text").read_text()

    def lines_until(self, last: str) -> list[str]:
        """All lines, once `last` is the last one, or those there are after the timeout."""
        eventually(lambda: self.lines[-1:] == [last], timeout_seconds=self._timeout_seconds)
        return self.lines

    def text_once(self, expected: str) -> str:
        """The text, once it is the expected one, or what there is after the timeout."""
        eventually(lambda: self.text == expected, timeout_seconds=self._timeout_seconds)
        return self.text

    def pause(self) -> None:
        """The program does nothing from now on, as one that is busy."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """The program goes on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._program is not None, "the window is not open"
        os.kill(self._program.pid, number)

    def __enter__(self) -> Self:
        command = [sys.executable, "-c", _WINDOW_PROGRAM, str(self._record), *self._arguments]
        self._program = self._desktop.run(command)
        _wait_for(self._record.with_suffix(".ready"), self._timeout_seconds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._program is not None:
            self._program.close()


def _wait_for(ready: Path, timeout_seconds: float) -> Path:
    if not eventually(ready.exists, timeout_seconds=timeout_seconds):
        raise TimeoutError(f"{ready.stem}: the program was not ready after {timeout_seconds:g} s")
    return ready


def wait_for_window(desktop: VirtualDesktop, title: str, *, timeout_seconds: float = 20.0) -> None:
    """A window with this title has the focus. Raises `TimeoutError` when none gets it."""
    _wait_until_active(desktop, lambda window: window.title == title, repr(title), timeout_seconds)


@dataclass(frozen=True, slots=True)
class _Window:
    number: int
    title: str


def _wait_until_active(
    desktop: VirtualDesktop, is_wanted: Callable[[_Window], bool], name: str, timeout_seconds: float
) -> None:
    with contextlib.closing(Connection(desktop.display, desktop.xauthority)) as connection:

        def is_active() -> bool:
            return is_wanted(_active_window(connection))

        if not eventually(is_active, timeout_seconds=timeout_seconds):
            raise TimeoutError(f"the window {name} did not get the focus in {timeout_seconds:g} s")


def _active_window(connection: Connection) -> _Window:
    """The window that has the focus; number 0 when there is none."""
    with connection.operation("window manager"):
        focus = focused_window(connection)
        active = connection.atom("_NET_ACTIVE_WINDOW")
        numbers = memoryview(read_property(connection, connection.root, active).content).cast("L").tolist()
        # The window manager's word alone may be old: programs get the numbers of those that ended earlier.
        if not numbers or numbers[0] >> _CLIENT_BITS != focus >> _CLIENT_BITS:
            return _Window(0, "")
        title = read_property(connection, numbers[0], connection.atom("_NET_WM_NAME")).content
        # The window may have gone in between.
        connection.forget_errors()
    return _Window(numbers[0], title.decode(errors="replace"))


_TERMINAL_PROGRAM = """
import os, sys, tty
from pathlib import Path

tty.setraw(0)
record = Path(sys.argv[1])
with record.open("wb", buffering=0) as file:
    incomplete = record.with_suffix(".incomplete")
    incomplete.write_text(os.environ["WINDOWID"])
    incomplete.rename(record.with_suffix(".ready"))
    while sent := os.read(0, 65536):
        file.write(sent)
"""

_WINDOW_PROGRAM = """
import sys, tkinter
from pathlib import Path

record, corner, text, picture = Path(sys.argv[1]), *sys.argv[2:]
window = tkinter.Tk()
lines = record.open("w", buffering=1)

def note(line):
    print(line, file=lines)

def save(*_):
    incomplete = record.with_suffix(".incomplete")
    incomplete.write_text(content.get())
    incomplete.rename(record.with_suffix(".text"))

def get_ready(_):
    record.with_suffix(".ready").touch()

if picture:
    window.overrideredirect(True)
    window.geometry(corner)
    image = tkinter.PhotoImage(file=picture)
    tkinter.Label(window, image=image, borderwidth=0, highlightthickness=0).pack()
    window.after(50, lambda: (window.update(), get_ready(None)))
else:
    window.geometry("400x300" + corner)
    content = tkinter.StringVar(value=text)
    content.trace_add("write", save)
    save()
    entry = tkinter.Entry(window, textvariable=content)
    entry.pack(side="bottom", fill="x")
    window.bind("<ButtonPress>", lambda e: note(f"press {e.num} {e.x_root} {e.y_root}"))
    window.bind("<ButtonRelease>", lambda e: note(f"release {e.num} {e.x_root} {e.y_root}"))
    window.bind("<Motion>", lambda e: note(f"move {e.x_root} {e.y_root}"))
    window.bind("<KeyPress>", lambda e: note(f"key {e.keysym}"))
    window.bind("<KeyRelease>", lambda e: note(f"up {e.keysym}"))
    entry.bind("<FocusIn>", get_ready)
    entry.focus_force()
window.mainloop()
"""
