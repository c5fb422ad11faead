"""Does a recorded step still fit the screen? The ladder, cheapest first; every answer gives its reason.

1. The screen is as it was recorded, apart from what changes by itself: a hit.
2. What the step points at, and what it was found by, looks as it did, at its place. Pixels are compared, not
   correlated: a button that is greyed out or renamed does not look as it did. What is on the screen several
   times, as an "Edit" in each row of a table, must have its whole row as it was.
3. What else changed is only the writing, as with other data; no ground and no line is another one.
4. The window has moved, and all in it is as 2 and 3 ask: a hit, and the step moves along. So it does when
   what the step points at has moved, once and with all around it.

Anything else is a miss: then the model looks at the screen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.executor.reading.segments import Image
from cyberdesk_server.executor.replay.changes import Mask, differing, rebuilt, without_carets
from cyberdesk_server.executor.replay.shifts import moved_by, places_of

AT_ITS_PLACE = Point(0, 0)

AROUND_PX = 6
"""Around what is pointed at, that must look as it did: the edge of a button lies there."""

AROUND_A_POINT = (40, 14)
"""Half the width and height of what is compared where a recording names a point and no box."""

_ROW_PX = 3
_FIELD_EDGE_PX = 2
_ALIKE = 0.9
"""Normalized correlation, from which something looks like what is pointed at."""
_MAY_BE_ALIKE = 0.6
_MOST_PEAKS = 40
_BLANK = 8
_INTACT = (160, 80)
"""How far around a thing that moved all must have moved with it, across and down."""
_READABLE_SHARE = 0.3
"""Of the screen that may be built otherwise for a reading, which looks for its own place."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a recording knows about a step besides its screen."""

    targets: tuple[Box, ...] = ()
    """What the step points at; nothing for keys, typing and readings."""

    anchors: tuple[Box, ...] = ()
    """What it was found by: the label of a field, the name in a row."""

    volatile: tuple[Box, ...] = ()
    """What changes by itself."""

    fills_in: bool = False
    """True when the step types into its target: what is written in there may differ."""

    looks_itself: bool = False
    """True when the step looks for its own place, as a reading does, wherever that is now."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a recorded step may be done on this screen, and why."""

    is_hit: bool
    reason: str
    shift: Point = AT_ITS_PLACE
    """How far what the step points at has moved."""

    is_as_recorded: bool = False
    """True when nothing on the screen differs, apart from what changes by itself."""


AS_RECORDED = Verdict(True, "the screen is as it was recorded", is_as_recorded=True)


def check(recorded: Image, current: Image, facts: Facts) -> Verdict:
    """The verdict of the ladder. Both screens are red, green, blue."""
    size, recorded_size = _size(current), _size(recorded)
    if size != recorded_size:
        return _miss(f"the screen is {_told(size)}, it was recorded at {_told(recorded_size)}")
    seen = _Comparison.of(recorded, current, [box.clamped(size) for box in facts.volatile])
    verdict = _in_place(seen, facts)
    if verdict.is_hit:
        return verdict
    return _moved_with_the_window(seen, facts) or _moved_with_all_around(seen, facts) or verdict


def _in_place(seen: "_Comparison", facts: Facts) -> Verdict:
    """The verdict when nothing has moved."""
    if not seen.raw.any():
        return AS_RECORDED
    odd = seen.odd_one(facts)
    if odd is not None:
        return _miss(f"what is expected {_at(odd)} does not look as it did")
    if not seen.changed.any():
        return AS_RECORDED
    return (
        seen.built_otherwise(facts)
        or (None if facts.anchors else seen.row_mixed_up(facts.targets))
        or Verdict(True, "only what is written has changed")
    )


def around(target: Box, size: Size) -> Box:
    """What must look as it did, for a step that points at this."""
    return _around(target).clamped(size)


