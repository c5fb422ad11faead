"""What does a prompt say: its lines, its variables, and its texts once values are in them?

    {x}      an input, known before the run
    {{x}}    a runtime value, read during the run
    {$x}     a secret, filled in at the last moment and never shown

All three take paths: `{a.b}`, `{a[0]}`, `{a['key-with-dash']}`, `{a["Content-Type"]}`, in any mix.
A backslash before the opening brace keeps it literal (`\\{x}`); two are one backslash before a value.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from html.parser import HTMLParser
from itertools import zip_longest

from cyberdesk_server.domain.json import JsonObject, JsonValue

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


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a prompt as plain text."""

    number: int
    """From 1; blank lines of a plain prompt count, so that an editor shows the same number."""

    text: str
    """Without its indentation, bullet or number.

    A picture is the word `<img "SRC">`; a heading starts with `#`.
    """

    indent: int = 0
    """Columns of indentation; a list nested in a list item is 4 columns deeper than the item."""

    is_item: bool = False
    """True for an item of a list."""

    def is_deeper_than(self, other: "Line") -> bool:
        """True when a reader sees this line as being inside the other."""
        return (self.indent, self.is_item) > (other.indent, other.is_item)


def picture(src: str) -> str:
    """How a picture is written inside a line."""
    return f'<img "{src}">'


_HEADING_TAGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCK_TAGS = _HEADING_TAGS | frozenset(
    {"p", "br", "hr", "div", "ul", "ol", "li", "table", "tr", "pre", "html", "body"}
    | {"blockquote", "section", "article", "header", "footer"}
)
_HAS_BLOCKS = re.compile(rf"</?(?:{'|'.join(sorted(_BLOCK_TAGS))})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_PICTURE_TAG = re.compile(r"<img\b[^<>]*>", re.IGNORECASE)
_BULLET = re.compile(r"(?:[-*\u2022\u2023\u25e6\u2013\u2014]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s+")
_LIST_STEP = 4
_TAB_COLUMNS = 4


def plain_lines(prompt: str) -> tuple[Line, ...]:
    """The lines of a prompt that is HTML or plain text; blank ones are left out.

    HTML is whatever holds a block such as `<p>`, `<br>` or `<li>`; there, nested lists become indentation.
    Bullets and numbers before a line are taken off in both.
    """
    lines = _html_lines(prompt) if _HAS_BLOCKS.search(prompt) else _text_lines(prompt)
    return tuple(_without_bullet(line) for line in lines if line.text)


def _text_lines(prompt: str) -> Iterator[Line]:
    for number, written in enumerate(prompt.splitlines(), start=1):
        expanded = written.replace("\u00a0", " ").expandtabs(_TAB_COLUMNS)
        text = _PICTURE_TAG.sub(lambda tag: _picture_in(tag.group()), expanded.strip())
        yield Line(number, text, indent=len(expanded) - len(expanded.lstrip()))


def _picture_in(tag: str) -> str:
    reader = _HtmlReader()
    reader.feed(tag)
    reader.close()
    return reader.lines[0].text if reader.lines else tag


def _without_bullet(line: Line) -> Line:
    bullet = _BULLET.match(line.text)
    return replace(line, text=line.text[bullet.end() :], is_item=True) if bullet else line


def _html_lines(prompt: str) -> Iterator[Line]:
    reader = _HtmlReader()
    reader.feed(prompt)
    reader.close()
    for number, line in enumerate(reader.lines, start=1):
        yield replace(line, number=number)


class _HtmlReader(HTMLParser):
    """Collects the lines a browser would show."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[Line] = []
        self._written: list[str] = []
        self._lists = 0
        self._keeps_whitespace = 0
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            source = dict(attrs).get("src")
            self._written.append(f" {picture(source)} " if source else "")
            return
        if tag in _BLOCK_TAGS:
            self._end_line()
        if tag in _HEADING_TAGS:
            self._written.append("# ")
        if tag in {"ul", "ol"}:
            self._lists += 1
        if tag == "pre":
            self._keeps_whitespace += 1
        if tag in {"script", "style", "head"}:
            self._hidden += 1

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.handle_starttag(tag, attrs)
        elif tag in _BLOCK_TAGS:
            self._end_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCK_TAGS:
            self._end_line()
        if tag in {"ul", "ol"}:
            self._lists = max(self._lists - 1, 0)
        if tag == "pre":
            self._keeps_whitespace = max(self._keeps_whitespace - 1, 0)
        if tag in {"script", "style", "head"}:
            self._hidden = max(self._hidden - 1, 0)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if not self._keeps_whitespace:
            self._written.append(data)
            return
        first, *others = data.split("\n")
        self._written.append(first)
        for other in others:
            self._end_line()
            self._written.append(other.replace(" ", "\u00a0"))

    def close(self) -> None:
        super().close()
        self._end_line()

    def _end_line(self) -> None:
        shown = re.sub(r"[ \t\r\n\f]+", " ", "".join(self._written)).strip(" ").expandtabs(_TAB_COLUMNS)
        self._written.clear()
        text = shown.replace("\u00a0", " ")
        if not text.strip(" #"):
            return
        spaces = len(text) - len(text.lstrip())
        depth = max(self._lists - 1, 0) * _LIST_STEP
        self.lines.append(Line(len(self.lines) + 1, text.strip(), depth + spaces, is_item=self._lists > 0))
