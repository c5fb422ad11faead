"""The X11 desktop behind the `Backend` protocol."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from ctypes import byref, c_int
from pathlib import Path
from types import TracebackType
from typing import Self

from cyberdriver.backends.base import Box, Button, Direction, DisplayLost, Frame, NoDisplay, Point, Size
from cyberdriver.backends.keys import Chord
from cyberdriver.backends.x11.capture import Capture
from cyberdriver.backends.x11.clipboard import Clipboard
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.backends.x11.keyboard import Keyboard
from cyberdriver.backends.x11.pointer import Pointer, pointer_state


class X11Backend:
    """One X display, on three connections: one looks, one acts, one serves the clipboard.

    A long drag or a slow clipboard owner therefore never delays a capture. `display` is DISPLAY when it is
    None; `xauthority` is a cookie file other than the user's own. Raises `NoDisplay`.
    """

    name = "x11"

    def __init__(
        self, display: str | None = None, *, xauthority: Path | None = None, share_memory: bool = True
    ) -> None:
        with contextlib.ExitStack() as opened:

            def connect() -> Connection:
                connection = Connection(display, xauthority)
                opened.callback(connection.close)
                return connection

            self._lines = self._eyes, self._hands, clipboard = connect(), connect(), connect()
            _require_xtest(self._hands)
            self._capture = Capture(self._eyes, share_memory=share_memory)
            self._pointer = Pointer(self._hands)
            self._keyboard = Keyboard(self._hands)
            self._clipboard = Clipboard(clipboard)
            self._connections = opened.pop_all()

    @property
    def uses_shared_memory(self) -> bool:
        """Whether captures come through shared memory; not so on a remote display."""
        return self._capture.uses_shared_memory

    def size(self) -> Size:
        with self._eyes.operation("screen size"):
            return self._eyes.size()

    def capture(self, region: Box | None = None) -> Frame:
        return self._capture.frame(region)

    def pointer(self) -> Point:
        with self._eyes.operation("mouse position"):
            return pointer_state(self._eyes).at

    def move(self, to: Point) -> None:
        self._pointer.move(to)

    def button(self, button: Button, down: bool) -> None:
        self._pointer.button(button, down)

    def click(self, at: Point | None, button: Button, count: int) -> None:
        self._pointer.click(at, button, count)

    def drag(self, start: Point, end: Point, button: Button, duration_seconds: float) -> None:
        self._pointer.drag(start, end, button, duration_seconds)

    def scroll(self, direction: Direction, amount: int, at: Point | None) -> None:
        self._pointer.scroll(direction, amount, at)

    def type_text(self, text: str) -> None:
        self._pointer.wait_until_processed()
        self._keyboard.type_text(text)

    def press(self, chords: Sequence[Chord]) -> None:
        self._pointer.wait_until_processed()
        self._keyboard.press(chords)

    def hold(self, chord: Chord, down: bool) -> None:
        self._pointer.wait_until_processed()
        self._keyboard.hold(chord, down)

    def clipboard_text(self, timeout_seconds: float) -> str | None:
        return self._clipboard.text(timeout_seconds)

    def clear_clipboard(self) -> None:
        self._clipboard.clear()

    def close(self) -> None:
        if any(line.is_lost for line in self._lines):
            for line in self._lines:
                line.give_up()  # the others would wait as long for the same server
        with self._connections:
            give_back: list[Callable[[], None]] = [
                self._pointer.release,
                self._keyboard.release,
                self._capture.close,
            ]
            for step in give_back:
                # A screen that is gone holds nothing of ours any more.
                with contextlib.suppress(DisplayLost):
                    step()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _require_xtest(connection: Connection) -> None:
    numbers = [c_int() for _ in range(4)]
    with connection.operation("keyboard and mouse") as display:
        if not connection.lib.tst.XTestQueryExtension(display, *map(byref, numbers)):
            raise NoDisplay("X11", "the X server has no XTEST extension")
        # Input arrives even while a program holds the server for itself.
        connection.lib.tst.XTestGrabControl(display, 1)
