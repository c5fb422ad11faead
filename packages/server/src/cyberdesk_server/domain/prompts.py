"""What does a prompt say: its variables, and its texts once values are in them?

    {x}      an input, known before the run
    {{x}}    a runtime value, read during the run
    {$x}     a secret, filled in at the last moment and never shown

All three take paths: `{a.b}`, `{a[0]}`, `{a['key-with-dash']}`, `{a["Content-Type"]}`, in any mix.
A backslash before the opening brace keeps it literal (`\\{x}`); two are one backslash before a value.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import zip_longest

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompt_lines import plain_lines

EMPTY = "__EMPTY__"
"""What a missing value becomes. Typing it types nothing and leaves the field as it is."""

CLEAR = "__CLEAR__"
"""Typing it clears the focused field."""

LOOP_ITEM = "loop_item"
"""The current item of the innermost loop, whatever else the prompt calls it."""


class PathError(Exception):
    """A path goes on below a text, a number or a truth value, where there is nothing to go into."""

    def __init__(self, placeholder: "Placeholder", found: str | bool | int | float) -> None:
        # The value itself may be a secret, so only its type is told.
        kind = {str: "a text", bool: "a truth value"}.get(type(found), "a number")
        super().__init__(f"{placeholder} goes into {kind}, which has no parts")
        self.placeholder = placeholder


class Kind(StrEnum):
    INPUT = "input"
    RUNTIME = "runtime"
    SECRET = "secret"


_BRACES = {Kind.INPUT: ("{", "}"), Kind.RUNTIME: ("{{", "}}"), Kind.SECRET: ("{$", "}")}
_PLAIN_KEY = re.compile(r"[^\W\d][\w-]*")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A variable where it is used."""

    kind: Kind
    name: str
    path: tuple[str | int, ...] = ()
    """Where inside the variable: keys and list indexes."""

    def __str__(self) -> str:
        opening, closing = _BRACES[self.kind]
        return opening + path_text(self.name, self.path) + closing


def path_text(name: str, path: Sequence[str | int]) -> str:
    """A name and a path as one writes them: `a.b[0]['key with space']`."""
    return name + "".join(_segment_text(segment) for segment in path)


def path_of(text: str) -> tuple[str | int, ...] | None:
    """The path that is written so (`.b[0]['key with space']`, or nothing); None when the text is none."""
    return tuple(_segments(text)) if _PATH.fullmatch(text) else None


def _segment_text(segment: str | int) -> str:
    if isinstance(segment, int):
        return f"[{segment}]"
    if _PLAIN_KEY.fullmatch(segment):
        return f".{segment}"
    return f"['{segment}']" if "'" not in segment else f'["{segment}"]'


_INDEX_DIGITS = 9
"""No list is longer, and Python refuses to read a number of thousands of digits."""

_SEGMENT = re.compile(
    rf"""\.(?P<key>\w[\w-]*)|\[(?P<index>\d{{1,{_INDEX_DIGITS}}})\]"""
    r"""|\['(?P<single>[^']*)'\]|\["(?P<double>[^"]*)"\]"""
)
_ANY_PATH = rf"(?:{re.sub(r'[?]P<[a-z]+>', '?:', _SEGMENT.pattern)})*"
_PATH = re.compile(_ANY_PATH)
_NAME_AND_PATH = rf"[^\W\d][\w-]*{_ANY_PATH}"
_BODY = {
    Kind.RUNTIME: rf"\{{\{{\s*(?:{_NAME_AND_PATH})\s*\}}\}}",
    Kind.SECRET: rf"\{{\$(?:{_NAME_AND_PATH})\s*\}}",
    Kind.INPUT: rf"\{{\s*(?:{_NAME_AND_PATH})\s*\}}",
}
_PLACEHOLDER = re.compile(
    r"(?P<slashes>\\*)(?:" + "|".join(f"(?P<{kind.value}>{body})" for kind, body in _BODY.items()) + ")"
)
PLACEHOLDER = "(?:" + "|".join(_BODY.values()) + ")"
"""Regular expression of a variable of any kind, without groups."""

_FOR_EACH = re.compile(
    r"\bfor\s+(?:each|every|all)\s+(?:\{\s*(?P<name>[^\W\d][\w-]*)\s*\}\s+(?:in|of)\b"
    r"|(?P<word>[^\W\d]\w*)\s+(?:in|of)\s+(?:the\s+)?\[?[{\"'`\u201c\u201e\u00ab\u2018])",
    re.IGNORECASE,
)
_SECRET_LIKE = re.compile(rf"(?P<slashes>\\*)(?P<secret>{_BODY[Kind.SECRET]})")

Part = str | Placeholder


def parts(text: str) -> tuple[Part, ...]:
    """The literal texts and placeholders that `text` is made of, in order; escapes are resolved."""
    return _merged(_scan(text, _PLACEHOLDER))


def template(pieces: Sequence[Part]) -> str:
    """The text whose `parts` are these: literal texts are escaped where they look like placeholders."""
    return _written(pieces, _PLACEHOLDER)


