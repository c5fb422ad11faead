"""An end to waiting for an X server that is there and says nothing: Xlib itself would wait for ever.

One thread of the process looks once a second. It cuts the connection of an operation that has heard nothing
for too long, which Xlib then takes for the loss of the server.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from types import TracebackType

ANSWER_SECONDS = 10.0
"""How long an X server may take to say that it has done what it was asked."""

LOOK_SECONDS = 1.0


class Patience:
    """Of one connection, around its operations: `with patience: …`."""

    def __init__(self, descriptor: int) -> None:
        """`descriptor` is the connection's socket, which is open during every operation."""
        self.is_over = False
        """Whether the server said nothing for so long that the connection was cut."""

        self._descriptor = descriptor
        self._due: float | None = None
        self._lock = threading.Lock()
        _all.add(self)
        _start_looking()

    def renew(self) -> None:
        """Inside an operation: the server has just answered, or nothing was asked of it."""
        if self._due is not None:
            self._due = time.monotonic() + ANSWER_SECONDS

    def __enter__(self) -> None:
        self._due = time.monotonic() + ANSWER_SECONDS

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._due = None

    def cut_if_overdue(self) -> None:
        """For another thread than the one that waits."""
        with self._lock:
            if self._due is None or time.monotonic() < self._due:
                return
            self.is_over = True
            with socket.socket(fileno=os.dup(self._descriptor)) as connection:
                connection.shutdown(socket.SHUT_RDWR)


_all: weakref.WeakSet[Patience] = weakref.WeakSet()
_starting = threading.Lock()
_thread: threading.Thread | None = None


def _start_looking() -> None:
    global _thread
    with _starting:
        if _thread is None or not _thread.is_alive():
            _thread = threading.Thread(target=_look_for_ever, name="cyberdriver-x11-silence", daemon=True)
            _thread.start()


def _look_for_ever() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        for patience in list(_all):
            patience.cut_if_overdue()
