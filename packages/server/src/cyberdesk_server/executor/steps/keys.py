"""Keys as people write them, turned into the chords of the tool `key`."""

import re

from cyberdesk_server.executor.steps.numbers import TIMES, times
from cyberdesk_server.executor.steps.unreadable import NotReadable

_NAMES = {
    "enter": "enter return",
    "esc": "escape esc",
    "tab": "tab tabulator",
    "space": "space spacebar space_bar",
    "backspace": "backspace back_space",
    "delete": "delete del",
    "insert": "insert ins",
    "home": "home pos1",
    "end": "end",
    "pageup": "pageup page_up pgup",
    "pagedown": "pagedown page_down pgdn pgdown",
    "up": "up arrow_up up_arrow",
    "down": "down arrow_down down_arrow",
    "left": "left arrow_left left_arrow",
    "right": "right arrow_right right_arrow",
    "printscreen": "printscreen print_screen",
    "capslock": "capslock caps_lock",
    "menu": "menu context_menu",
    "minus": "minus",
    "plus": "plus",
}
_MODIFIERS = {
    "ctrl": "ctrl control strg",
    "alt": "alt option",
    "shift": "shift",
    "win": "win windows super cmd command",
}
_KEYS = {alias: name for name, aliases in _NAMES.items() for alias in aliases.split()}
_HELD = {alias: name for name, aliases in _MODIFIERS.items() for alias in aliases.split()}
_SEPARATOR = re.compile(r"\s*(?:,\s*(?:then|and)?|\bthen\b|\band\b|\bfollowed\s+by\b)\s*", re.IGNORECASE)
_MOST_PRESSES = 200


def chords(written: str) -> str:
    """`Ctrl+A, then Backspace` as `ctrl+a backspace`, `Tab twice` as `tab tab`. Raises `NotReadable`."""
    pressed: list[str] = []
    for piece in (piece for piece in _SEPARATOR.split(written.strip()) if piece):
        repeated = re.fullmatch(rf"(?P<keys>.+?)\s+(?P<times>{TIMES})", piece, re.IGNORECASE)
        how_often = times(repeated["times"]) if repeated else 1
        # One more than the most is enough to refuse it, however many were asked for.
        pressed += [_chord(repeated["keys"] if repeated else piece)] * min(how_often, _MOST_PRESSES + 1)
    if not 0 < len(pressed) <= _MOST_PRESSES:
        raise NotReadable(f"between 1 and {_MOST_PRESSES} keys can be pressed in one step")
    return " ".join(pressed)


def is_key(written: str) -> bool:
    """True when this names a key or a chord, such as `Enter` or `Ctrl+S`."""
    try:
        _chord(written)
    except NotReadable:
        return False
    return True


def _chord(written: str) -> str:
    bare = re.sub(r"^the\s+|\s+keys?$", "", written.strip(), flags=re.IGNORECASE)
    *held, last = re.split(r"\s*\+\s*(?=\S)", bare)
    names = [_name(key, _HELD) for key in held] + [
        _name(last, _KEYS) or _name(last, _HELD) or _character(last)
    ]
    if None in names:
        raise NotReadable(f"there is no key {written.strip()!r}; keys look like Enter, Ctrl+S or Shift+Tab")
    return "+".join(str(name) for name in names)


def _name(written: str, names: dict[str, str]) -> str | None:
    return names.get(re.sub(r"[\s-]+", "_", written.strip().lower()))


def _character(written: str) -> str | None:
    key = written.strip()
    if re.fullmatch(r"[fF]([1-9]|1\d|2[0-4])", key):
        return key.lower()
    return key.lower() if len(key) == 1 and key.isprintable() and not key.isspace() else None