def escape(text: str) -> str:
    """`text` as a template that says exactly this, whatever braces it holds."""
    return template((text,))


def _scan(text: str, pattern: re.Pattern[str]) -> Iterator[Part]:
    position = 0
    for match in pattern.finditer(text):
        yield text[position : match.start()]
        slashes = len(match["slashes"])
        yield "\\" * (slashes // 2)
        written = match.group()[slashes:]
        yield written if slashes % 2 else _placeholder(match)
        position = match.end()
    yield text[position:]


def _placeholder(match: re.Match[str]) -> Placeholder:
    kind = Kind(str(match.lastgroup))
    inner = match[kind.value].strip("{$}").strip()
    name = re.match(r"[\w-]+", inner)
    assert name is not None
    return Placeholder(kind, name.group(), tuple(_segments(inner[name.end() :])))


def _segments(path: str) -> Iterator[str | int]:
    for match in _SEGMENT.finditer(path):
        if match["index"] is not None:
            yield int(match["index"])
        else:
            yield next(match[group] for group in ("key", "single", "double") if match[group] is not None)


def _merged(pieces: Iterator[Part]) -> tuple[Part, ...]:
    merged: list[Part] = []
    for piece in pieces:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        elif piece != "":
            merged.append(piece)
    return tuple(merged)


def _written(pieces: Sequence[Part], pattern: re.Pattern[str]) -> str:
    """The pieces as a text that `_scan` with the same pattern takes apart again."""
    written: list[str] = []
    merged = _merged(iter(pieces))
    for piece, following in zip_longest(merged, merged[1:]):
        if isinstance(piece, Placeholder):
            written.append(str(piece))
            continue
        literal = pattern.sub(
            lambda match: match["slashes"] * 2 + "\\" + match.group()[len(match["slashes"]) :], piece
        )
        if isinstance(following, Placeholder):
            literal += "\\" * (len(literal) - len(literal.rstrip("\\")))
        written.append(literal)
    return "".join(written)


def lookup(placeholder: Placeholder, values: Mapping[str, JsonValue]) -> JsonValue:
    """The value a placeholder stands for; `EMPTY` when there is none.

    Raises `PathError` when its path goes into something that has no parts.
    """
    value: JsonValue = values.get(placeholder.name)
    for segment in placeholder.path:
        match value:
            case None | "__EMPTY__":
                return EMPTY
            case str() | bool() | int() | float():
                raise PathError(placeholder, value)
            case Mapping():
                value = value.get(str(segment))
            case _:
                index = str(segment)
                is_index = index.isdecimal() and len(index) <= _INDEX_DIGITS
                value = value[int(index)] if is_index and int(index) < len(value) else None
    return EMPTY if value is None else value


def value_text(value: JsonValue) -> str:
    """A value as it is typed: a text as itself, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def fill(text: str, inputs: JsonObject, runtime_values: Mapping[str, JsonValue]) -> str:
    """`text` with inputs and runtime values in it.

    The result is a template for `fill_secrets`: `{$x}` is still in it, and no value can become one.
    Missing values read `__EMPTY__`; `PathError` when a path goes into a text or a number.
    """

    def filled(part: Part) -> Part:
        match part:
            case Placeholder(kind=Kind.INPUT):
                return value_text(lookup(part, inputs))
            case Placeholder(kind=Kind.RUNTIME):
                return value_text(lookup(part, runtime_values))
            case _:
                return part

    return _written([filled(part) for part in parts(text)], _SECRET_LIKE)


def fill_secrets(text: str, secrets: Mapping[str, JsonValue]) -> str:
    """What `fill` left open, with the secrets in it: for the moment of typing and nothing else.

    Missing secrets read `__EMPTY__`; `PathError` when a path goes into a text or a number.
    """
    return "".join(
        part if isinstance(part, str) else value_text(lookup(part, secrets))
        for part in _scan(text, _SECRET_LIKE)
    )


@dataclass(frozen=True, slots=True)
class Variables:
    """The names a prompt uses, without their paths."""

    inputs: frozenset[str]
    runtime: frozenset[str]
    secrets: frozenset[str]
    items: frozenset[str]
    """Names the prompt gives itself: `item` in `For each {item} in {items}`, and `LOOP_ITEM`."""

    @property
    def inputs_to_give(self) -> frozenset[str]:
        """The inputs somebody has to give a value."""
        return self.inputs - self.items


@lru_cache(maxsize=256)  # the prompts of workflows that run again and again
def variables(prompt: str) -> Variables:
    """Which inputs, runtime values and secrets a prompt mentions."""
    lines = plain_lines(prompt)
    used = [part for line in lines for part in parts(line.text) if isinstance(part, Placeholder)]

    def names(kind: Kind) -> frozenset[str]:
        return frozenset(placeholder.name for placeholder in used if placeholder.kind is kind)

    loops = [loop for line in lines for loop in _FOR_EACH.finditer(line.text)]
    items = frozenset({LOOP_ITEM, *(loop["name"] or loop["word"] for loop in loops)})
    return Variables(names(Kind.INPUT), names(Kind.RUNTIME), names(Kind.SECRET), items)