def _around(target: Box) -> Box:
    across, down = AROUND_A_POINT if target.width <= 1 and target.height <= 1 else (AROUND_PX, AROUND_PX)
    return _grown(target, across, down)


@dataclass(frozen=True)
class _Comparison:
    recorded: Image
    current: Image
    raw: Mask
    """Which pixels differ."""

    changed: Mask
    """`raw` without text cursors."""

    @classmethod
    def of(cls, recorded: Image, current: Image, volatile: Sequence[Box] = ()) -> "_Comparison":
        raw = differing(recorded, current, volatile)
        return cls(recorded, current, raw, without_carets(raw) if raw.any() else raw)

    @property
    def size(self) -> Size:
        return _size(self.current)

    def part(self, here: Box, there: Box) -> "_Comparison":
        """Of what was at one place with what is at another one now; nothing is passed over."""
        recorded, current = _part(self.recorded, here), _part(self.current, there)
        return _Comparison.of(np.ascontiguousarray(recorded), np.ascontiguousarray(current))

    def odd_one(self, facts: Facts) -> Box | None:
        """The first target or anchor that does not look as it did."""
        for target in facts.targets:
            mask = self._edge_of(target) if facts.fills_in else self.raw
            if _part(mask, around(target, self.size)).any():
                return target
        return next(
            (anchor for anchor in facts.anchors if _part(self.raw, around(anchor, self.size)).any()), None
        )

    def _edge_of(self, field: Box) -> Mask:
        """What changed, but for what is written inside the field."""
        mask = self.changed.copy()
        _part(mask, _grown(field, -_FIELD_EDGE_PX, -_FIELD_EDGE_PX).clamped(self.size))[...] = False
        return mask

    def row_mixed_up(self, targets: Iterable[Box]) -> Verdict | None:
        """A miss when a target has a double on either screen and its row is another one."""
        for target in targets:
            row = Box(0, target.top - _ROW_PX, self.size.width, target.bottom + _ROW_PX).clamped(self.size)
            place = around(target, self.size)
            if _part(self.changed, row).any() and (
                has_double(self.recorded, place) or has_double(self.current, place)
            ):
                return _miss(f"what is pointed at {_at(target)} is there more than once, and its row changed")
        return None

    def built_otherwise(self, facts: Facts) -> Verdict | None:
        """A miss when more than the writing changed."""
        other = rebuilt(self.recorded, self.current, self.changed)
        allowed = _READABLE_SHARE * self.size.width * self.size.height if facts.looks_itself else 0
        if sum(box.width * box.height for box in other) <= allowed:
            return None
        return _miss(f"something else is on the screen {_at(_hull(other).clamped(self.size))}")


def _moved_with_the_window(seen: _Comparison, facts: Facts) -> Verdict | None:
    """A hit when the whole screen is as it was, only elsewhere, as far as both show it."""
    shift = moved_by(seen.recorded, seen.current)
    if shift is None:
        return None
    there = _shifted(_whole(seen.size), shift).clamped(seen.size)
    here = _shifted(there, _back(shift))
    moved = replace(
        facts,
        targets=tuple(_shifted(box, Point(-here.left, -here.top)) for box in facts.targets),
        anchors=tuple(_shifted(box, Point(-here.left, -here.top)) for box in facts.anchors),
    )
    part = seen.part(here, there)
    if any(around(box, part.size) != _around(box) for box in (*moved.targets, *moved.anchors)):
        return None
    if not _in_place(part, moved).is_hit:
        return None
    return Verdict(True, f"the window has moved by {shift.x}, {shift.y}", shift)


