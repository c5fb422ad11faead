"""What typing a secret has changed on the screen, painted over in every picture that is kept or sent.

A place that was typed into stays covered as long as the screen there is built as it was, by its ground and
its lines, whatever is written there: a field that scrolls, loses the focus or is edited shows nothing of what
was hidden. It is bare again when it looks as it did before, or when something else stands there. What was
written is looked for on the rest of the screen as well, for windows are moved and pages are scrolled.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.executor.reading.segments import Image
from cyberdesk_server.executor.replay.changes import (
    TILE_PX,
    Mask,
    changed_tiles,
    differing,
    rebuilt,
    without_carets,
)
from cyberdesk_server.executor.replay.screens import NoPicture, pixels

COLOUR = (0, 0, 0)

_JOINED_PX = (25, 9)
"""Changes so near each other, across and down, are one line of writing."""
_MARGIN_PX = 3
_PAGE_TILES = 4
"""So many tiles across and down that were built anew are a page or a dialog that came up, not the writing."""
_SAME_SHAPE = 0.95
_WRITTEN_AGAIN = 0.9
"""Normalized correlation from which it is the same writing, of either sign: what is selected is inverted."""
_LEAST_WIDTH_PX = 24
"""Of writing that is looked for elsewhere: a letter or two are everywhere."""
_BLANK = 8


@dataclass(frozen=True)
class _Place:
    """Where a secret was written, and the screen around it: whole tiles, and one more on every side."""

    box: Box
    near: Box
    before: Image
    after: Image
    screen: Size

    @classmethod
    def of(cls, box: Box, before: Image, after: Image) -> "_Place":
        screen = Size(after.shape[1], after.shape[0])
        left, top = (edge // TILE_PX * TILE_PX - TILE_PX for edge in (box.left, box.top))
        right, bottom = (-(-edge // TILE_PX) * TILE_PX + TILE_PX for edge in (box.right, box.bottom))
        near = Box(left, top, right, bottom).clamped(screen)
        return cls(box, near, _part(before, near).copy(), _part(after, near).copy(), screen)

    def is_like(self, other: "_Place") -> bool:
        """True for the same secret in the same field, as in each round of a loop."""
        return self.near == other.near and self.box == other.box and np.array_equal(self.after, other.after)

    @property
    def inside(self) -> Box:
        """The box, in what is near it."""
        return self.box.moved(Point(-self.near.left, -self.near.top))


@dataclass
class _Typing:
    """A secret that is being typed, until something else is done."""

    before: Image
    changed: Mask
    """Every pixel that differed from that since."""

    places: tuple[_Place, ...] = ()


class Covers:
    """Those of one run. The work is done by the caller's thread."""

    def __init__(self) -> None:
        self._always: tuple[Box, ...] = ()
        self._places: list[_Place] = []
        self._typing: _Typing | None = None

    @property
    def are_needed(self) -> bool:
        """False while no secret was typed."""
        return bool(self._places or self._typing or self._always)

    @property
    def has_seen_it(self) -> bool:
        """True when the secret that is being typed has changed anything on the screen."""
        return self._typing is not None and bool(self._typing.places)

    def begin(self, before: Screenshot) -> None:
        """A secret is about to be typed on this screen, as it is without covers."""
        self.end()
        try:
            picture = pixels(before.png)
        except NoPicture:
            return
        self._typing = _Typing(picture, np.zeros(picture.shape[:2], np.bool_))

    def end(self) -> None:
        """Something else is done from now on: what changes further is not what was typed."""
        if self._typing is not None:
            known = self._places
            self._places += [place for place in self._typing.places if not any(map(place.is_like, known))]
            self._typing = None

    def cover_always(self, boxes: Iterable[Box]) -> None:
        """Cover these until the end of the run: nobody knows any more how they looked."""
        self._always = tuple(dict.fromkeys((*self._always, *boxes)))

    def over(self, screenshot: Screenshot) -> Screenshot:
        """The screen with its covers; the same when it needs none."""
        try:
            picture = pixels(screenshot.png)
        except NoPicture:
            return screenshot
        if self._typing is not None:
            _learn(self._typing, picture)
        size = Size(picture.shape[1], picture.shape[0])
        places = (*self._places, *(self._typing.places if self._typing else ()))
        found = (*self._always, *_covered(places, picture))
        boxes = tuple(dict.fromkeys(box.clamped(size) for box in found))
        return _painted(screenshot, picture, boxes) if boxes else screenshot


def _learn(typing: _Typing, now: Image) -> None:
    if now.shape != typing.before.shape:
        return
    mask = without_carets(differing(typing.before, now))
    for page in _pages(rebuilt(typing.before, now, mask), mask):
        mask[page.top : page.bottom, page.left : page.right] = False
    if not mask.any():
        return
    typing.changed |= mask
    lines = [box for box in _lines(typing.changed) if not _is_only_recoloured(typing.before, now, box)]
    typing.places = tuple(_Place.of(box, typing.before, now) for box in lines)


