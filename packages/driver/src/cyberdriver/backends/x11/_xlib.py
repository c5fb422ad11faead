"""The C side of X11: libraries, structures and signatures, and nothing that decides.

Signatures are those of Xlib (X.Org "Xlib - C Language X Interface", release 7.7), the MIT-SHM, XTEST and Xkb
library documents. Each function returned by `libraries()` releases the interpreter lock while it runs.
"""

from __future__ import annotations

import ctypes
import functools
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    Union,
    c_char,
    c_char_p,
    c_int,
    c_long,
    c_size_t,
    c_ubyte,
    c_uint,
    c_ulong,
    c_ushort,
    c_void_p,
)
from dataclasses import dataclass
from typing import Any

from cyberdriver.backends.base import NoDisplay

ALL_PLANES = 0xFFFFFFFFFFFFFFFF
Z_PIXMAP = 2
CURRENT_TIME = 0
NONE = 0
SUCCESS = 0
ANY_PROPERTY_TYPE = 0
PROPERTY_NOTIFY = 28
SELECTION_NOTIFY = 31
CLIENT_MESSAGE = 33
PROPERTY_NEW_VALUE = 0
SUBSTRUCTURE_NOTIFY_MASK = 1 << 19
PROPERTY_CHANGE_MASK = 1 << 22
PROP_MODE_REPLACE = 0
XA_CARDINAL = 6
LOCK_MASK = 1 << 1
XKB_USE_CORE_KEYBOARD = 0x100
ANY_MODIFIER = 1 << 15
GRAB_ASYNC = 1
IPC_PRIVATE = 0
IPC_CREAT = 0o1000
IPC_RMID = 0


class XImage(Structure):
    """The head of Xlib's image; what follows `blue_mask` is Xlib's own."""

    _fields_ = [
        ("width", c_int),
        ("height", c_int),
        ("xoffset", c_int),
        ("format", c_int),
        ("data", c_void_p),
        ("byte_order", c_int),
        ("bitmap_unit", c_int),
        ("bitmap_bit_order", c_int),
        ("bitmap_pad", c_int),
        ("depth", c_int),
        ("bytes_per_line", c_int),
        ("bits_per_pixel", c_int),
        ("red_mask", c_ulong),
        ("green_mask", c_ulong),
        ("blue_mask", c_ulong),
    ]


class XShmSegmentInfo(Structure):
    _fields_ = [("shmseg", c_ulong), ("shmid", c_int), ("shmaddr", c_void_p), ("read_only", c_int)]


class XErrorEvent(Structure):
    _fields_ = [
        ("type", c_int),
        ("display", c_void_p),
        ("resource_id", c_ulong),
        ("serial", c_ulong),
        ("error_code", c_ubyte),
        ("request_code", c_ubyte),
        ("minor_code", c_ubyte),
    ]


class XSelectionEvent(Structure):
    _fields_ = [
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("requestor", c_ulong),
        ("selection", c_ulong),
        ("target", c_ulong),
        ("property", c_ulong),
        ("time", c_ulong),
    ]


class XPropertyEvent(Structure):
    _fields_ = [
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("atom", c_ulong),
        ("time", c_ulong),
        ("state", c_int),
    ]


class XClientMessageEvent(Structure):
    _fields_ = [
        ("type", c_int),
        ("serial", c_ulong),
        ("send_event", c_int),
        ("display", c_void_p),
        ("window", c_ulong),
        ("message_type", c_ulong),
        ("format", c_int),
        ("data", c_long * 5),
    ]


class XEvent(Union):
    _fields_ = [
        ("client", XClientMessageEvent),
        ("type", c_int),
        ("selection", XSelectionEvent),
        ("property", XPropertyEvent),
        ("_size", c_long * 24),
    ]


class XModifierKeymap(Structure):
    _fields_ = [("max_keypermod", c_int), ("modifiermap", POINTER(c_ubyte))]


