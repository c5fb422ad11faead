"""Key sequences such as `ctrl+a shift+tab`, read into chords.

    sequence = chord (whitespace chord)*
    chord    = part ("+" part)*
    part     = "+" | a single character | a name | U<hex code point>

Names ignore case, `_` and `-`: `Page_Down`, `pagedown` and `PAGE-DOWN` are one key. The names are those of
xdotool and of the vendor's drivers. A letter means its key, so `A` is `a`; a capital is `shift+a`. Several
ordinary keys of one chord are tapped one after another while its modifiers are down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from cyberdriver.backends.base import InputRefused


class UnknownKey(InputRefused):
    """A key sequence names a key that does not exist; nothing was pressed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"unknown key {self.name!r}" if self.name else "the key sequence names no key"


class Modifier(Enum):
    """A key that changes the meaning of others while it is down; the value is its canonical name."""

    CTRL = "ctrl"
    CTRL_RIGHT = "ctrl_r"
    ALT = "alt"
    ALT_RIGHT = "alt_r"
    ALTGR = "altgr"
    SHIFT = "shift"
    SHIFT_RIGHT = "shift_r"
    SUPER = "super"
    SUPER_RIGHT = "super_r"
    HYPER = "hyper"


class NamedKey(Enum):
    """A key that types no character of its own; the value is its canonical name."""

    ENTER = "enter"
    TAB = "tab"
    BACKSPACE = "backspace"
    DELETE = "delete"
    INSERT = "insert"
    ESCAPE = "escape"
    HOME = "home"
    END = "end"
    PAGE_UP = "page_up"
    PAGE_DOWN = "page_down"
    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"
    CAPS_LOCK = "caps_lock"
    NUM_LOCK = "num_lock"
    SCROLL_LOCK = "scroll_lock"
    PRINT = "print"
    PAUSE = "pause"
    BREAK = "break"
    MENU = "menu"
    CLEAR = "clear"
    HELP = "help"
    SELECT = "select"
    EXECUTE = "execute"
    CANCEL = "cancel"
    UNDO = "undo"
    REDO = "redo"
    FIND = "find"
    F1 = "f1"
    F2 = "f2"
    F3 = "f3"
    F4 = "f4"
    F5 = "f5"
    F6 = "f6"
    F7 = "f7"
    F8 = "f8"
    F9 = "f9"
    F10 = "f10"
    F11 = "f11"
    F12 = "f12"
    F13 = "f13"
    F14 = "f14"
    F15 = "f15"
    F16 = "f16"
    F17 = "f17"
    F18 = "f18"
    F19 = "f19"
    F20 = "f20"
    F21 = "f21"
    F22 = "f22"
    F23 = "f23"
    F24 = "f24"
    KP_0 = "kp_0"
    KP_1 = "kp_1"
    KP_2 = "kp_2"
    KP_3 = "kp_3"
    KP_4 = "kp_4"
    KP_5 = "kp_5"
    KP_6 = "kp_6"
    KP_7 = "kp_7"
    KP_8 = "kp_8"
    KP_9 = "kp_9"
    KP_ADD = "kp_add"
    KP_SUBTRACT = "kp_subtract"
    KP_MULTIPLY = "kp_multiply"
    KP_DIVIDE = "kp_divide"
    KP_DECIMAL = "kp_decimal"
    KP_SEPARATOR = "kp_separator"
    KP_ENTER = "kp_enter"
    KP_EQUAL = "kp_equal"
    VOLUME_UP = "volume_up"
    VOLUME_DOWN = "volume_down"
    VOLUME_MUTE = "volume_mute"
    MEDIA_PLAY = "media_play"
    MEDIA_STOP = "media_stop"
    MEDIA_NEXT = "media_next"
    MEDIA_PREVIOUS = "media_previous"
    BROWSER_BACK = "browser_back"
    BROWSER_FORWARD = "browser_forward"
    BROWSER_REFRESH = "browser_refresh"
    BROWSER_HOME = "browser_home"
    BROWSER_SEARCH = "browser_search"
    BROWSER_FAVORITES = "browser_favorites"
    SLEEP = "sleep"


