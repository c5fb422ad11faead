"""Has the screen done what it did after this step when it was recorded?

A program that loads without a word still shows what was there before: the list of the last search, say, with
a button beside it that looks as it did. So where the recording saw a change, there has to be one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock

import cv2
import numpy as np

from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.executor.reading.segments import Image
from cyberdesk_server.executor.replay.changes import (
    TOLERANCE,
    Mask,
    changed_tiles,
    differing,
    tile_at,
    without_carets,
)

_ENOUGH = 1 / 3
"""Of the tiles that changed when it was recorded: other data may be shorter, or alike in part."""

_ONE_ISLAND_TILES = 2
"""Changes no farther apart than twice this, as the words of one line, are one."""

_MOST_TILES = 96
"""That are looked at, spread over all that changed."""


_KEPT = 1000
"""Reactions that one process remembers: the runs of a workflow share its recordings."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a step did to the recorded screen."""

    tiles: Sequence[Box]
    """Where it changed most; none when nothing did. What changed elsewhere may have been a clock."""

    @classmethod
    def between(cls, before: Image, after: Image, ignored: Iterable[Box] = ()) -> "Reaction":
        """The one between two recorded screens of one size, outside of the boxes."""
        tiles = _largest_island(without_carets(differing(before, after, ignored)))
        return cls(tiles[:: len(tiles) // _MOST_TILES + 1])

    def has_come(self, before: Image, now: Image, shift: Point) -> bool:
        """Whether enough of what changed then has changed since `before`.

        `shift`: how far the window has moved since it was recorded.
        """
        size = Size(now.shape[1], now.shape[0])
        seen = [tile.moved(shift).clamped(size) for tile in self.tiles]
        return sum(_differs(before, now, tile) for tile in seen) >= _ENOUGH * len(seen)


def _largest_island(changed: Mask) -> list[Box]:
    size = Size(changed.shape[1], changed.shape[0])
    tiles = changed_tiles(changed).astype(np.uint8)
    reach = 2 * _ONE_ISLAND_TILES + 1
    _, islands = cv2.connectedComponents(cv2.dilate(tiles, np.ones((reach, reach), np.uint8)))
    counts = np.bincount(islands[tiles > 0], minlength=2)
    ys, xs = np.nonzero((tiles > 0) & (islands == int(counts[1:].argmax()) + 1))
    return [tile_at(int(y), int(x)).clamped(size) for y, x in zip(ys, xs, strict=True)]


def _differs(one: Image, other: Image, tile: Box) -> bool:
    part = np.s_[tile.top : tile.bottom, tile.left : tile.right]
    before, after = np.ascontiguousarray(one[part]), np.ascontiguousarray(other[part])
    return bool(before.size) and bool(cv2.absdiff(before, after).max() > TOLERANCE)


class KeptReactions:
    """Reactions by the recorded screens they were between, the latest made ones. For any thread."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Reaction] = {}
        self._lock = Lock()

    def get(self, before: str, after: str) -> Reaction | None:
        return self._kept.get((before, after))

    def keep(self, before: str, after: str, reaction: Reaction) -> None:
        with self._lock:
            self._kept[before, after] = reaction
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]


REACTIONS = KeptReactions()
"""Of this process."""