class XkbStateRec(Structure):
    _fields_ = [
        ("group", c_ubyte),
        ("locked_group", c_ubyte),
        ("base_group", c_ushort),
        ("latched_group", c_ushort),
        ("mods", c_ubyte),
        ("base_mods", c_ubyte),
        ("latched_mods", c_ubyte),
        ("locked_mods", c_ubyte),
        ("compat_state", c_ubyte),
        ("grab_mods", c_ubyte),
        ("compat_grab_mods", c_ubyte),
        ("lookup_mods", c_ubyte),
        ("compat_lookup_mods", c_ubyte),
        ("ptr_buttons", c_ushort),
    ]


ErrorHandler = CFUNCTYPE(c_int, c_void_p, POINTER(XErrorEvent))
LossHandler = CFUNCTYPE(c_int, c_void_p)
ExitHandler = CFUNCTYPE(None, c_void_p, c_void_p)

_INTS = POINTER(c_int)
_UINTS = POINTER(c_uint)
_LONGS = POINTER(c_ulong)

# name: (result, arguments)
_X11: dict[str, tuple[Any, list[Any]]] = {
    "XInitThreads": (c_int, []),
    "XOpenDisplay": (c_void_p, [c_char_p]),
    "XCloseDisplay": (c_int, [c_void_p]),
    "XConnectionNumber": (c_int, [c_void_p]),
    "XSetAuthorization": (None, [c_char_p, c_int, c_char_p, c_int]),
    "XSetErrorHandler": (c_void_p, [ErrorHandler]),
    "XSetIOErrorHandler": (c_void_p, [LossHandler]),
    "XGetErrorText": (c_int, [c_void_p, c_int, c_char_p, c_int]),
    "XSync": (c_int, [c_void_p, c_int]),
    "XFlush": (c_int, [c_void_p]),
    "XPending": (c_int, [c_void_p]),
    "XNextEvent": (c_int, [c_void_p, POINTER(XEvent)]),
    "XFree": (c_int, [c_void_p]),
    "XDefaultScreen": (c_int, [c_void_p]),
    "XDefaultRootWindow": (c_ulong, [c_void_p]),
    "XDefaultVisual": (c_void_p, [c_void_p, c_int]),
    "XDefaultDepth": (c_int, [c_void_p, c_int]),
    "XGetGeometry": (c_int, [c_void_p, c_ulong, _LONGS, _INTS, _INTS, _UINTS, _UINTS, _UINTS, _UINTS]),
    "XGetImage": (
        POINTER(XImage),
        [c_void_p, c_ulong, c_int, c_int, c_uint, c_uint, c_ulong, c_int],
    ),
    "XDestroyImage": (c_int, [POINTER(XImage)]),
    "XQueryPointer": (c_int, [c_void_p, c_ulong, _LONGS, _LONGS, _INTS, _INTS, _INTS, _INTS, _UINTS]),
    "XInternAtom": (c_ulong, [c_void_p, c_char_p, c_int]),
    "XCreateSimpleWindow": (
        c_ulong,
        [c_void_p, c_ulong, c_int, c_int, c_uint, c_uint, c_uint, c_ulong, c_ulong],
    ),
    "XSelectInput": (c_int, [c_void_p, c_ulong, c_long]),
    "XChangeProperty": (c_int, [c_void_p, c_ulong, c_ulong, c_ulong, c_int, c_int, c_void_p, c_int]),
    "XDeleteProperty": (c_int, [c_void_p, c_ulong, c_ulong]),
    "XGetWindowProperty": (
        c_int,
        [
            c_void_p,
            c_ulong,
            c_ulong,
            c_long,
            c_long,
            c_int,
            c_ulong,
            _LONGS,
            _INTS,
            _LONGS,
            _LONGS,
            POINTER(c_void_p),
        ],
    ),
    "XConvertSelection": (c_int, [c_void_p, c_ulong, c_ulong, c_ulong, c_ulong, c_ulong]),
    "XGetSelectionOwner": (c_ulong, [c_void_p, c_ulong]),
    "XSetSelectionOwner": (c_int, [c_void_p, c_ulong, c_ulong, c_ulong]),
    "XDisplayKeycodes": (c_int, [c_void_p, _INTS, _INTS]),
    "XGetKeyboardMapping": (_LONGS, [c_void_p, c_ubyte, c_int, _INTS]),
    "XChangeKeyboardMapping": (c_int, [c_void_p, c_int, c_int, _LONGS, c_int]),
    "XGetModifierMapping": (POINTER(XModifierKeymap), [c_void_p]),
    "XFreeModifiermap": (c_int, [POINTER(XModifierKeymap)]),
    "XGrabKey": (c_int, [c_void_p, c_int, c_uint, c_ulong, c_int, c_int, c_int]),
    "XUngrabKey": (c_int, [c_void_p, c_int, c_uint, c_ulong]),
    "XQueryTree": (c_int, [c_void_p, c_ulong, _LONGS, _LONGS, POINTER(c_void_p), _UINTS]),
    "XSendEvent": (c_int, [c_void_p, c_ulong, c_int, c_long, POINTER(XEvent)]),
    "XGetInputFocus": (c_int, [c_void_p, _LONGS, _INTS]),
    "XkbGetState": (c_int, [c_void_p, c_uint, POINTER(XkbStateRec)]),
    "XkbLockGroup": (c_int, [c_void_p, c_uint, c_uint]),
    "XkbLockModifiers": (c_int, [c_void_p, c_uint, c_uint, c_uint]),
}

