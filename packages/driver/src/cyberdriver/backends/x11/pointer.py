"""The mouse of an X screen, through XTEST."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from ctypes import byref, c_int, c_uint, c_ulong
from dataclasses import dataclass
from typing import assert_never

from cyberdriver.backends.base import Button, Direction, Point
from cyberdriver.backends.motion import drag_path
from cyberdriver.backends.x11.connection import Connection

_ANY_SCREEN = -1
_FIRST_BUTTON_MASK = 1 << 8
_BUTTON_MASKS = 0b111 << 8
_WINDOW_MANAGER_SECONDS = 1.0
"""How long a window manager may hold a click before we go on without it."""
_LOOK_AGAIN_SECONDS = 0.0002


class Pointer:
    """Moves and presses. The caller puts the calls in order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._down: set[Button] = set()
        self._may_be_held = False

    def move(self, to: Point) -> None:
        """The pointer jumps."""
        with self._connection.operation("mouse move"):
            self._motion(to)

    def button(self, button: Button, down: bool) -> None:
        """A button goes down or up."""
        with self._connection.operation("mouse button"):
            self._press(button, down)

    def click(self, at: Point | None, button: Button, count: int) -> None:
        """Full clicks."""
        with self._connection.operation("mouse click"):
            if at is not None:
                self._motion(at)
            for _ in range(count):
                self._press(button, True)
                self._press(button, False)

    def drag(self, start: Point, end: Point, button: Button, duration_seconds: float) -> None:
        """A drag; the connection is free for others between two steps."""
        self.move(start)
        self.button(button, True)
        try:
            began = time.monotonic()
            for step in drag_path(start, end, duration_seconds):
                time.sleep(max(0.0, began + step.after_seconds - time.monotonic()))
                self.move(step.to)
                # A window manager that holds the press would let go of all steps at once, as a jump.
                self._wait_until_let_go(functools.partial(_is_at, step.to))
        finally:
            self.button(button, False)

    def scroll(self, direction: Direction, amount: int, at: Point | None) -> None:
        """Notches of the wheel."""
        number = _wheel(direction)
        with self._connection.operation("mouse scroll") as display:
            if at is not None:
                self._motion(at)
            for _ in range(amount):
                self._connection.lib.tst.XTestFakeButtonEvent(display, number, 1, 0)
                self._connection.lib.tst.XTestFakeButtonEvent(display, number, 0, 0)

    def release(self) -> None:
        """Buttons that are still down go up."""
        with self._connection.operation("mouse button"):
            for button in tuple(self._down):
                self._press(button, False)

    def wait_until_processed(self) -> None:
        """All presses and releases so far have passed the window manager.

        A click-to-focus window manager holds the pointer at each press until it has moved the focus. Keys are
        not held: without this wait, text typed after a click into a window would go to the one before.
        """
        down = sum(_FIRST_BUTTON_MASK << (_number(button) - 1) for button in self._down)
        self._wait_until_let_go(lambda state: state.mask & _BUTTON_MASKS == down)

    def _wait_until_let_go(self, is_let_go: Callable[[PointerState], bool]) -> None:
        """The pointer shows what we did with it last, or the window manager has held it for too long."""
        if not self._may_be_held:
            return
        deadline = time.monotonic() + _WINDOW_MANAGER_SECONDS
        with self._connection.operation("mouse button"):
            while not is_let_go(pointer_state(self._connection)) and not self._connection.is_lost:
                if time.monotonic() > deadline:
                    break
                time.sleep(_LOOK_AGAIN_SECONDS)
        self._may_be_held = False

    def _motion(self, to: Point) -> None:
        # The server keeps the pointer on the screen; the protocol carries 16 bits.
        connection = self._connection
        x, y = min(max(to.x, 0), 0x7FFF), min(max(to.y, 0), 0x7FFF)
        connection.lib.tst.XTestFakeMotionEvent(connection.pointer, _ANY_SCREEN, x, y, 0)

    def _press(self, button: Button, down: bool) -> None:
        connection = self._connection
        connection.lib.tst.XTestFakeButtonEvent(connection.pointer, _number(button), int(down), 0)
        (self._down.add if down else self._down.discard)(button)
        self._may_be_held = True


@dataclass(frozen=True, slots=True)
class PointerState:
    """Where the pointer is, and which buttons (and modifiers) are down, as X masks."""

    at: Point
    mask: int


def pointer_state(connection: Connection) -> PointerState:
    """Inside an operation: the pointer, as far as the server has processed its events."""
    root, child = c_ulong(), c_ulong()
    x, y, window_x, window_y, mask = c_int(), c_int(), c_int(), c_int(), c_uint()
    connection.lib.x11.XQueryPointer(
        connection.pointer,
        connection.root,
        byref(root),
        byref(child),
        byref(x),
        byref(y),
        byref(window_x),
        byref(window_y),
        byref(mask),
    )
    return PointerState(Point(x.value, y.value), mask.value)


def _is_at(point: Point, state: PointerState) -> bool:
    return state.at == point


def _number(button: Button) -> int:
    match button:
        case Button.LEFT:
            return 1
        case Button.MIDDLE:
            return 2
        case Button.RIGHT:
            return 3
        case _:
            assert_never(button)


def _wheel(direction: Direction) -> int:
    match direction:
        case Direction.UP:
            return 4
        case Direction.DOWN:
            return 5
        case Direction.LEFT:
            return 6
        case Direction.RIGHT:
            return 7
        case _:
            assert_never(direction)
