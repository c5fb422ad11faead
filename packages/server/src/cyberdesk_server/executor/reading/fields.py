"""Which input field belongs to a label? The one right of it, below it or around it. Pure rules over boxes."""

from collections.abc import Iterable, Sequence

from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.executor.reading.pages import Page

_WIDEST_GAP_HEIGHTS = 30
_SMALLEST_WIDTH_PX = 24
_SMALLEST_HEIGHT_PX = 11


def field_of(label: Box, areas: Sequence[Box], page: Page) -> Box | None:
    """The field a label names, or None.

    A field is an area about as high as a line of text, or one whose top is level with the label. Right of the
    label it must be on its line with no other text before it; below, directly under it. A label at the left
    end of a wider field is the hint inside that field.
    """
    around, beside = _field_around(label, areas), field_right_of(label, areas, page)
    is_hint = around is not None and label.left - around.left <= 1.5 * label.height
    if is_hint and around is not None and (beside is None or around.width > beside.width):
        return around
    return beside or field_below(label, areas) or around


def field_right_of(label: Box, areas: Sequence[Box], page: Page) -> Box | None:
    """The nearest field on the label's line, to the right."""
    height = max(label.height, 10)
    found = [
        area
        for area in _fields(areas, label)
        if -4 <= area.left - label.right <= _WIDEST_GAP_HEIGHTS * height
        and area.top - 3 <= label.center.y < area.bottom + 3
        and (area.height <= 4 * height or abs(area.top - label.top) <= 1.5 * height)
        and not _has_text_between(label, area, page)
    ]
    return min(found, key=lambda area: (area.left, area.width * area.height), default=None)


def field_below(label: Box, areas: Sequence[Box]) -> Box | None:
    """The field directly under the label."""
    height = max(label.height, 10)
    found = [
        area
        for area in _fields(areas, label)
        if -2 <= area.top - label.bottom <= 1.2 * height
        and area.left - height <= label.left <= area.right
        and area.left >= label.left - 4 * height
    ]
    return min(found, key=lambda area: (area.top, area.width * area.height), default=None)


def _field_around(label: Box, areas: Sequence[Box]) -> Box | None:
    """The smallest area that shows the label inside it and is no higher than a field."""
    return next(
        (area for area in areas if area.contains(label.center) and area.height <= 4 * max(label.height, 10)),
        None,
    )


def _fields(areas: Iterable[Box], label: Box) -> Iterable[Box]:
    return (
        area
        for area in areas
        if area.width >= _SMALLEST_WIDTH_PX
        and area.height >= _SMALLEST_HEIGHT_PX
        and not area.contains(label.center)
    )


def _has_text_between(label: Box, area: Box, page: Page) -> bool:
    return any(
        label.right <= word.box.left
        and word.box.center.x < area.left
        and label.top < word.box.center.y < label.bottom
        for phrase in page.phrases
        for word in phrase.words
    )
