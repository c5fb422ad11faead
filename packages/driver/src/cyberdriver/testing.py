"""What tests of the driver, and of programs that drive one, are made with.

`FakeBackend` is a desktop in memory. `RecordingTerminal` and `EventWindow` are real programs in a real
(virtual) desktop that write down what reaches them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

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
]

_Found = TypeVar("_Found")


def eventually(look: Callable[[], _Found], *, timeout_seconds: float = 20.0) -> _Found:
    """The first answer that is true; the last one when none is in time, for an assertion to show."""
    deadline = time.monotonic() + timeout_seconds
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


class RecordingTerminal:
    """An xterm, as a context manager, whose program writes down every byte it is sent. It has the focus when entered.

    Raises `TimeoutError` when it does not open.
    """

    def __init__(self, desktop: VirtualDesktop, folder: Path, *, timeout_seconds: float = 20.0) -> None:
        self._desktop = desktop
        self._record = folder / "terminal-bytes"
        self._timeout_seconds = timeout_seconds
        self._program: Program | None = None

    def bytes(self, count: int) -> bytes:
        """All bytes, once there are so many, or fewer after the timeout."""
        eventually(lambda: len(self._recorded()) >= count, timeout_seconds=self._timeout_seconds)
        return self._recorded()

    def _recorded(self) -> bytes:
        return self._record.read_bytes() if self._record.exists() else b""

    def __enter__(self) -> Self:
        command = ["xterm", "-u8", "-fn", "fixed", "-xrm", "*.locale: UTF-8", "-e"]
        command += [sys.executable, "-c", _TERMINAL_PROGRAM, str(self._record)]
        self._program = self._desktop.run(command, environment={"LC_ALL": "C.UTF-8"})
        _wait_for_focus(self._record, self._timeout_seconds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._program is not None:
            self._program.close()


class EventWindow:
    """A Tk window, as a context manager, that writes down mouse and key events, one per line.

    Lines are `press 1 200 150`, `move 210 150`, `release 1 220 150` (button, pixel of the screen), `key
    Control_L` and `text hello` (all of its entry field, which has the focus). `x`, `y` is its corner on the
    screen.
    """

    def __init__(
        self,
        desktop: VirtualDesktop,
        folder: Path,
        *,
        x: int = 100,
        y: int = 100,
        text: str = "",
        picture: Path | None = None,
        timeout_seconds: float = 20.0,
    ) -> None:
        self._desktop = desktop
        self._record = folder / "window-events"
        self._arguments = [str(x), str(y), text, str(picture or "")]
        self._timeout_seconds = timeout_seconds
        self._program: Program | None = None

    def lines(self) -> list[str]:
        """What happened until now."""
        return self._record.read_text().splitlines() if self._record.exists() else []

    def lines_with(self, last: str) -> list[str]:
        """All lines, once one of them is `last`, or those there are after the timeout."""
        eventually(lambda: last in self.lines(), timeout_seconds=self._timeout_seconds)
        return self.lines()

    def __enter__(self) -> Self:
        command = [sys.executable, "-c", _WINDOW_PROGRAM, str(self._record), *self._arguments]
        self._program = self._desktop.run(command)
        _wait_for_focus(self._record, self._timeout_seconds)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._program is not None:
            self._program.close()


def _wait_for_focus(record: Path, timeout_seconds: float) -> None:
    ready = record.with_suffix(".ready")
    if not eventually(ready.exists, timeout_seconds=timeout_seconds):
        raise TimeoutError(f"{record.name}: the window did not get the focus in {timeout_seconds:g} s")


# xterm reports the focus (CSI ? 1004 h) as ESC [ I; a window that already has it when asked reports nothing,
# therefore the cursor position is asked for too and the report is waited for only a moment longer.
_TERMINAL_PROGRAM = """
import os, sys, tty
record = sys.argv[1]
tty.setraw(0)
os.write(1, b"\\x1b[?1004h")
seen = b""
while not seen.endswith(b"\\x1b[I"):
    seen += os.read(0, 4096)
os.write(1, b"\\x1b[?1004l")
with open(record, "wb", buffering=0) as file:
    open(record + ".ready", "w").close()
    while True:
        file.write(os.read(0, 65536))
"""

_WINDOW_PROGRAM = ""
