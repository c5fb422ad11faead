"""The keyboard layout of an X display as a value: which key, with or without Shift, gives which keysym."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import byref, c_int
from dataclasses import dataclass

from cyberdriver.backends.x11 import _xlib
from cyberdriver.backends.x11.connection import Connection

_GROUPS_IN_FIXED_COLUMNS = 2
_MULTIMEDIA = 0x1008FF00


@dataclass(frozen=True, slots=True)
class KeyTable:
    """What the server says about its keyboard: a row of keysyms for each keycode, and the group in force."""

    rows: Mapping[int, tuple[int, ...]]
    modifiers: frozenset[int]
    group: int


@dataclass(frozen=True, slots=True)
class Stroke:
    """A key, and whether Shift is down with it."""

    keycode: int
    with_shift: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """What the keys mean now.

    `strokes` has the keysyms of the plain and of the shifted level. `plain` has those of the plain level
    alone, for keys that are something else when shifted. `unused` keycodes have no keysym and are no
    modifier; `multimedia` keys have keysyms of volume, media and browser buttons only.
    """

    strokes: Mapping[int, Stroke]
    plain: Mapping[int, int]
    unused: tuple[int, ...]
    multimedia: tuple[int, ...]


class KeyTableReader:
    """Reads the key table; one that has not changed is the same object again."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen: tuple[bytes, bytes, int] | None = None
        self._table = KeyTable({}, frozenset(), 0)

    def read(self) -> KeyTable:
        """Inside an operation: the table now."""
        connection = self._connection
        first, last, columns = c_int(), c_int(), c_int()
        connection.lib.x11.XDisplayKeycodes(connection.pointer, byref(first), byref(last))
        count = last.value - first.value + 1
        keysyms = connection.lib.x11.XGetKeyboardMapping(
            connection.pointer, first.value, count, byref(columns)
        )
        if not keysyms:
            return self._table
        content = ctypes.string_at(keysyms, count * columns.value * ctypes.sizeof(ctypes.c_ulong))
        connection.lib.x11.XFree(keysyms)
        seen = (content, self._modifier_keycodes(), self.state().group)
        if seen != self._seen:
            self._seen = seen
            self._table = KeyTable(_rows(first.value, columns.value, content), frozenset(seen[1]), seen[2])
        return self._table

    def state(self) -> _xlib.XkbStateRec:
        """Inside an operation: the group and the modifiers in force."""
        state = _xlib.XkbStateRec()
        self._connection.lib.x11.XkbGetState(
            self._connection.pointer, _xlib.XKB_USE_CORE_KEYBOARD, byref(state)
        )
        return state

    def _modifier_keycodes(self) -> bytes:
        x11 = self._connection.lib.x11
        keymap = x11.XGetModifierMapping(self._connection.pointer)
        if not keymap:
            return b""
        keycodes = ctypes.string_at(keymap.contents.modifiermap, 8 * keymap.contents.max_keypermod)
        x11.XFreeModifiermap(keymap)
        return keycodes


def _rows(first_keycode: int, columns: int, content: bytes) -> dict[int, tuple[int, ...]]:
    keysyms = memoryview(content).cast("L").tolist()
    starts = range(0, len(keysyms), columns)
    return {
        keycode: tuple(keysyms[start : start + columns])
        for keycode, start in enumerate(starts, first_keycode)
    }


def layout_of(table: KeyTable, lent: frozenset[int]) -> Layout:
    """The layout a table describes, leaving out the spare keys that are lent a meaning."""
    # The core keyboard mapping puts groups 1 and 2 into the first four columns. A group beyond has no fixed
    # place there: then no character is known and each goes over a spare key, the same in every group.
    is_known = table.group < _GROUPS_IN_FIXED_COLUMNS
    strokes: dict[int, Stroke] = {}
    plain: dict[int, int] = {}
    unused: list[int] = []
    multimedia: list[int] = []
    for keycode, row in table.rows.items():
        if keycode in lent:
            continue
        if not any(row):
            if keycode not in table.modifiers:
                unused.append(keycode)
            continue
        if keycode not in table.modifiers and all(map(_is_multimedia, filter(None, row))):
            multimedia.append(keycode)
        low, high = _levels(row, table.group if is_known else 0)
        if low:
            plain.setdefault(low, keycode)
        if is_known and low:
            strokes.setdefault(low, Stroke(keycode))
        if is_known and high:
            strokes.setdefault(high, Stroke(keycode, with_shift=True))
    return Layout(strokes, plain, tuple(unused), tuple(multimedia))


def _is_multimedia(keysym: int) -> bool:
    return keysym & 0xFFFFFF00 == _MULTIMEDIA


def _levels(row: tuple[int, ...], group: int) -> tuple[int, int]:
    """The keysyms of the two levels; a key without a second group means its first one."""
    low, high = (*row, 0, 0, 0, 0)[2 * group : 2 * group + 2]
    if low or high:
        return low, high
    return row[0], row[1] if len(row) > 1 else 0
