"""Which rows and columns does a table have? Rules over words: columns stand under their headings.

The line of headings is the first line with two or more phrases below the table's name, or the named line
itself when the name is one of the headings. Rows follow at about equal distances; a wider gap, or a line that
starts left of the headings, ends the table.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.executor.reading.pages import Page, Phrase, Word, are_on_one_line, union

_ROW_GAP_GROWTH = 1.35
_WIDEST_GAP_HEIGHTS = 6


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    """Headings as printed, from left to right."""

    rows: tuple[Mapping[str, str], ...]
    """Cells by heading; an empty cell is an empty text."""

    box: Box
    """Around headings and rows."""


class NoTable(Exception):
    """There are no column headings under the name."""


def table_under(
    page: Page, name: Box, *, exactly: Callable[[Phrase], Phrase] = lambda phrase: phrase
) -> Table:
    """The table whose name, or one of whose headings, stands in `name`. Raises `NoTable`."""
    lines = [line for line in page.lines if line[0].box.bottom > name.top]
    start = _headings(lines, name)
    if start is None:
        raise NoTable
    headings = [exactly(phrase) for phrase in lines[start]]
    found = [_cells(line, headings, exactly) for line in _rows(lines[start:], headings)]
    columns = _distinct([heading.text for heading in headings])
    rows = tuple(dict(zip(columns, cells, strict=True)) for cells in found)
    phrases = [phrase for line in lines[start : start + len(rows) + 1] for phrase in line]
    return Table(columns, rows, union(phrase.box for phrase in phrases))


def _headings(lines: Sequence[Sequence[Phrase]], name: Box) -> int | None:
    for number, line in enumerate(lines):
        if len(line) < 2:
            continue
        is_named = any(are_on_one_line(phrase.box, name) for phrase in line)
        if not is_named or _is_followed_by_row(lines, number):
            return number
    return None


def _is_followed_by_row(lines: Sequence[Sequence[Phrase]], number: int) -> bool:
    """True when the next line stands under this one like a row under its headings."""
    if number + 1 >= len(lines):
        return False
    headings, row = lines[number], lines[number + 1]
    gap = row[0].box.top - headings[0].box.bottom
    return len(row) >= 2 and gap <= 3 * headings[0].box.height and _aligned(row[1].box, headings) is not None


def _aligned(cell: Box, headings: Sequence[Phrase]) -> Phrase | None:
    return next((heading for heading in headings if _distance(cell, heading.box) <= 8), None)


def _rows(lines: Sequence[Sequence[Phrase]], headings: Sequence[Phrase]) -> Iterator[Sequence[Phrase]]:
    """The lines under the headings that belong to the table."""
    previous = union(heading.box for heading in headings)
    left, height = headings[0].box.left, max(heading.box.height for heading in headings)
    smallest_pitch: int | None = None
    for line in lines[1:]:
        box = union(phrase.box for phrase in line)
        pitch = box.center.y - previous.center.y
        if box.left < left - height or pitch > _WIDEST_GAP_HEIGHTS * height:
            return
        if smallest_pitch is not None and pitch > _ROW_GAP_GROWTH * smallest_pitch:
            return
        if len(line) == 1 and len(headings) > 1 and box.left < left - 4:
            return
        smallest_pitch = min(pitch, smallest_pitch or pitch)
        previous = box
        yield line


def _cells(
    line: Sequence[Phrase], headings: Sequence[Phrase], exactly: Callable[[Phrase], Phrase]
) -> list[str]:
    cells: list[list[str]] = [[] for _ in headings]
    for phrase in line:
        for words in _pieces(exactly(phrase).words, headings):
            place = union(word.box for word in words)
            column = min(range(len(headings)), key=lambda i: _distance(place, headings[i].box))
            cells[column].append(" ".join(word.text for word in words))
    return [" ".join(cell) for cell in cells]


def _pieces(words: Sequence[Word], headings: Sequence[Phrase]) -> list[list[Word]]:
    """The words of a phrase, parted where one of them starts exactly under another heading."""
    pieces: list[list[Word]] = []
    for word in words:
        starts_column = any(abs(word.box.left - heading.box.left) <= 3 for heading in headings)
        if not pieces or starts_column:
            pieces.append([word])
        else:
            pieces[-1].append(word)
    return pieces


def _distance(cell: Box, heading: Box) -> int:
    """How badly a cell is aligned with a heading: left, right or centered, whichever fits best."""
    return min(
        abs(cell.left - heading.left), abs(cell.right - heading.right), abs(cell.center.x - heading.center.x)
    )


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names, a number added to those that came before: `Date`, `Date 2`."""
    counts: dict[str, int] = {}
    distinct = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        distinct.append(name if counts[name] == 1 else f"{name} {counts[name]}")
    return tuple(distinct)
