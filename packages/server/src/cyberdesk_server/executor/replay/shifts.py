"""Where has something on the screen moved to?"""

import cv2
import numpy as np

from cyberdesk_server.domain.geometry import Box, Point
from cyberdesk_server.executor.reading.segments import Image

_ENOUGH_PLACES = 2
_MOST_ROWS_ALIKE = 2000
"""Rows of pixels like the searched one, from which there is nothing to tell them apart."""
_BLANK = 8
_INSIDE = 0.15
"""Of each side of the screen that may have moved out of it."""
_ALIKE = 0.5
"""Normalized correlation of two screens, from which the one may be the other moved, with other data."""
_SMALLER = 4
_MOST_CLOSELY_PX = (320, 120)


def moved_by(recorded: Image, current: Image) -> Point | None:
    """How far all that was in the middle of the recorded screen may have moved, to be looked at closely; None
    when it is nowhere, or where it was."""
    height, width = recorded.shape[:2]
    inside = Box(int(_INSIDE * width), int(_INSIDE * height), width, height)
    inside = Box(inside.left, inside.top, width - inside.left, height - inside.top)
    grey, now = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (recorded, current))
    small, small_now = _smaller(_part(grey, inside)), _smaller(now)
    if min(small.shape) < 2 or np.ptp(small) <= _BLANK:
        return None
    likeness = cv2.matchTemplate(small_now, small, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(likeness)
    if best < _ALIKE:
        return None
    about = Point(_SMALLER * x - inside.left, _SMALLER * y - inside.top)
    found = _exactly(grey, now, inside, about)
    return None if found == Point(0, 0) else found


def _exactly(grey: Image, now: Image, inside: Box, about: Point) -> Point:
    """The best of the shifts that are as near as the small pictures can tell."""
    across, down = _MOST_CLOSELY_PX
    sharpest = _busiest(grey, inside, Point(min(across, inside.width), min(down, inside.height)))
    top, left = sharpest.top + about.y - _SMALLER, sharpest.left + about.x - _SMALLER
    y, x = max(top, 0), max(left, 0)
    near = now[y : sharpest.bottom + about.y + _SMALLER + 1, x : sharpest.right + about.x + _SMALLER + 1]
    patch = _part(grey, sharpest)
    if near.shape[0] < patch.shape[0] or near.shape[1] < patch.shape[1]:
        return Point(0, 0)
    _, _, (best_x, best_y), _ = cv2.minMaxLoc(cv2.matchTemplate(near, patch, cv2.TM_SQDIFF))
    return Point(x + best_x - sharpest.left, y + best_y - sharpest.top)


def _busiest(grey: Image, inside: Box, size: Point) -> Box:
    """The part of this size with the most edges."""
    part = _part(grey, inside)
    edges = (cv2.absdiff(part[:, 1:], part[:, :-1]) > _BLANK).astype(np.float32)
    sums = cv2.boxFilter(
        edges, -1, (size.x, size.y), anchor=(0, 0), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    sums = sums[: inside.height - size.y + 1, : inside.width - size.x + 1]
    _, _, _, (x, y) = cv2.minMaxLoc(sums)
    left, top = inside.left + x, inside.top + y
    return Box(left, top, left + size.x, top + size.y)


def places_of(patch: Image, screen: Image) -> list[Point]:
    """The first two places with exactly these pixels, by the corner, in reading order, none of blank ones."""
    height, width = patch.shape[:2]
    # The row with the most edges has the fewest false friends.
    edges = (np.diff(patch.astype(np.int16), axis=1) != 0).sum(axis=(1, 2))
    row = int(edges.argmax())
    if not edges[row]:
        return []
    wanted, across = patch[row].tobytes(), 3 * screen.shape[1]
    pixels = screen.tobytes()
    found: list[Point] = []
    at = pixels.find(wanted)
    for _ in range(_MOST_ROWS_ALIKE):
        if at < 0 or len(found) == _ENOUGH_PLACES:
            return found
        y, x = at // across - row, at % across // 3
        is_whole = at % 3 == 0 and 0 <= y <= screen.shape[0] - height and x + width <= screen.shape[1]
        if is_whole and np.array_equal(screen[y : y + height, x : x + width], patch):
            found.append(Point(x, y))
        at = pixels.find(wanted, at + 1)
    return []


def _part(picture: Image, box: Box) -> Image:
    return picture[box.top : box.bottom, box.left : box.right]


def _smaller(grey: Image) -> Image:
    height, width = grey.shape
    size = max(width // _SMALLER, 1), max(height // _SMALLER, 1)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
