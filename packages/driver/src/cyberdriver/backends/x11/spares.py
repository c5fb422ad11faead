"""Spare keys: keycodes that are lent a meaning, so that any character can be typed.

A program asks the server what a keycode means only when it handles the key press, which may be long after the
press was sent. A spare key therefore keeps its meaning after use. It gets another one only when all are
lent, and then not before the program has answered a ping or, when it cannot, a pause; at the end each gets
back what it was. Keys without a meaning are lent first, then multimedia keys that no program listens to. What
was lent is noted on the root window: a driver that starts after another one was killed takes its keys over.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from cyberdriver.backends.base import DisplayError
from cyberdriver.backends.x11 import _xlib
from cyberdriver.backends.x11.barrier import focused_window, has_read_everything
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.backends.x11.keysyms import case_pair
from cyberdriver.backends.x11.layout import KeyTable, Layout, Stroke
from cyberdriver.backends.x11.properties import read_property

SETTLE_SECONDS = 0.5
"""How long a program that answers no pings has to look a pressed spare key up."""

_NOTICE_SECONDS = 0.03
"""How long a program that answers no pings has to notice that keys changed."""

_NOTE = "_CYBERDRIVER_SPARE_KEYS"

Pair = tuple[int, int]
"""The keysyms of a spare key without and with Shift."""


@dataclass(slots=True)
class _Loan:
    keycode: int
    original: tuple[int, ...]
    last_used: float = 0.0
    used_in: int = 0
    """The window that had the focus then."""


class SpareKeys:
    """The spare keys of one display. All methods are called inside an operation."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._note_atom = connection.atom(_NOTE)
        self._loans: dict[Pair, _Loan] = self._noted()
        self._is_listened_to: dict[int, bool] = {}

    @property
    def keycodes(self) -> frozenset[int]:
        """The keys that are lent now."""
        return frozenset(loan.keycode for loan in self._loans.values())

    def keep_those_in(self, table: KeyTable) -> None:
        """Loans are forgotten that the table does not show: somebody gave the keyboard another layout."""
        for pair, loan in list(self._loans.items()):
            if table.rows.get(loan.keycode, ())[:2] != pair:
                del self._loans[pair]

    def capacity(self, layout: Layout, wanted: int) -> int:
        """How many pairs can be lent a key at the same time; keys beyond `wanted` need not be counted."""
        return len(self._loans) + len(self._free(layout, wanted - len(self._loans)))

    def lend(self, keysyms: Collection[int], layout: Layout, table: KeyTable) -> dict[int, Stroke]:
        """A stroke for each keysym, after a pause if keys must change their meaning.

        Raises `DisplayError` when there are fewer keys than keysyms.
        """
        pairs = {case_pair(keysym) for keysym in keysyms}
        missing = sorted(pairs - self._loans.keys())
        if missing:
            free = self._free(layout, len(missing))
            new = {keycode: table.rows.get(keycode, ()) for keycode in free}
            new |= self._taken_back(len(missing) - len(free), keep=pairs)
            for pair, (keycode, original) in zip(missing, new.items(), strict=True):
                self._loans[pair] = _Loan(keycode, original)
            self._write({self._loans[pair].keycode: pair for pair in missing})
            self._wait_until_noticed()
        strokes: dict[int, Stroke] = {}
        for pair in pairs:
            strokes[pair[1]] = Stroke(self._loans[pair].keycode, with_shift=True)
            strokes[pair[0]] = Stroke(self._loans[pair].keycode)
        return strokes

    def mark_used(self, keycodes: Collection[int]) -> None:
        """These keys were pressed up to now."""
        now, window = time.monotonic(), focused_window(self._connection) if self._loans else 0
        for loan in self._loans.values():
            if loan.keycode in keycodes:
                loan.last_used, loan.used_in = now, window

    def give_back(self) -> None:
        """Every key is what it was, once programs had the time to look up those pressed last."""
        if self._loans:
            self._wait_until_looked_up(self._loans.values())
            originals = {loan.keycode: loan.original for loan in self._loans.values()}
            self._change(originals)
            self._loans.clear()
            self._note()

    def _free(self, layout: Layout, count: int) -> list[int]:
        """Up to so many keys that are not lent."""
        lent = self.keycodes
        free = [keycode for keycode in layout.unused if keycode not in lent][: max(count, 0)]
        for keycode in layout.multimedia:
            if len(free) >= count:
                break
            if keycode not in lent and not self._somebody_listens_to(keycode):
                free.append(keycode)
        return free

    def _somebody_listens_to(self, keycode: int) -> bool:
        """Whether a program has a global shortcut on the key: the server then refuses us the same one."""
        if keycode not in self._is_listened_to:
            x11, display, root = self._connection.lib.x11, self._connection.pointer, self._connection.root
            x11.XGrabKey(display, keycode, _xlib.ANY_MODIFIER, root, 0, _xlib.GRAB_ASYNC, _xlib.GRAB_ASYNC)
            self._is_listened_to[keycode] = self._connection.forget_errors()
            x11.XUngrabKey(display, keycode, _xlib.ANY_MODIFIER, root)
        return self._is_listened_to[keycode]

    def _taken_back(self, count: int, keep: Collection[Pair]) -> dict[int, tuple[int, ...]]:
        """The keys used longest ago, and what they were originally."""
        if count <= 0:
            return {}
        candidates = sorted(
            (pair for pair in self._loans if pair not in keep), key=lambda pair: self._loans[pair].last_used
        )
        if len(candidates) < count:
            raise DisplayError("typing", "the keyboard layout leaves no spare key")
        loans = [self._loans.pop(pair) for pair in candidates[:count]]
        self._wait_until_looked_up(loans)
        return {loan.keycode: loan.original for loan in loans}

    def _wait_until_looked_up(self, loans: Collection[_Loan]) -> None:
        """Programs have looked up what these keys meant when they were pressed."""
        latest: dict[int, float] = {}
        for loan in loans:
            latest[loan.used_in] = max(loan.last_used, latest.get(loan.used_in, 0.0))
        for window, last_used in latest.items():
            remaining_seconds = last_used + SETTLE_SECONDS - time.monotonic()
            if remaining_seconds > 0 and not has_read_everything(self._connection, window):
                time.sleep(remaining_seconds)

    def _wait_until_noticed(self) -> None:
        """The program has noticed that keys changed, before it gets the first of them.

        Xlib asks the server for the new keys and, while it waits for the answer, forgets what else changed.
        """
        if not has_read_everything(self._connection, focused_window(self._connection)):
            time.sleep(_NOTICE_SECONDS)

    def _write(self, meanings: Mapping[int, Pair]) -> None:
        """The keys mean this from now on. The note comes first: a kill in between then loses no key."""
        self._note()
        self._change(meanings)

    def _change(self, meanings: Mapping[int, tuple[int, ...]]) -> None:
        connection = self._connection
        width = max(map(len, meanings.values()))
        for run in _consecutive(sorted(meanings)):
            keysyms = [keysym for keycode in run for keysym in _padded(meanings[keycode], width)]
            connection.lib.x11.XChangeKeyboardMapping(
                connection.pointer, run[0], width, (ctypes.c_ulong * len(keysyms))(*keysyms), len(run)
            )
        connection.sync()

    def _note(self) -> None:
        connection = self._connection
        numbers = [
            number
            for (low, high), loan in self._loans.items()
            for number in (loan.keycode, low, high, len(loan.original), *loan.original)
        ]
        if not numbers:
            connection.lib.x11.XDeleteProperty(connection.pointer, connection.root, self._note_atom)
            return
        connection.lib.x11.XChangeProperty(
            connection.pointer,
            connection.root,
            self._note_atom,
            _xlib.XA_CARDINAL,
            32,
            _xlib.PROP_MODE_REPLACE,
            (ctypes.c_ulong * len(numbers))(*numbers),
            len(numbers),
        )

    def _noted(self) -> dict[Pair, _Loan]:
        """What a driver before us noted and did not give back."""
        content = read_property(self._connection, self._connection.root, self._note_atom).content
        numbers = iter(memoryview(content).cast("L").tolist())
        loans: dict[Pair, _Loan] = {}
        for keycode in numbers:
            low, high, length = next(numbers, 0), next(numbers, 0), next(numbers, 0)
            original = tuple(next(numbers, 0) for _ in range(length))
            loans[low, high] = _Loan(keycode, original)
        return loans


def _padded(row: tuple[int, ...], width: int) -> tuple[int, ...]:
    return row + (_xlib.NONE,) * (width - len(row))


def _consecutive(keycodes: list[int]) -> list[list[int]]:
    """The keycodes in runs without gaps: one request changes a run."""
    runs: list[list[int]] = []
    for keycode in keycodes:
        if runs and runs[-1][-1] == keycode - 1:
            runs[-1].append(keycode)
        else:
            runs.append([keycode])
    return runs
