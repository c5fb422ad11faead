"""The CLIPBOARD selection of an X display (ICCCM 2.7.1, section 2)."""

from __future__ import annotations

import itertools
import time

from cyberdriver.backends.x11 import _xlib
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.backends.x11.properties import Property, read_property

_OPERATION = "clipboard"
_LOOK_AGAIN_SECONDS = 0.01


class Clipboard:
    """Reads text from the clipboard and empties it. One call at a time; the connection's lock sees to it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        with connection.operation(_OPERATION) as display:
            self._window: int = connection.lib.x11.XCreateSimpleWindow(
                display, connection.root, 0, 0, 1, 1, 0, 0, 0
            )
            connection.lib.x11.XSelectInput(display, self._window, _xlib.PROPERTY_CHANGE_MASK)
            self._selection = connection.atom("CLIPBOARD")
            # A question that was given up may be answered later: for some time each has its own property.
            self._properties = itertools.cycle(
                [connection.atom(f"CYBERDRIVER_CLIPBOARD_{number}") for number in range(16)]
            )

    def text(self, timeout_seconds: float) -> str | None:
        """The text as soon as there is some; None when no owner, or no answer of its owner, came in time."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            with self._connection.operation(_OPERATION) as display:
                if self._connection.lib.x11.XGetSelectionOwner(display, self._selection):
                    return self._converted(deadline)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            time.sleep(min(_LOOK_AGAIN_SECONDS, remaining))

    def clear(self) -> None:
        """Nobody owns the clipboard."""
        with self._connection.operation(_OPERATION) as display:
            self._connection.lib.x11.XSetSelectionOwner(
                display, self._selection, _xlib.NONE, _xlib.CURRENT_TIME
            )

    def _converted(self, deadline: float) -> str | None:
        for target, encoding in (("UTF8_STRING", "utf-8"), ("STRING", "latin-1")):
            content = self._converted_to(self._connection.atom(target), deadline)
            if content is not None:
                return content.decode(encoding, errors="replace")
        return None

    def _converted_to(self, target: int, deadline: float) -> bytes | None:
        connection, name = self._connection, next(self._properties)
        connection.lib.x11.XDeleteProperty(connection.pointer, self._window, name)
        connection.lib.x11.XConvertSelection(
            connection.pointer, self._selection, target, name, self._window, _xlib.CURRENT_TIME
        )
        while event := connection.wait_for_event(deadline):
            if event.type == _xlib.SELECTION_NOTIFY and event.selection.target == target:
                if event.selection.property == name:
                    return self._content(name, deadline)
                if not event.selection.property:
                    return None
        return None

    def _content(self, name: int, deadline: float) -> bytes | None:
        """What the owner put into the property, in one piece or in many (INCR)."""
        found = self._take(name)
        if found.type != self._connection.atom("INCR"):
            return found.content
        pieces: list[bytes] = []
        while event := self._connection.wait_for_event(deadline):
            is_piece = (
                event.type == _xlib.PROPERTY_NOTIFY
                and event.property.atom == name
                and event.property.state == _xlib.PROPERTY_NEW_VALUE
            )
            if is_piece:
                piece = self._take(name).content
                if not piece:
                    return b"".join(pieces)
                pieces.append(piece)
        return None

    def _take(self, name: int) -> Property:
        """A property of ours, which is deleted: only then the owner of a long text sends its next piece."""
        return read_property(self._connection, self._window, name, delete=True)