@dataclass(frozen=True, slots=True)
class Character:
    """The key, or the keys, that type one character."""

    character: str


Key = Character | NamedKey


@dataclass(frozen=True, slots=True)
class Chord:
    """Keys that belong together: `modifiers` are down, in order, while `keys` are tapped in turn."""

    modifiers: tuple[Modifier, ...] = ()
    keys: tuple[Key, ...] = ()

    def __str__(self) -> str:
        return "+".join([*(modifier.value for modifier in self.modifiers), *map(_name_of, self.keys)])


def parse_keys(sequence: str) -> tuple[Chord, ...]:
    """The chords of a sequence, at least one.

    Raises `UnknownKey` naming the first part that is no key. `str()` of a chord is a sequence that means it.
    """
    chords = tuple(_parse_chord(word) for word in sequence.split())
    if not chords:
        raise UnknownKey("")
    return chords


def _parse_chord(word: str) -> Chord:
    modifiers: list[Modifier] = []
    keys: list[Key] = []
    for part in _parts(word):
        match _parse_part(part):
            case Modifier() as modifier:
                if modifier not in modifiers:
                    modifiers.append(modifier)
            case key:
                keys.append(key)
    return Chord(tuple(modifiers), tuple(keys))


def _parts(word: str) -> Iterator[str]:
    """The parts between the `+` signs, where a `+` in the place of a part is itself one."""
    start = 0
    while start < len(word):
        plus = word.find("+", start + 1)
        end = len(word) if plus < 0 else plus
        yield word[start:end]
        if end == len(word) - 1:
            raise UnknownKey(word)
        start = end + 1


def _parse_part(part: str) -> Modifier | Key:
    if len(part) == 1:
        if not part.isprintable():
            raise UnknownKey(part)
        # Only letters with a plain lower case: "İ".lower() is two characters, which no single key types.
        return Character(part.lower() if len(part.lower()) == 1 else part)
    found = _NAMES.get(_normal(part))
    if found is not None:
        return found
    if code_point := _CODE_POINT.fullmatch(part):
        value = int(code_point[1], 16)
        if value <= 0x10FFFF and chr(value).isprintable():
            return Character(chr(value))
    raise UnknownKey(part)