_XEXT: dict[str, tuple[Any, list[Any]]] = {
    "XShmQueryExtension": (c_int, [c_void_p]),
    "XShmCreateImage": (
        POINTER(XImage),
        [c_void_p, c_void_p, c_uint, c_int, c_char_p, POINTER(XShmSegmentInfo), c_uint, c_uint],
    ),
    "XShmAttach": (c_int, [c_void_p, POINTER(XShmSegmentInfo)]),
    "XShmDetach": (c_int, [c_void_p, POINTER(XShmSegmentInfo)]),
    "XShmGetImage": (c_int, [c_void_p, c_ulong, POINTER(XImage), c_int, c_int, c_ulong]),
}

_XTST: dict[str, tuple[Any, list[Any]]] = {
    "XTestQueryExtension": (c_int, [c_void_p, _INTS, _INTS, _INTS, _INTS]),
    "XTestGrabControl": (c_int, [c_void_p, c_int]),
    "XTestFakeKeyEvent": (c_int, [c_void_p, c_uint, c_int, c_ulong]),
    "XTestFakeButtonEvent": (c_int, [c_void_p, c_uint, c_int, c_ulong]),
    "XTestFakeMotionEvent": (c_int, [c_void_p, c_int, c_int, c_int, c_ulong]),
}

_C: dict[str, tuple[Any, list[Any]]] = {
    "shmget": (c_int, [c_int, c_size_t, c_int]),
    "shmat": (c_void_p, [c_int, c_void_p, c_int]),
    "shmdt": (c_int, [c_void_p]),
    "shmctl": (c_int, [c_int, c_int, c_void_p]),
    "memcmp": (c_int, [c_void_p, c_char_p, c_size_t]),
}


@dataclass(frozen=True, slots=True)
class Libraries:
    """The loaded libraries; their functions carry their signatures."""

    x11: ctypes.CDLL
    ext: ctypes.CDLL
    tst: ctypes.CDLL
    c: ctypes.CDLL


@functools.cache
def libraries() -> Libraries:
    """The C libraries, loaded once. Raises `NoDisplay` naming the one that is not installed."""
    x11 = _load("libX11.so.6", _X11)
    x11.XInitThreads()
    return Libraries(x11, _load("libXext.so.6", _XEXT), _load("libXtst.so.6", _XTST), _load("libc.so.6", _C))


def _load(file_name: str, signatures: dict[str, tuple[Any, list[Any]]]) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(file_name, use_errno=True)
    except OSError as error:
        raise NoDisplay("X11", f"the library {file_name} is not installed") from error
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


def c_buffer(size: int) -> ctypes.Array[c_char]:
    """A zeroed buffer of this many bytes."""
    return ctypes.create_string_buffer(size)
