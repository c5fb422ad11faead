"""The lines of a prompt as a reader sees them, whether it is HTML or plain text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser


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
