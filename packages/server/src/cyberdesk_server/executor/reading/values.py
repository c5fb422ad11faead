"""What is the value that stands beside a label? Rules over one sight of a screen."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.executor.reading.fields import field_below, field_of, field_right_of
from cyberdesk_server.executor.reading.pages import Phrase, Side, Word, are_on_one_line, lines_of, union
from cyberdesk_server.executor.reading.sight import Sight

FARTHEST_HEIGHTS = 30
"""A value is at most so many text heights away from its label."""
_SPACE_HEIGHTS = 1.6
_NEXT_LINE_HEIGHTS = 3


@dataclass(frozen=True, slots=True)
class Reading:
    text: str
    """Lines are separated by line breaks. Empty for an empty field."""

    box: Box | None
    """Where it was read; None when there was nothing."""


def text_beside(sight: Sight, label: Box, side: Side) -> Reading | None:
    """The text on that side of a label.

    Right of and below a label with an input field there: what the field holds. Otherwise the nearest words,
    up to the first gap wider than a space or two, on the label's line (right, left) or the nearest line in
    the label's column (below, above). Inside: what the label's field or the smallest area around it holds.
    None when nothing is there.
    """
    match side:
        case Side.RIGHT:
            field = field_right_of(label, sight.areas, sight.page)
            return text_in(sight, field, label) if field else _run(sight, label, _right_of)
        case Side.LEFT:
            return _run(sight, label, _left_of)
        case Side.BELOW:
            field = field_below(label, sight.areas)
            return text_in(sight, field, label) if field else _line(sight, _lines_below(sight, label))
        case Side.ABOVE:
            return _line(sight, _lines_above(sight, label))
        case Side.INSIDE:
            return _inside(sight, label)


def paragraph_below(sight: Sight, label: Box) -> Reading | None:
    """All lines under a label, until a gap or until something starts left of them."""
    lines: list[Sequence[Phrase]] = []
    for line in _lines_below(sight, label):
        box = union(phrase.box for phrase in line)
        if lines:
            above = union(phrase.box for phrase in lines[-1])
            first = union(phrase.box for phrase in lines[0])
            if box.top - above.bottom > 1.2 * above.height or box.left < first.left - first.height:
                break
        lines.append(line)
    return _joined([[sight.exactly(phrase) for phrase in line] for line in lines]) if lines else None


def text_in(sight: Sight, box: Box, label: Box | None = None) -> Reading:
    """Everything that is written in a box, line by line, without the label that stands in it."""
    inside = [
        sight.exactly(phrase)
        for phrase in sight.page.inside(box).phrases
        if label is None or not label.contains(phrase.box.center)
    ]
    return _joined(lines_of(inside)) if inside else Reading("", None)


def _inside(sight: Sight, label: Box) -> Reading | None:
    field = field_of(label, sight.areas, sight.page)
    if field is not None and not field.contains(label.center):
        return text_in(sight, field, label)
    for area in (area for area in sight.areas if area.contains(label.center)):
        reading = text_in(sight, area, label)
        if reading.text:
            return reading
    return None


def _run(sight: Sight, label: Box, pick: Callable[[Iterable[Word], Box], list[Word]]) -> Reading | None:
    """The words next to a label on its line, until the first wide gap."""
    phrases = [phrase for phrase in sight.page.phrases if are_on_one_line(phrase.box, label)]
    near = pick((word for phrase in phrases for word in phrase.words), label)
    if not near:
        return None
    place = union(word.box for word in near)
    exact = (sight.exactly(phrase) for phrase in phrases if _overlap(phrase.box, place))
    words = [
        word
        for phrase in exact
        for word in phrase.words
        if place.left - 2 <= word.box.center.x < place.right + 2
    ]
    return Reading(" ".join(word.text for word in sorted(words, key=lambda word: word.box.left)), place)


def _right_of(words: Iterable[Word], label: Box) -> list[Word]:
    after = sorted(
        (word for word in words if word.box.center.x > label.right), key=lambda word: word.box.left
    )
    return _until_gap(after, lambda near, far: far.left - near.right, label)


def _left_of(words: Iterable[Word], label: Box) -> list[Word]:
    before = sorted(
        (word for word in words if word.box.center.x < label.left), key=lambda word: -word.box.right
    )
    return _until_gap(before, lambda near, far: near.left - far.right, label)


def _until_gap(words: Sequence[Word], gap: Callable[[Box, Box], int], label: Box) -> list[Word]:
    height = max(label.height, 10)
    # A colon or a dash between label and value is nobody's text.
    taken = (
        [word for word in words if any(character.isalnum() for character in word.text)][:1] if words else []
    )
    if not taken or gap(label, taken[0].box) > FARTHEST_HEIGHTS * height:
        return []
    for word in words[words.index(taken[0]) + 1 :]:
        if gap(taken[-1].box, word.box) > _SPACE_HEIGHTS * height:
            break
        taken.append(word)
    return taken


def _lines_below(sight: Sight, label: Box) -> list[Sequence[Phrase]]:
    below = [
        phrase
        for phrase in sight.page.phrases
        if phrase.box.top >= label.bottom - 2 and _in_column(phrase, label)
    ]
    return [
        line
        for line in lines_of(below)
        if line[0].box.top - label.bottom <= FARTHEST_HEIGHTS * max(label.height, 10)
    ]


def _lines_above(sight: Sight, label: Box) -> list[Sequence[Phrase]]:
    above = [
        phrase
        for phrase in sight.page.phrases
        if phrase.box.bottom <= label.top + 2 and _in_column(phrase, label)
    ]
    return list(reversed(lines_of(above)))


def _in_column(phrase: Phrase, label: Box) -> bool:
    return phrase.box.left < label.right + label.height and label.left - label.height < phrase.box.right


def _line(sight: Sight, lines: Sequence[Sequence[Phrase]]) -> Reading | None:
    """The nearest line of a column, with what stands no more than a space or two beside it."""
    if not lines:
        return None
    line = list(lines[0])
    on_line = [phrase for phrase in sight.page.phrases if are_on_one_line(phrase.box, line[0].box)]
    for phrase in sorted(on_line, key=lambda phrase: phrase.box.left):
        gap = phrase.box.left - line[-1].box.right
        if 0 < gap <= _SPACE_HEIGHTS * line[-1].box.height:
            line.append(phrase)
    return _joined([[sight.exactly(phrase) for phrase in line]])


def _joined(lines: Sequence[Sequence[Phrase]]) -> Reading:
    return Reading(
        "\n".join(" ".join(phrase.text for phrase in line) for line in lines),
        union(phrase.box for line in lines for phrase in line),
    )


def _overlap(first: Box, second: Box) -> bool:
    return first.left < second.right and second.left < first.right
