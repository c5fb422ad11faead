"""Where on a screen is what a sentence talks about? Rules over one sight of the screen.

Of several places the sentence's own words decide: "the second", "right of", "in the row of". Without them the
best match counts (see `reading.labels`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key

from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.executor.reading import labels, pictures
from cyberdesk_server.executor.reading.fields import field_of
from cyberdesk_server.executor.reading.pages import Side, are_on_one_line
from cyberdesk_server.executor.reading.segments import Image
from cyberdesk_server.executor.reading.sight import Sight
from cyberdesk_server.executor.steps.language import LAST, Label, Picture, Related, Spot, Target, Thing
from cyberdesk_server.executor.steps.wording import quoted, told


class NotFound(Exception):
    """What a sentence talks about is not on the screen; the message says what was looked for and seen."""


@dataclass(frozen=True)
class Ground:
    """A screen, and the pictures of the prompt."""

    sight: Sight
    pictures: Mapping[str, Image] = field(default_factory=dict)

    @property
    def size(self) -> Size:
        return self.sight.page.size

    def anchors(self, target: Target) -> tuple[Box, ...]:
        """Where the things are that say which one is meant. Raises `NotFound`."""
        if isinstance(target, Spot) or target.relation is None:
            return ()
        to = target.relation.to
        return (self.locate(to), *self.anchors(to))

    def locate(self, target: Target) -> Box:
        """Where this is. Raises `NotFound`."""
        if not isinstance(target, Spot):
            return self._one_of(target)
        size = self.size
        if not Box(0, 0, *size).contains(target.at):
            raise NotFound(f"{told(target)} is outside the screen of {size.width}x{size.height}")
        return Box(target.at.x, target.at.y, target.at.x + 1, target.at.y + 1)

    def field(self, target: Target) -> Box:
        """The input field that a label names; a picture or a place is the field itself. Raises `NotFound`."""
        place = self.locate(target)
        if not isinstance(target, Label):
            return place
        found = field_of(place, self.sight.areas, self.sight.page)
        if found is None:
            raise NotFound(f"there is no field right of, below or around {told(target)}")
        return found

    def shows(self, thing: Thing) -> bool:
        """True when this is on the screen."""
        try:
            self.locate(thing)
        except NotFound:
            return False
        return True

    def _one_of(self, thing: Thing) -> Box:
        found = [self._chosen(thing, places) for places in self._places(thing)]
        number = -1 if thing.ordinal == LAST else (thing.ordinal or 1) - 1
        for boxes in found:
            if -len(boxes) <= number < len(boxes):
                return boxes[number]
        if not any(found):
            raise NotFound(self._missing(thing))
        raise NotFound(f"{told(thing)} is not on the screen, which has only {len(found[-1])} of them")

    def _chosen(self, thing: Thing, places: list[Box]) -> list[Box]:
        """The places that fit the sentence, in the order it counts them."""
        if thing.relation:
            return self._related(places, thing.relation)
        return sorted(places, key=cmp_to_key(_reading_order)) if thing.ordinal is not None else places

    def _places(self, thing: Thing) -> list[list[Box]]:
        """The places of a label or a picture, best first: those that match as well as the best, then all."""
        if isinstance(thing, Picture):
            return [pictures.places(self.sight.picture, self.pictures[thing.source])]
        found = labels.matches(self.sight.page, thing.text)
        best = [match.box for match in found if match.is_whole == found[0].is_whole]
        return [best, [match.box for match in found]]

    def _related(self, places: Iterable[Box], related: Related) -> list[Box]:
        """Those of the places that stand in the relation, nearest first."""
        anchor = self.locate(related.to)
        areas = self.sight.areas
        fitting = [place for place in places if place != anchor and _fits(place, anchor, related, areas)]
        return sorted(fitting, key=lambda place: _distance(place, anchor))

    def _missing(self, thing: Thing) -> str:
        if isinstance(thing, Picture):
            return f"{told(thing)} is not on the screen"
        if thing.relation and any(self._places(thing)):
            return f"{told(thing)} is not on the screen, although there is {told(Label(thing.text))}"
        nearest = labels.nearest(self.sight.page, thing.text)
        seen = ", ".join(quoted(text) for text in nearest)
        return f"{told(thing)} is not on the screen" + (f"; the nearest to it is {seen}" if seen else "")


def _reading_order(first: Box, second: Box) -> int:
    return first.left - second.left if are_on_one_line(first, second) else first.top - second.top


def _fits(place: Box, anchor: Box, related: Related, areas: Sequence[Box]) -> bool:
    height = max(anchor.height, 10)
    match related.relation:
        case Side.RIGHT:
            return place.left >= anchor.right - 2 and _is_level(place, anchor, height)
        case Side.LEFT:
            return place.right <= anchor.left + 2 and _is_level(place, anchor, height)
        case Side.BELOW:
            return place.top >= anchor.bottom - 2
        case Side.ABOVE:
            return place.bottom <= anchor.top + 2
        case Side.INSIDE:
            around = next(
                (area for area in areas if area.contains(anchor.center) and area.contains(place.center)), None
            )
            return around is not None
        case "in the row of":
            return are_on_one_line(place, anchor) or _is_level(place, anchor, height // 2)
        case "near":
            return True


def _is_level(place: Box, anchor: Box, tolerance: int) -> bool:
    return anchor.top - tolerance <= place.center.y <= anchor.bottom + tolerance


def _distance(place: Box, anchor: Box) -> float:
    across = max(place.left - anchor.right, anchor.left - place.right, 0)
    down = max(place.top - anchor.bottom, anchor.top - place.bottom, 0)
    between_centers = abs(place.center.x - anchor.center.x) + abs(place.center.y - anchor.center.y)
    return math.hypot(across, down) + between_centers / 1000
