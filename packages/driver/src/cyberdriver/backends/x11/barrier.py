"""Waiting until a program has handled what was sent to it, where it can tell.

A program that takes part in `_NET_WM_PING` (EWMH 1.5, "Window Manager Protocols") answers a ping in the order
of its events: the answer says that all key presses before it were read and looked up.
"""

from __future__ import annotations

import itertools
import time
from ctypes import byref, c_int, c_uint, c_ulong, c_void_p

from cyberdriver.backends.x11 import _xlib
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.backends.x11.properties import read_property

_PING_SECONDS = 5.0
_POINTER_ROOT = 1
_serials = itertools.count(0x5A000000)


def focused_window(connection: Connection) -> int:
    """Inside an operation: the window that gets the keys; 0 when none does."""
    focus, revert_to = c_ulong(), c_int()
    connection.lib.x11.XGetInputFocus(connection.pointer, byref(focus), byref(revert_to))
    return 0 if focus.value == _POINTER_ROOT else focus.value


def has_read_everything(connection: Connection, window: int) -> bool:
    """Inside an operation: the program of the window answers a ping.

    False when it does not know pings, has no answer for some seconds, or is gone.
    """
    top = _pingable(connection, window)
    if not top:
        return False
    x11, display = connection.lib.x11, connection.pointer
    x11.XSelectInput(display, connection.root, _xlib.SUBSTRUCTURE_NOTIFY_MASK)
    ping = _ping(connection, top)
    x11.XSendEvent(display, top, 0, 0, byref(ping))
    wanted = list(ping.client.data)
    deadline = time.monotonic() + _PING_SECONDS
    try:
        while event := connection.wait_for_event(deadline):
            if event.type == _xlib.CLIENT_MESSAGE and list(event.client.data)[:3] == wanted[:3]:
                return True
        return False
    finally:
        x11.XSelectInput(display, connection.root, 0)
        connection.forget_errors()
        connection.forget_events()


def _ping(connection: Connection, window: int) -> _xlib.XEvent:
    event = _xlib.XEvent()
    message = event.client
    message.type = _xlib.CLIENT_MESSAGE
    message.window = window
    message.message_type = connection.atom("WM_PROTOCOLS")
    message.format = 32
    # The second number is a time stamp by name; a program gives it back as it is: it tells pings apart.
    message.data[:3] = [connection.atom("_NET_WM_PING"), next(_serials), window]
    return event


def _pingable(connection: Connection, window: int) -> int:
    """The window, or the next one around it, whose program answers pings; 0 when there is none."""
    protocols, ping = connection.atom("WM_PROTOCOLS"), connection.atom("_NET_WM_PING")
    while window and window != connection.root:
        spoken = memoryview(read_property(connection, window, protocols).content).cast("L").tolist()
        if ping in spoken:
            return window
        window = _parent(connection, window)
    connection.forget_errors()
    return 0


def _parent(connection: Connection, window: int) -> int:
    root, parent, children, count = c_ulong(), c_ulong(), c_void_p(), c_uint()
    found = connection.lib.x11.XQueryTree(
        connection.pointer, window, byref(root), byref(parent), byref(children), byref(count)
    )
    if children:
        connection.lib.x11.XFree(children)
    return parent.value if found else 0
