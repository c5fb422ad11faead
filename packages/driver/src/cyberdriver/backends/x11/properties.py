"""Properties of X windows, read whole."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_int, c_ulong, c_void_p
from dataclasses import dataclass

from cyberdriver.backends.x11 import _xlib
from cyberdriver.backends.x11.connection import Connection

_LONGS_PER_READ = 1 << 24


@dataclass(frozen=True, slots=True)
class Property:
    """The type (an atom) and the bytes of a property."""

    type: int
    content: bytes


def read_property(connection: Connection, window: int, name: int, *, delete: bool = False) -> Property:
    """Inside an operation: a property of a window; type 0 and no content when it is not there.

    Items of 32 bits come as C longs, as Xlib gives them.
    """
    kind, count, after = c_ulong(), c_ulong(), c_ulong()
    format_bits, data = c_int(), c_void_p()
    status = connection.lib.x11.XGetWindowProperty(
        connection.pointer,
        window,
        name,
        0,
        _LONGS_PER_READ,
        int(delete),
        _xlib.ANY_PROPERTY_TYPE,
        byref(kind),
        byref(format_bits),
        byref(count),
        byref(after),
        byref(data),
    )
    if status != _xlib.SUCCESS or not data:
        return Property(0, b"")
    item_bytes = ctypes.sizeof(c_ulong) if format_bits.value == 32 else format_bits.value // 8
    content = ctypes.string_at(data, count.value * item_bytes)
    connection.lib.x11.XFree(data)
    return Property(kind.value, content)
