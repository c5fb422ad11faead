"""The keyboard of an X display, through XTEST: text on any layout, chords, keys that stay down."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence

from cyberdriver.backends.keys import Character, Chord, Key, Modifier, NamedKey, UnknownKey
from cyberdriver.backends.x11 import _xlib
from cyberdriver.backends.x11.connection import Connection
from cyberdriver.backends.x11.keysyms import (
    MODIFIER_KEYSYMS,
    NAMED_KEYSYMS,
    SHIFT_LEFT,
    case_pair,
    keysym_of,
    keysyms_of,
)
from cyberdriver.backends.x11.layout import KeyTable, KeyTableReader, Layout, Stroke, layout_of
from cyberdriver.backends.x11.spares import SpareKeys

_SHIFTS = (Modifier.SHIFT, Modifier.SHIFT_RIGHT)
_STROKES_PER_SYNC = 200
_TYPING = "typing"
_KEYS = "key press"


class Keyboard:
    """Types and presses. The caller puts the calls in order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reader = KeyTableReader(connection)
        self._table = KeyTable({}, frozenset(), 0)
        self._lent: frozenset[int] = frozenset()
        self._layout = Layout({}, {}, (), ())
        self._held: dict[Chord, list[int]] = {}
        with connection.operation(_TYPING):
            self._spares = SpareKeys(connection)

    def type_text(self, text: str) -> None:
        """Every character arrives exactly."""
        keysyms = keysyms_of(text)
        with self._connection.operation(_TYPING), self._caps_lock_off():
            self._look_at_layout()
            for part in self._parts(keysyms):
                self._tap(self._strokes(part))

    def press(self, chords: Sequence[Chord]) -> None:
        """Chords one after another."""
        with self._connection.operation(_KEYS):
            self._look_at_layout()
            # Every key is found before the first one goes down.
            modifiers = [self._modifier_keycodes(chord) for chord in chords]
            strokes = self._chord_strokes(chords)
            for chord, held, tapped in zip(chords, modifiers, strokes, strict=True):
                toggles_caps_lock = NamedKey.CAPS_LOCK in chord.keys
                with contextlib.nullcontext() if toggles_caps_lock else self._caps_lock_off():  # noqa: SIM117
                    with self._down(held):
                        self._tap(tapped)

    def hold(self, chord: Chord, down: bool) -> None:
        """Keys go down and stay, or go up."""
        with self._connection.operation(_KEYS):
            if not down and chord in self._held:
                keycodes = self._held.pop(chord)
            else:
                self._look_at_layout()
                keycodes = self._modifier_keycodes(chord)
                for stroke in self._chord_strokes([chord])[0]:
                    keycodes += [*self._shift(stroke.with_shift), stroke.keycode]
            if down:
                self._held[chord] = keycodes
            for keycode in keycodes if down else reversed(keycodes):
                self._fake(keycode, down)

    def release(self) -> None:
        """Held keys go up and spare keys are given back."""
        for chord in tuple(self._held):
            self.hold(chord, False)
        with self._connection.operation(_TYPING):
            self._look_at_layout()
            self._spares.give_back()

    def _look_at_layout(self) -> None:
        """The layout may have been changed by anybody since the last call."""
        table = self._reader.read()
        self._spares.keep_those_in(table)
        lent = self._spares.keycodes
        if table is not self._table or lent != self._lent:
            self._table, self._lent, self._layout = table, lent, layout_of(table, lent)

    def _parts(self, keysyms: list[int]) -> Iterator[list[int]]:
        """The text in parts, each with no more different unusual characters than there are spare keys."""
        wanted = {case_pair(keysym) for keysym in keysyms if keysym not in self._layout.strokes}
        capacity = self._spares.capacity(self._layout, len(wanted))
        if len(wanted) <= capacity:
            yield keysyms
            return
        part: list[int] = []
        unusual: set[tuple[int, int]] = set()
        for keysym in keysyms:
            if keysym not in self._layout.strokes:
                pair = case_pair(keysym)
                if part and pair not in unusual and len(unusual) >= capacity:
                    yield part
                    part, unusual = [], set()
                unusual.add(pair)
            part.append(keysym)
        yield part

    def _strokes(self, keysyms: Sequence[int]) -> list[Stroke]:
        usual = self._layout.strokes
        lent = self._lend(keysym for keysym in keysyms if keysym not in usual)
        return [usual.get(keysym) or lent[keysym] for keysym in keysyms]

    def _chord_strokes(self, chords: Sequence[Chord]) -> list[list[Stroke]]:
        """The strokes of the keys of each chord, with Shift only where the chord does not have it already."""
        keys = {key for chord in chords for key in chord.keys}
        usual = {key: stroke for key in keys if (stroke := self._usual_stroke(key))}
        lent = self._lend(_keysym_of_key(key) for key in keys if key not in usual)
        return [
            [
                Stroke(
                    stroke.keycode,
                    stroke.with_shift and not any(shift in chord.modifiers for shift in _SHIFTS),
                )
                for stroke in (usual.get(key) or lent[_keysym_of_key(key)] for key in chord.keys)
            ]
            for chord in chords
        ]

    def _usual_stroke(self, key: Key) -> Stroke | None:
        keysym = _keysym_of_key(key)
        match key:
            case Character():
                return self._layout.strokes.get(keysym)
            case NamedKey():
                # Never the shifted level: KP_7 is there, but shifted it is no digit while Num Lock is on.
                keycode = self._layout.plain.get(keysym)
                return None if keycode is None else Stroke(keycode)

    def _lend(self, keysyms: Iterable[int]) -> dict[int, Stroke]:
        unusual = set(keysyms)
        return self._spares.lend(unusual, self._layout, self._table) if unusual else {}

    def _modifier_keycodes(self, chord: Chord) -> list[int]:
        return [self._modifier_keycode(modifier) for modifier in chord.modifiers]

    def _modifier_keycode(self, modifier: Modifier) -> int:
        for keysym in MODIFIER_KEYSYMS[modifier]:
            if keysym in self._layout.plain:
                return self._layout.plain[keysym]
        raise UnknownKey(modifier.value)

    def _shift(self, is_wanted: bool) -> list[int]:
        return [self._modifier_keycode(Modifier.SHIFT)] if is_wanted else []

    def _tap(self, strokes: Sequence[Stroke]) -> None:
        """Keys go down and up; Shift stays down between neighbours that need it."""
        shift = self._layout.plain.get(SHIFT_LEFT)
        is_shifted = False
        try:
            for number, stroke in enumerate(strokes, 1):
                if stroke.with_shift != is_shifted and shift is not None:
                    is_shifted = stroke.with_shift
                    self._fake(shift, is_shifted)
                self._fake(stroke.keycode, True)
                self._fake(stroke.keycode, False)
                if number % _STROKES_PER_SYNC == 0:
                    self._connection.sync()
        finally:
            if is_shifted and shift is not None:
                self._fake(shift, False)
        # The spare keys rest from the moment the server had the last press, not from when it was buffered.
        self._connection.sync()
        self._spares.mark_used({stroke.keycode for stroke in strokes})

    @contextlib.contextmanager
    def _down(self, keycodes: Sequence[int]) -> Iterator[None]:
        """Keys go down in order, and up in reverse whatever happens between."""
        try:
            for keycode in keycodes:
                self._fake(keycode, True)
            yield
        finally:
            for keycode in reversed(keycodes):
                self._fake(keycode, False)

    @contextlib.contextmanager
    def _caps_lock_off(self) -> Iterator[None]:
        """Caps Lock is off, and afterwards as it was."""
        lock = self._connection.lib.x11.XkbLockModifiers
        is_on = bool(self._reader.state().locked_mods & _xlib.LOCK_MASK)
        if is_on:
            lock(self._connection.pointer, _xlib.XKB_USE_CORE_KEYBOARD, _xlib.LOCK_MASK, 0)
        try:
            yield
        finally:
            if is_on:
                lock(self._connection.pointer, _xlib.XKB_USE_CORE_KEYBOARD, _xlib.LOCK_MASK, _xlib.LOCK_MASK)

    def _fake(self, keycode: int, down: bool) -> None:
        self._connection.lib.tst.XTestFakeKeyEvent(self._connection.pointer, keycode, int(down), 0)


def _keysym_of_key(key: Key) -> int:
    match key:
        case NamedKey():
            return NAMED_KEYSYMS[key]
        case Character(character):
            return keysym_of(character)