def _moved_with_all_around(seen: _Comparison, facts: Facts) -> Verdict | None:
    """A hit when all that the step points at is at exactly one other place, with everything around it."""
    if not facts.targets or seen.odd_one(facts) is None:
        return None
    first = around(facts.targets[0], seen.size)
    places = places_of(_part(seen.recorded, first), seen.current)
    if len(places) != 1 or has_double(seen.recorded, first):
        return None
    shift = Point(places[0].x - first.left, places[0].y - first.top)
    pointed_at = [*facts.targets, *facts.anchors]
    across, down = _INTACT
    there = _shifted(_grown(_hull(pointed_at), across, down).clamped(seen.size), shift).clamped(seen.size)
    here = _shifted(there, _back(shift))
    inside = [_shifted(around(box, seen.size), Point(-here.left, -here.top)) for box in pointed_at]
    part = seen.part(here, there)
    if shift == AT_ITS_PLACE or any(
        box.clamped(part.size) != box or _part(part.raw, box).any() for box in inside
    ):
        return None
    if rebuilt(part.recorded, part.current, part.changed):
        return None
    return Verdict(True, f"it has moved by {shift.x}, {shift.y} with all around it", shift)


def has_double(screen: Image, place: Box) -> bool:
    """True when something elsewhere on the screen looks like what is at the place; a blank one always has.

    The screen is searched at a third of its size, and what may be a double looked at closely.
    """
    grey = cv2.cvtColor(screen, cv2.COLOR_RGB2GRAY)
    patch = _part(grey, place)
    if np.ptp(patch) <= _BLANK:
        return True
    small, small_patch = _third(grey), _third(patch)
    if min(small_patch.shape) < 2:
        return True
    likeness = cv2.matchTemplate(small, small_patch, cv2.TM_CCOEFF_NORMED)
    _erase(likeness, place)
    return any(_is_alike(grey, patch, at) for at in _peaks(likeness))


def _peaks(likeness: Image) -> Iterator[Point]:
    """Where the search of the small screen found most, in pixels of the whole screen, best first."""
    for _ in range(_MOST_PEAKS):
        _, best, _, (x, y) = cv2.minMaxLoc(likeness)
        if best < _MAY_BE_ALIKE:
            return
        yield Point(3 * x, 3 * y)
        likeness[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = -1


def _is_alike(grey: Image, patch: Image, at: Point) -> bool:
    height, width = patch.shape
    left, top = max(at.x - 3, 0), max(at.y - 3, 0)
    near = grey[top : at.y + height + 4, left : at.x + width + 4]
    if near.shape[0] < height or near.shape[1] < width:
        return False
    return bool(cv2.matchTemplate(near, patch, cv2.TM_CCOEFF_NORMED).max() >= _ALIKE)


def _third(grey: Image) -> Image:
    height, width = grey.shape
    return cv2.resize(grey, (max(width // 3, 1), max(height // 3, 1)), interpolation=cv2.INTER_AREA)


def _erase(likeness: Image, place: Box) -> None:
    """Take the place itself, and what overlaps it by half, out of what was found."""
    left, top = place.left // 3, place.top // 3
    across, down = max(place.width // 6, 1), max(place.height // 6, 1)
    likeness[max(top - down, 0) : top + down + 1, max(left - across, 0) : left + across + 1] = -1


def _miss(reason: str) -> Verdict:
    return Verdict(False, reason)


def _size(picture: Image) -> Size:
    return Size(picture.shape[1], picture.shape[0])


def _part(picture: Image, box: Box) -> Image:
    return picture[box.top : box.bottom, box.left : box.right]


def _grown(box: Box, across: int, down: int) -> Box:
    return Box(box.left - across, box.top - down, box.right + across, box.bottom + down)


def _shifted(box: Box, by: Point) -> Box:
    return Box(box.left + by.x, box.top + by.y, box.right + by.x, box.bottom + by.y)


def _back(shift: Point) -> Point:
    return Point(-shift.x, -shift.y)


def _whole(size: Size) -> Box:
    return Box(0, 0, size.width, size.height)


def _hull(boxes: Sequence[Box]) -> Box:
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def _told(size: Size) -> str:
    return f"{size.width}x{size.height}"


def _at(box: Box) -> str:
    return f"at {box.left}, {box.top} to {box.right}, {box.bottom}"
