"""What was read from one screen: words, phrases and lines with their places. Pure values."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from cyberdesk_server.domain.geometry import Box, Size


class Side(StrEnum):
    """Where something is, seen from a label."""

    RIGHT = "right of"
    LEFT = "left of"
    BELOW = "below"
    ABOVE = "above"
    INSIDE = "inside"


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of these; there must be one."""
    lefts, tops, rights, bottoms = zip(*((b.left, b.top, b.right, b.bottom) for b in boxes), strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def are_on_one_line(first: Box, second: Box) -> bool:
    """True when a reader would read both in one go, from left to right."""
    overlap = min(first.bottom, second.bottom) - max(first.top, second.top)
    return overlap * 2 >= min(first.height, second.height)


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    box: Box


@dataclass(frozen=True)
class Phrase:
    """Words with nothing but spaces between them: a label, a cell, a line of a paragraph."""

    words: tuple[Word, ...]
    confidence: int = 100
    """How sure the reading is, 0 to 100."""

    @cached_property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @cached_property
    def box(self) -> Box:
        return union(word.box for word in self.words)


@dataclass(frozen=True)
class Page:
    """Everything that was read from one screen."""

    size: Size
    phrases: tuple[Phrase, ...]
    """In reading order: line by line, each from left to right."""

    @cached_property
    def lines(self) -> tuple[tuple[Phrase, ...], ...]:
        """The phrases, line by line."""
        return lines_of(self.phrases)

    @cached_property
    def text(self) -> str:
        """The whole page as text, a tab between phrases of one line."""
        return "\n".join("\t".join(phrase.text for phrase in line) for line in self.lines)

    def inside(self, box: Box) -> "Page":
        """The phrases whose centers lie in `box`."""
        return Page(self.size, tuple(phrase for phrase in self.phrases if box.contains(phrase.box.center)))


def page_of(size: Size, phrases: Iterable[Phrase]) -> Page:
    """A page of these phrases, put into reading order."""
    return Page(size, tuple(phrase for line in lines_of(tuple(phrases)) for phrase in line))


def lines_of(phrases: Sequence[Phrase]) -> tuple[tuple[Phrase, ...], ...]:
    """Phrases grouped by line, lines from top to bottom, each from left to right."""
    lines: list[list[Phrase]] = []
    for phrase in sorted(phrases, key=lambda phrase: (phrase.box.top + phrase.box.bottom, phrase.box.left)):
        line = next((line for line in reversed(lines[-3:]) if are_on_one_line(line[0].box, phrase.box)), None)
        if line is None:
            lines.append([phrase])
        else:
            line.append(phrase)
    return tuple(tuple(sorted(line, key=lambda phrase: phrase.box.left)) for line in lines)
