"""One connection to an X server, on which failures are exceptions and never the end of the process.

Xlib reports errors through two handlers per process: a request that was refused arrives some time after
it was sent, and a server that died makes Xlib call `exit`. Here both become facts of the connection they
belong to, and `Connection.operation` raises them where the request was made. A server that is there and says
nothing is lost too, after a while (see `silence`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import threading
import time
from collections.abc import Iterator
from ctypes import byref, c_int, c_uint, c_ulong, c_void_p
from dataclasses import dataclass, field
from pathlib import Path

from cyberdriver.backends.base import DisplayError, DisplayLost, NoDisplay, Size
from cyberdriver.backends.x11 import _xlib
from cyberdriver.backends.x11.authority import cookie_in
from cyberdriver.backends.x11.silence import ANSWER_SECONDS, Patience

_opening = threading.Lock()


@dataclass(slots=True)
class _Trouble:
    """What the handlers noted about one connection."""

    errors: list[tuple[int, int]] = field(default_factory=list)  # error code, request code
    is_lost: bool = False


_troubles: dict[int, _Trouble] = {}


def _note_error(display: int, event: ctypes._Pointer[_xlib.XErrorEvent]) -> int:
    if trouble := _troubles.get(display):
        trouble.errors.append((event.contents.error_code, event.contents.request_code))
    return 0


def _note_loss(display: int) -> int:
    if trouble := _troubles.get(display):
        trouble.is_lost = True
    return 0


def _stay_alive(_display: int, _data: int | None) -> None:
    """Xlib calls this in the place of `exit`."""


# Xlib keeps only their addresses.
_on_error = _xlib.ErrorHandler(_note_error)
_on_loss = _xlib.LossHandler(_note_loss)
_on_exit = _xlib.ExitHandler(_stay_alive)


class Connection:
    """A connection for one concern. Its lock lets one thread at a time into an `operation`."""

    def __init__(self, display: str | None, xauthority: Path | None = None) -> None:
        self.lib = _xlib.libraries()
        self._lock = threading.RLock()
        self._is_closed = False
        self.pointer = self._open(display, xauthority)
        self._trouble = _troubles[self.pointer]
        self.screen: int = self.lib.x11.XDefaultScreen(self.pointer)
        self.root: int = self.lib.x11.XDefaultRootWindow(self.pointer)
        self._atoms: dict[str, int] = {}
        self._patience = Patience(self.lib.x11.XConnectionNumber(self.pointer))

    def _open(self, display: str | None, xauthority: Path | None) -> int:
        name = display or os.environ.get("DISPLAY", "")
        if not name:
            raise NoDisplay(None)
        x11 = self.lib.x11
        with _opening:
            cookie = cookie_in(xauthority) if xauthority else None
            if cookie:
                x11.XSetAuthorization(cookie.name, len(cookie.name), cookie.data, len(cookie.data))
            try:
                pointer: int | None = x11.XOpenDisplay(name.encode())
            finally:
                if cookie:
                    x11.XSetAuthorization(None, 0, None, 0)
            if not pointer:
                raise NoDisplay(name)
            _troubles[pointer] = _Trouble()
            # Set at every opening: another library of the process may have replaced them meanwhile.
            x11.XSetErrorHandler(_on_error)
            x11.XSetIOErrorHandler(_on_loss)
            set_exit_handler = getattr(x11, "XSetIOErrorExitHandler", None)  # libX11 1.7 and newer
            if set_exit_handler is not None:
                set_exit_handler.argtypes = [c_void_p, _xlib.ExitHandler, c_void_p]
                set_exit_handler.restype = None
                set_exit_handler(pointer, _on_exit, None)
        return pointer

    @contextlib.contextmanager
    def operation(self, name: str) -> Iterator[int]:
        """A group of requests: sent, waited for, and raised as `DisplayError` if one of them was refused.

        `name` is the operation in the words of the user. Yields the `Display*`.
        """
        with self._lock, self._patience:
            self._check(name)
            try:
                yield self.pointer
            except DisplayError:
                self._check(name)  # what a lost server seemed to say means nothing
                raise
            if not self._trouble.is_lost:
                self.sync()
            self._check(name)

    def sync(self) -> None:
        """Inside an operation: the server has done all it was asked so far."""
        self.lib.x11.XSync(self.pointer, 0)
        self._patience.renew()

    def _check(self, name: str) -> None:
        if self._is_closed:
            raise DisplayLost(name, "the backend is closed")
        if self._trouble.is_lost:
            silence = f"the X server has not answered for {ANSWER_SECONDS:g} s"
            raise DisplayLost(name, silence if self._patience.is_over else "the X server is gone")
        if self._trouble.errors:
            code, request = self._trouble.errors[0]
            self._trouble.errors.clear()
            raise DisplayError(name, f"the X server answered {self._error_text(code)} to request {request}")

    def _error_text(self, code: int) -> str:
        text = _xlib.c_buffer(128)
        self.lib.x11.XGetErrorText(self.pointer, code, text, len(text))
        return text.value.decode(errors="replace")

    @property
    def is_lost(self) -> bool:
        """Whether the X server went away."""
        return self._trouble.is_lost

    def give_up(self) -> None:
        """Nothing more is said to the X server, and nothing expected from it: it counts as gone."""
        self._trouble.is_lost = True

    def forget_errors(self) -> bool:
        """Inside an operation: whether something sent so far was refused, which is then forgotten."""
        self.sync()
        had_errors = bool(self._trouble.errors)
        self._trouble.errors.clear()
        return had_errors

    def forget_events(self) -> None:
        """Inside an operation: the events that wait are dropped."""
        event = _xlib.XEvent()
        while not self.is_lost and self.lib.x11.XPending(self.pointer):
            self.lib.x11.XNextEvent(self.pointer, byref(event))

    def size(self) -> Size:
        """Inside an operation: the size of the root window now."""
        root, x, y = c_ulong(), c_int(), c_int()
        width, height, border, depth = c_uint(), c_uint(), c_uint(), c_uint()
        self.lib.x11.XGetGeometry(
            self.pointer,
            self.root,
            byref(root),
            byref(x),
            byref(y),
            byref(width),
            byref(height),
            byref(border),
            byref(depth),
        )
        return Size(width.value, height.value)

    def atom(self, name: str) -> int:
        """Inside an operation: the number of a name, asked for once."""
        if name not in self._atoms:
            self._atoms[name] = self.lib.x11.XInternAtom(self.pointer, name.encode(), 0)
        return self._atoms[name]

    def wait_for_event(self, deadline: float) -> _xlib.XEvent | None:
        """Inside an operation: the next event, or None at the deadline (`time.monotonic`) or after a loss."""
        x11 = self.lib.x11
        while not self._trouble.is_lost:
            if x11.XPending(self.pointer):
                event = _xlib.XEvent()
                x11.XNextEvent(self.pointer, byref(event))
                return event
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._trouble.is_lost:
                break
            readable = select.poll()
            readable.register(x11.XConnectionNumber(self.pointer), select.POLLIN)
            readable.poll(remaining * 1000)
            self._patience.renew()
        return None

    def close(self) -> None:
        """The connection ends; after a loss only its socket does, because Xlib's state is undefined then."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            with _opening:
                if self._trouble.is_lost:
                    with contextlib.suppress(OSError):
                        os.close(self.lib.x11.XConnectionNumber(self.pointer))
                else:
                    with self._patience:
                        self.lib.x11.XCloseDisplay(self.pointer)
                _troubles.pop(self.pointer, None)