def _pages(tiles: Sequence[Box], mask: Mask) -> Iterator[Box]:
    grid = np.zeros((-(-mask.shape[0] // TILE_PX), -(-mask.shape[1] // TILE_PX)), np.uint8)
    for tile in tiles:
        grid[tile.top // TILE_PX, tile.left // TILE_PX] = 1
    _, _, found, _ = cv2.connectedComponentsWithStats(grid)
    for x, y, across, down, _ in found[1:]:
        if across >= _PAGE_TILES and down >= _PAGE_TILES:
            yield Box(*(int(edge) * TILE_PX for edge in (x, y, x + across, y + down)))


def _lines(mask: Mask) -> Iterator[Box]:
    """The lines of writing that these pixels make, with a margin."""
    across, down = _JOINED_PX
    joined = cv2.dilate(mask.view(np.uint8), np.ones((down, across), np.uint8))
    count, labels = cv2.connectedComponents(joined)
    size = Size(mask.shape[1], mask.shape[0])
    for number in range(1, count):
        ys, xs = np.nonzero(mask & (labels == number))
        edges = xs.min() - _MARGIN_PX, ys.min() - _MARGIN_PX, xs.max() + _MARGIN_PX, ys.max() + _MARGIN_PX
        left, top, right, bottom = map(int, edges)
        yield Box(left, top, right + 1, bottom + 1).clamped(size)


def _is_only_recoloured(before: Image, after: Image, box: Box) -> bool:
    """True for a button that can be pressed now: the same writing on the same ground in another colour."""
    old, new = _part(before, box), _part(after, box)
    if _ground(old) != _ground(new) or min(np.ptp(old), np.ptp(new)) <= _BLANK:
        return False
    return float(cv2.matchTemplate(_grey(new), _grey(old), cv2.TM_CCOEFF_NORMED)[0, 0]) >= _SAME_SHAPE


def _ground(part: Image) -> int:
    """The commonest colour, as a number."""
    colours = part.reshape(-1, 3).astype(np.int32)
    codes = (colours[:, 0] << 16) | (colours[:, 1] << 8) | colours[:, 2]
    values, counts = np.unique(codes, return_counts=True)
    return int(values[counts.argmax()])


def _covered(places: Iterable[_Place], now: Image) -> Iterator[Box]:
    """Where what was typed is, or may be, on this screen."""
    grey = _grey(now)
    for place in places:
        if _is_there(place, now):
            yield place.box
        yield from _copies(_grey(_part(place.after, place.inside)), grey)


def _is_there(place: _Place, now: Image) -> bool:
    if place.screen != (now.shape[1], now.shape[0]):
        return False
    current = np.ascontiguousarray(_part(now, place.near))
    if not _changed_in(place.inside, place.before, current).any():
        return False
    mask = _changed_in(place.inside, place.after, current)
    tiles = int(changed_tiles(mask).sum())
    return not tiles or len(rebuilt(place.after, current, mask)) < tiles


def _changed_in(box: Box, before: Image, now: Image) -> Mask:
    mask = np.zeros(now.shape[:2], np.bool_)
    part = np.s_[box.top : box.bottom, box.left : box.right]
    mask[part] = differing(before[part], now[part])
    return without_carets(mask)


def _copies(patch: Image, screen: Image) -> Iterator[Box]:
    height, width = patch.shape
    if width < _LEAST_WIDTH_PX or np.ptp(patch) <= _BLANK:
        return
    if screen.shape[0] < height or screen.shape[1] < width:
        return
    likeness = np.abs(cv2.matchTemplate(screen, patch, cv2.TM_CCOEFF_NORMED))
    # Where the screen is blank the quotient is none: nothing is written there.
    for y, x in np.argwhere((likeness >= _WRITTEN_AGAIN) & (likeness <= 1 + 1e-3)):
        yield Box(int(x), int(y), int(x) + width, int(y) + height)


def _painted(screenshot: Screenshot, picture: Image, boxes: tuple[Box, ...]) -> Screenshot:
    covered = picture.copy()
    for box in boxes:
        covered[box.top : box.bottom, box.left : box.right] = COLOUR
    _, encoded = cv2.imencode(".png", covered[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    png = encoded.tobytes()
    return Screenshot(png, screenshot.size, hashlib.sha256(png).hexdigest(), covered=boxes)


def _grey(picture: Image) -> Image:
    return cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)


def _part(picture: Image, box: Box) -> Image:
    return picture[box.top : box.bottom, box.left : box.right]
