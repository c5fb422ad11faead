"""Takes a line apart into words and quoted things, so that sentences can be recognized by their words alone.

`Type {x} into the "Patient ID" field.` becomes `Type <0> into the <1> field` (the marks are private
characters), with the variable and the quoted text kept beside it. Quotes may be straight, curly, single or
double.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from cyberdesk_server.domain.prompts import PLACEHOLDER, escape


class Kind(Enum):
    QUOTED = "q"
    VARIABLE = "v"
    PICTURE = "p"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a mark stands for."""

    kind: Kind
    text: str
    """The quoted text (a template), the variable as written, or the picture's source."""

    written: str
    """As it stands in the line."""


_OPEN = {Kind.QUOTED: "\ue000", Kind.VARIABLE: "\ue001", Kind.PICTURE: "\ue002"}
_FIRST_NUMBER = 0xE100
NUMBER = "[\ue100-\uf8fe]"
QUOTED = f"\ue000{NUMBER}"
VARIABLE = f"\ue001{NUMBER}"
PICTURE = f"\ue002{NUMBER}"
VALUE = f"(?:{QUOTED}|{VARIABLE})"
"""What can be typed: quoted or variable."""

THING = f"(?:{QUOTED}|{PICTURE})"
"""What can be looked for: quoted or a picture."""

_INSIDE = rf"(?:\\\"|{PLACEHOLDER}|[^QUOTES])*?"


def _between(opening: str, closing: str) -> str:
    return opening + _INSIDE.replace("QUOTES", re.escape(closing)) + closing


_MARKED = re.compile(
    "|".join(
        (
            r'(?P<picture><img "[^"]*">)',
            rf"(?P<variable>(?<!\\){PLACEHOLDER})",
            r"(?P<quoted>"
            + "|".join(
                (
                    _between('"', '"'),
                    _between("\u201c", "\u201d"),
                    _between("\u201e", "[\u201c\u201d]").replace(re.escape("[\u201c\u201d]"), "\u201c\u201d"),
                    _between("\u00ab", "\u00bb"),
                    rf"(?<![\w])'{_INSIDE.replace('QUOTES', chr(10))}'(?!\w)",
                    rf"(?<![\w])\u2018{_INSIDE.replace('QUOTES', chr(10))}\u2019(?!\w)",
                    _between("`", "`"),
                )
            )
            + ")",
        )
    )
)


@dataclass(frozen=True, slots=True)
class Marked:
    """A line with marks, or a part of one."""

    text: str
    marks: Sequence[Mark]

    def part(self, text: str) -> "Marked":
        """A piece of the same line."""
        return Marked(text.strip(), self.marks)

    def mark(self, written: str) -> Mark:
        """What the first mark in a piece of the line stands for."""
        number = re.search(NUMBER, written)
        assert number is not None
        return self.marks[ord(number.group()) - _FIRST_NUMBER]

    def all(self, written: str) -> list[Mark]:
        """What the marks in a piece of the line stand for."""
        return [self.marks[ord(number) - _FIRST_NUMBER] for number in re.findall(NUMBER, written)]

    def template(self, written: str) -> str:
        """The text that quoted texts, variables and single words say one after another, as a template."""
        pieces = re.split(f"([\ue000-\ue002]{NUMBER})", written)
        return "".join(
            self.mark(piece).text if re.match("[\ue000-\ue002]", piece) else escape(piece) for piece in pieces
        )

    @property
    def written(self) -> str:
        """As the author wrote it."""
        return re.sub(f"[\ue000-\ue002]({NUMBER})", lambda found: self.mark(found.group()).written, self.text)


def marked(text: str) -> Marked:
    """A line with marks for everything quoted, every variable and every picture."""
    marks: list[Mark] = []

    def mark(found: re.Match[str]) -> str:
        written = found.group()
        match found.lastgroup:
            case "picture":
                kind, said = Kind.PICTURE, written[len('<img "') : -len('">')]
            case "variable":
                kind, said = Kind.VARIABLE, written
            case _:
                kind, said = Kind.QUOTED, written[1:-1].replace('\\"', '"')
        marks.append(Mark(kind, said, written))
        return _OPEN[kind] + chr(_FIRST_NUMBER + len(marks) - 1)

    return Marked(_MARKED.sub(mark, text), marks)
