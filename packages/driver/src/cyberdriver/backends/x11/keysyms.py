"""X keysyms (X11 protocol, appendix A; XF86keysym.h) of characters, named keys and modifiers."""

from __future__ import annotations

from cyberdriver.backends.keys import Modifier, NamedKey
from cyberdriver.backends.text import typed_characters

RETURN = 0xFF0D
TAB = 0xFF09
BACKSPACE = 0xFF08
SHIFT_LEFT = 0xFFE1

_UNICODE = 0x01000000


def keysym_of(character: str) -> int:
    """The keysym of a printable character: Latin-1 is itself, the rest is its code point with a mark."""
    code_point = ord(character)
    is_latin_1 = 0x20 <= code_point <= 0x7E or 0xA0 <= code_point <= 0xFF
    return code_point if is_latin_1 else _UNICODE | code_point


def keysyms_of(text: str) -> list[int]:
    """The keysyms that type a text. Raises `UnsupportedCharacter` for a character that no key types."""
    return [_CONTROLS.get(character) or keysym_of(character) for character in typed_characters(text)]


def case_pair(keysym: int) -> tuple[int, int]:
    """The keysyms of a character's small and capital letter; twice the same when it has no such pair."""
    character = chr(keysym & 0xFFFFFF) if keysym <= 0xFF or keysym & 0xFF000000 == _UNICODE else ""
    small, capital = character.lower(), character.upper()
    is_pair = len(small) == len(capital) == 1 and small != capital and character in (small, capital)
    if is_pair and small.upper() == capital and capital.lower() == small:
        return keysym_of(small), keysym_of(capital)
    return keysym, keysym


_CONTROLS = {"\n": RETURN, "\t": TAB, "\b": BACKSPACE}

MODIFIER_KEYSYMS: dict[Modifier, tuple[int, ...]] = {
    Modifier.CTRL: (0xFFE3, 0xFFE4),
    Modifier.CTRL_RIGHT: (0xFFE4, 0xFFE3),
    Modifier.ALT: (0xFFE9, 0xFFEA),
    Modifier.ALT_RIGHT: (0xFFEA, 0xFE03, 0xFFE9),
    Modifier.ALTGR: (0xFE03, 0xFF7E, 0xFFEA),
    Modifier.SHIFT: (0xFFE1, 0xFFE2),
    Modifier.SHIFT_RIGHT: (0xFFE2, 0xFFE1),
    Modifier.SUPER: (0xFFEB, 0xFFEC),
    Modifier.SUPER_RIGHT: (0xFFEC, 0xFFEB),
    Modifier.HYPER: (0xFFED, 0xFFEE),
}
"""For each modifier the keysyms that are it, the best first: not every keyboard has both sides."""

NAMED_KEYSYMS: dict[NamedKey, int] = {
    NamedKey.ENTER: RETURN,
    NamedKey.TAB: TAB,
    NamedKey.BACKSPACE: BACKSPACE,
    NamedKey.DELETE: 0xFFFF,
    NamedKey.INSERT: 0xFF63,
    NamedKey.ESCAPE: 0xFF1B,
    NamedKey.HOME: 0xFF50,
    NamedKey.END: 0xFF57,
    NamedKey.PAGE_UP: 0xFF55,
    NamedKey.PAGE_DOWN: 0xFF56,
    NamedKey.UP: 0xFF52,
    NamedKey.DOWN: 0xFF54,
    NamedKey.LEFT: 0xFF51,
    NamedKey.RIGHT: 0xFF53,
    NamedKey.CAPS_LOCK: 0xFFE5,
    NamedKey.NUM_LOCK: 0xFF7F,
    NamedKey.SCROLL_LOCK: 0xFF14,
    NamedKey.PRINT: 0xFF61,
    NamedKey.PAUSE: 0xFF13,
    NamedKey.BREAK: 0xFF6B,
    NamedKey.MENU: 0xFF67,
    NamedKey.CLEAR: 0xFF0B,
    NamedKey.HELP: 0xFF6A,
    NamedKey.SELECT: 0xFF60,
    NamedKey.EXECUTE: 0xFF62,
    NamedKey.CANCEL: 0xFF69,
    NamedKey.UNDO: 0xFF65,
    NamedKey.REDO: 0xFF66,
    NamedKey.FIND: 0xFF68,
    NamedKey.KP_ADD: 0xFFAB,
    NamedKey.KP_SUBTRACT: 0xFFAD,
    NamedKey.KP_MULTIPLY: 0xFFAA,
    NamedKey.KP_DIVIDE: 0xFFAF,
    NamedKey.KP_DECIMAL: 0xFFAE,
    NamedKey.KP_SEPARATOR: 0xFFAC,
    NamedKey.KP_ENTER: 0xFF8D,
    NamedKey.KP_EQUAL: 0xFFBD,
    NamedKey.VOLUME_UP: 0x1008FF13,
    NamedKey.VOLUME_DOWN: 0x1008FF11,
    NamedKey.VOLUME_MUTE: 0x1008FF12,
    NamedKey.MEDIA_PLAY: 0x1008FF14,
    NamedKey.MEDIA_STOP: 0x1008FF15,
    NamedKey.MEDIA_NEXT: 0x1008FF17,
    NamedKey.MEDIA_PREVIOUS: 0x1008FF16,
    NamedKey.BROWSER_BACK: 0x1008FF26,
    NamedKey.BROWSER_FORWARD: 0x1008FF27,
    NamedKey.BROWSER_REFRESH: 0x1008FF29,
    NamedKey.BROWSER_HOME: 0x1008FF18,
    NamedKey.BROWSER_SEARCH: 0x1008FF1B,
    NamedKey.BROWSER_FAVORITES: 0x1008FF30,
    NamedKey.SLEEP: 0x1008FF2F,
    **{NamedKey(f"f{number}"): 0xFFBD + number for number in range(1, 25)},
    **{NamedKey(f"kp_{digit}"): 0xFFB0 + digit for digit in range(10)},
}