def _normal(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _name_of(key: Key) -> str:
    match key:
        case NamedKey():
            return key.value
        case Character(" "):
            return "space"
        case Character(character) if character.lower() != character or character.isspace():
            return f"U{ord(character):04X}"
        case Character(character):
            return character


_CODE_POINT = re.compile(r"[Uu]([0-9A-Fa-f]{4,6})")

_MODIFIER_ALIASES: dict[Modifier, str] = {
    Modifier.CTRL: "control ctrlleft ctrll controll controlleft lctrl lcontrol ctl",
    Modifier.CTRL_RIGHT: "ctrlright controlr controlright rctrl rcontrol",
    Modifier.ALT: "altleft altl lalt option opt optionleft",
    Modifier.ALT_RIGHT: "altright ralt optionright",
    Modifier.ALTGR: "isolevel3shift modeswitch altgraph",
    Modifier.SHIFT: "shiftleft shiftl lshift",
    Modifier.SHIFT_RIGHT: "shiftright rshift",
    Modifier.SUPER: "superl superleft lsuper win winleft winl lwin windows window logo "
    "cmd command cmdl commandleft meta metal metaleft lmeta",
    Modifier.SUPER_RIGHT: "superright rsuper winright winr rwin "
    "cmdr cmdright commandright metar metaright rmeta",
    Modifier.HYPER: "hyperl hyperr",
}

_KEY_ALIASES: dict[NamedKey, str] = {
    NamedKey.ENTER: "return ret linefeed newline",
    NamedKey.BACKSPACE: "bksp bs",
    NamedKey.DELETE: "del kpdelete",
    NamedKey.INSERT: "ins kpinsert",
    NamedKey.ESCAPE: "esc",
    NamedKey.HOME: "begin kphome",
    NamedKey.END: "kpend",
    NamedKey.PAGE_UP: "pgup prior pageu kpprior kppageup",
    NamedKey.PAGE_DOWN: "pgdn pgdown next paged kpnext kppagedown",
    NamedKey.UP: "arrowup uparrow kpup",
    NamedKey.DOWN: "arrowdown downarrow kpdown",
    NamedKey.LEFT: "arrowleft leftarrow kpleft",
    NamedKey.RIGHT: "arrowright rightarrow kpright",
    NamedKey.CAPS_LOCK: "caps",
    NamedKey.NUM_LOCK: "numlk",
    NamedKey.SCROLL_LOCK: "scrolllk",
    NamedKey.PRINT: "printscreen prntscrn prtsc prtscr prtscn printscrn sysrq sysreq snapshot",
    NamedKey.MENU: "apps contextmenu application",
    NamedKey.CLEAR: "kpbegin",
    NamedKey.CANCEL: "stop",
    NamedKey.KP_ADD: "add kpplus numpadadd",
    NamedKey.KP_SUBTRACT: "subtract kpminus numpadsubtract",
    NamedKey.KP_MULTIPLY: "multiply kpasterisk numpadmultiply",
    NamedKey.KP_DIVIDE: "divide kpslash numpaddivide",
    NamedKey.KP_DECIMAL: "decimal numpaddecimal",
    NamedKey.KP_SEPARATOR: "separator",
    NamedKey.KP_ENTER: "numpadenter",
    NamedKey.VOLUME_UP: "xf86audioraisevolume",
    NamedKey.VOLUME_DOWN: "xf86audiolowervolume",
    NamedKey.VOLUME_MUTE: "mute xf86audiomute",
    NamedKey.MEDIA_PLAY: "playpause xf86audioplay",
    NamedKey.MEDIA_STOP: "xf86audiostop",
    NamedKey.MEDIA_NEXT: "nexttrack xf86audionext",
    NamedKey.MEDIA_PREVIOUS: "prevtrack xf86audioprev",
    NamedKey.BROWSER_BACK: "xf86back",
    NamedKey.BROWSER_FORWARD: "xf86forward",
    NamedKey.BROWSER_REFRESH: "xf86refresh xf86reload",
    NamedKey.BROWSER_HOME: "xf86homepage",
    NamedKey.BROWSER_SEARCH: "xf86search",
    NamedKey.BROWSER_FAVORITES: "xf86favorites",
    NamedKey.SLEEP: "xf86sleep",
} | {NamedKey(f"kp_{digit}"): f"num{digit} numpad{digit}" for digit in range(10)}

_CHARACTER_NAMES: dict[str, str] = {
    " ": "space spacebar",
    "!": "exclam exclamation",
    '"': "quotedbl doublequote",
    "#": "numbersign hash",
    "$": "dollar",
    "%": "percent",
    "&": "ampersand",
    "'": "apostrophe quoteright quote",
    "(": "parenleft",
    ")": "parenright",
    "*": "asterisk star",
    "+": "plus",
    ",": "comma",
    "-": "minus hyphen dash",
    ".": "period dot",
    "/": "slash",
    ":": "colon",
    ";": "semicolon",
    "<": "less",
    "=": "equal equals",
    ">": "greater",
    "?": "question",
    "@": "at",
    "[": "bracketleft",
    "\\": "backslash",
    "]": "bracketright",
    "^": "asciicircum caret",
    "_": "underscore",
    "`": "grave quoteleft backtick",
    "{": "braceleft",
    "|": "bar pipe",
    "}": "braceright",
    "~": "asciitilde tilde",
    "€": "eurosign euro",
    "£": "sterling",
}


def _all_names() -> dict[str, Modifier | Key]:
    names: dict[str, Modifier | Key] = {}
    for modifier in Modifier:
        names[_normal(modifier.value)] = modifier
        names |= dict.fromkeys(_MODIFIER_ALIASES[modifier].split(), modifier)
    for key in NamedKey:
        names[_normal(key.value)] = key
        names |= dict.fromkeys(_KEY_ALIASES.get(key, "").split(), key)
    for character, aliases in _CHARACTER_NAMES.items():
        names |= dict.fromkeys(aliases.split(), Character(character))
    return names


_NAMES = _all_names()
