"""Where on a screen is text? Cuts a picture into pieces of one line each, ready for recognition.

Screens of programs are made of flat areas, which photographs of paper are not. So the background of every
pixel is the nearest flat area, ink is what differs from it (dark on light and light on dark alike), and
letters are the small connected pieces of ink. Lines and frames are told apart by shape and kept out of the
text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from cyberdesk_server.domain.geometry import Box

Image: TypeAlias = npt.NDArray[Any]
"""Of 8-bit numbers. Height x width x 3 (blue, green, red) or height x width (grey)."""

SAME_COLOUR = 4
"""Neighbours that differ by at most this in every channel belong to one flat area; gradients do."""
FLAT_AREA_PX = 250
FLAT_SQUARE_PX = 5
"""A flat area has at least so many pixels and holds a square of this side: strokes of letters do not."""
INK_CONTRAST = 24
"""What differs from its background by less is not read."""
TALLEST_TEXT_PX = 64
SHORTEST_TEXT_PX = 5
LETTER_GAP_PX = 4
CARET_PX = 2
CARET_HEIGHT_PX = 12
LETTER_AIR_PX = 3
"""A | has at least so many blank columns to its left and right, taken together."""
LINE_WIDTH_PX, LINE_HEIGHT_PX = 25, 22
"""Thin ink at least so wide or so high is a line."""
CARET_DROP_HEIGHTS = 0.1
"""A caret ends at least so far below most letters, in its own heights."""
BODY_HEIGHTS = 0.35
"""Letters are at least so high, in heights of the caret; dots and dashes are not."""
MOSTLY_FILLED = 0.4
"""A rectangle is an area that fills at least this part of its box; text and panels in it take the rest."""


@dataclass(frozen=True)
class Segment:
    """One line's worth of text."""

    box: Box
    ink: Image
    """The pixels of `box`: black ink on white at full contrast, other things than this text left out."""


def segments(picture: Image) -> list[Segment]:
    """The pieces of text in a picture, in no particular order."""
    ink = ink_of(picture)
    letters = _letters(ink)
    blobs = _blobs(letters)
    grey = _largest(picture)
    boxes = [_without_caret(ink, letters, box) for box in _phrases(blobs, grey)]
    return [_cut(ink, letters, box) for box in boxes if box.height >= SHORTEST_TEXT_PX and not _is_caret(box)]


def ink_of(picture: Image) -> Image:
    """How much each pixel differs from its background, 0 to 255."""
    flat = _flat_areas(picture)
    is_background = flat.is_flat[flat.labels]
    ink: Image = np.zeros(picture.shape[:2], np.uint8)
    rest = ~is_background
    if not (rest.any() and is_background.any()):
        return ink
    _, nearest = cv2.distanceTransformWithLabels(
        rest.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[is_background]] = picture[is_background]
    ink[rest] = cv2.absdiff(picture[rest], colours[nearest[rest]]).max(axis=1)
    return ink


@dataclass(frozen=True)
class _FlatAreas:
    labels: Image
    """For each pixel the number of the piece of one colour it belongs to."""

    is_flat: npt.NDArray[np.bool_]
    """For each number, whether that piece is a flat area."""

    pixels: npt.NDArray[np.intp]
    """For each number, how many pixels the piece has."""

    boxes: Image
    """For each number left, top, width and height."""


def _flat_areas(picture: Image) -> _FlatAreas:
    """Neighbours of one colour are found as connected pieces of a picture of twice the size.

    Every second row and column of it says whether the two pixels beside it are alike.
    """
    height, width = picture.shape[:2]
    grid = np.zeros((2 * height - 1, 2 * width - 1), np.uint8)
    grid[::2, ::2] = 1
    grid[::2, 1::2] = _largest(cv2.absdiff(picture[:, 1:], picture[:, :-1])) <= SAME_COLOUR
    grid[1::2, ::2] = _largest(cv2.absdiff(picture[1:], picture[:-1])) <= SAME_COLOUR
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(grid, connectivity=4, ltype=cv2.CV_32S)
    labels = np.ascontiguousarray(pieces[::2, ::2])
    pixels = np.bincount(labels.ravel(), minlength=count)
    is_inner = np.zeros((height, width), np.uint8)
    is_inner[:-1, :-1] = grid[:-1:2, 1::2] & grid[1::2, :-1:2]
    side = FLAT_SQUARE_PX - 1
    is_square = cv2.erode(is_inner, np.ones((side, side), np.uint8))
    is_thick = np.zeros(count, bool)
    is_thick[labels[is_square > 0]] = True
    return _FlatAreas(labels, (pixels >= FLAT_AREA_PX) & is_thick, pixels, (stats[:, :4] + 1) // 2)


def areas(picture: Image) -> list[Box]:
    """The boxes of the flat areas that are about rectangles: fields, buttons, cells, panels. Biggest last."""
    flat = _flat_areas(picture)
    is_area = flat.is_flat & (flat.pixels >= MOSTLY_FILLED * flat.boxes[:, 2] * flat.boxes[:, 3])
    boxes = [Box(x, y, x + w, y + h) for x, y, w, h in flat.boxes[is_area].tolist()]
    return sorted(boxes, key=lambda box: box.width * box.height)


def _largest(channels: Image) -> Image:
    blue, green, red = cv2.split(channels)
    largest: Image = cv2.max(cv2.max(blue, green), red)
    return largest


def _letters(ink: Image) -> Image:
    """Ink (1) that may be part of letters; lines, frames and pictures are left out."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(
        (ink > INK_CONTRAST).astype(np.uint8), connectivity=8
    )
    width, height, area = (
        stats[:, column] for column in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA)
    )
    is_line = ((width >= LINE_WIDTH_PX) & (height <= 3)) | ((height >= LINE_HEIGHT_PX) & (width <= 3))
    is_frame = (width >= 20) & (height >= 14) & (area < 0.16 * width * height)
    is_letter = (height <= TALLEST_TEXT_PX) & (width <= 12 * height + 40) & ~is_line & ~is_frame
    is_letter[0] = False
    for label in np.flatnonzero(is_letter & (width >= 9) & (height >= 9) & (area < 0.6 * width * height)):
        left, top = stats[label, cv2.CC_STAT_LEFT], stats[label, cv2.CC_STAT_TOP]
        piece = labels[top : top + height[label], left : left + width[label]] == label
        is_letter[label] = not _is_box(piece)
    is_other = ~is_letter
    is_other[0] = False
    letters: Image = is_letter.astype(np.uint8)[labels]
    return letters | _held_by_carets(is_other.astype(np.uint8)[labels])


def _is_box(piece: npt.NDArray[np.bool_]) -> bool:
    """True for the outline of a check box."""
    sides = (
        piece[:2].any(axis=0),
        piece[-2:].any(axis=0),
        piece[:, :2].any(axis=1),
        piece[:, -2:].any(axis=1),
    )
    return all(float(side.mean()) > 0.95 for side in sides)


def _blobs(letters: Image) -> list[Box]:
    """Letters that nearly touch, as boxes of their ink."""
    reach = np.ones((1, 2 * LETTER_GAP_PX + 1), np.uint8)
    count, labels = cv2.connectedComponents(cv2.dilate(letters, reach), connectivity=8, ltype=cv2.CV_32S)
    rows, columns = np.nonzero(letters)
    owner = labels[rows, columns].astype(np.intp)
    lows = np.full((count, 2), np.iinfo(np.int32).max, np.int64)
    highs = np.full((count, 2), -1, np.int64)
    places = np.stack([columns, rows], axis=1)
    np.minimum.at(lows, owner, places)
    np.maximum.at(highs, owner, places)
    return [
        Box(int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1)
        for low, high in zip(lows, highs, strict=True)
        if high[0] >= 0
    ]


def _phrases(blobs: list[Box], grey: Image) -> list[Box]:
    """Blobs joined to phrases: what belongs to one line with no more than a space or two between."""
    lines: list[Box] = []
    for blob in sorted(_with_dots(blobs), key=lambda blob: blob.left):
        home = next((i for i, line in enumerate(lines) if _continues(line, blob, grey)), None)
        if home is None:
            lines.append(blob)
        else:
            lines[home] = _around(lines[home], blob)
    return lines


def _continues(line: Box, blob: Box, grey: Image) -> bool:
    overlap = min(line.bottom, blob.bottom) - max(line.top, blob.top)
    gap = blob.left - line.right
    tallest = max(line.height, blob.height)
    if overlap * 2 < min(line.height, blob.height) or gap > max(7, round(0.8 * tallest)):
        return False
    top, bottom = max(line.top, blob.top), min(line.bottom, blob.bottom)
    # The columns next to a letter belong to its soft edge.
    return gap < 4 or not _has_edge(grey[top:bottom, line.right + 1 : blob.left - 1])


def _has_edge(between: Image) -> bool:
    """True when something vertical stands between two pieces of text, such as the side of a button."""
    if between.shape[1] < 2:
        return False
    steps = cv2.absdiff(between[:, 1:], between[:, :-1])
    return bool((steps.min(axis=0) > 12).any())


def _with_dots(blobs: Iterable[Box]) -> Iterator[Box]:
    """Dots and accents joined with the letters below them."""
    bodies = [blob for blob in blobs if blob.height >= SHORTEST_TEXT_PX or blob.width > 3 * blob.height]
    for dot in (
        blob for blob in blobs if not (blob.height >= SHORTEST_TEXT_PX or blob.width > 3 * blob.height)
    ):
        home = next((i for i, body in enumerate(bodies) if _is_dot_of(dot, body)), None)
        if home is None:
            bodies.append(dot)
        else:
            bodies[home] = _around(bodies[home], dot)
    yield from bodies


def _is_dot_of(dot: Box, body: Box) -> bool:
    is_beside = body.left - 2 <= dot.center.x <= body.right + 2
    return is_beside and -dot.height <= body.top - dot.bottom <= max(3, body.height // 3)


def _around(first: Box, second: Box) -> Box:
    return Box(
        min(first.left, second.left),
        min(first.top, second.top),
        max(first.right, second.right),
        max(first.bottom, second.bottom),
    )


def _without_caret(ink: Image, letters: Image, box: Box) -> Box:
    """The box of a text without the caret of an input field, which is wiped from both pictures."""
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    caret = _caret_in(letters[rows, columns])
    if caret is None:
        return box
    ink[rows, columns][:, caret] = 0
    letters[rows, columns][:, caret] = 0
    left, top, width, height = cv2.boundingRect(letters[rows, columns])
    return Box(box.left + left, box.top + top, box.left + left + width, box.top + top + height)


def _caret_in(letters: Image) -> slice | None:
    """The columns of the caret in a line of text.

    A caret is a thin line from above the highest letter to well below where most letters end. An l or I ends
    with the others and a | starts with the tall ones. Among small letters a | starts above them too, but has
    air around it, where a caret squeezes between two letters.
    """
    is_full = np.flatnonzero(letters.all(axis=0))
    if not 1 <= len(is_full) <= CARET_PX or is_full[-1] - is_full[0] >= CARET_PX:
        return None
    caret = slice(int(is_full[0]), int(is_full[-1]) + 1)
    rest = letters.copy()
    rest[:, caret] = 0
    height = len(rest)
    _, _, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    bodies = stats[1:][stats[1:, cv2.CC_STAT_HEIGHT] >= BODY_HEIGHTS * height]
    if rest[0].any() or not len(bodies):
        return None
    ends = np.sort(bodies[:, cv2.CC_STAT_TOP] + bodies[:, cv2.CC_STAT_HEIGHT])
    if height - ends[len(ends) // 2] < max(2, CARET_DROP_HEIGHTS * height):
        return None
    return None if _has_air(rest, caret) else caret


def _has_air(rest: Image, caret: slice) -> bool:
    """True when a thin line stands as freely beside the rest of its text as a letter does."""
    columns, rows = np.flatnonzero(rest.any(axis=0)), np.flatnonzero(rest.any(axis=1))
    before, after = columns[columns < caret.start], columns[columns >= caret.stop]
    gaps: list[int] = [caret.start - 1 - int(before[-1])] if len(before) else []
    gaps += [int(after[0]) - caret.stop] if len(after) else []
    if len(gaps) == 2:
        return min(gaps) > 0 and sum(gaps) >= LETTER_AIR_PX
    return bool(rows[0] < CARET_PX and gaps[0] >= CARET_PX)


def _held_by_carets(frames: Image) -> Image:
    """Of frames and pictures (1), the letters that only a caret ties to them, the caret included."""
    across, down = np.ones((1, LINE_WIDTH_PX), np.uint8), np.ones((LINE_HEIGHT_PX, 1), np.uint8)
    lines = cv2.bitwise_or(*(cv2.morphologyEx(frames, cv2.MORPH_OPEN, line) for line in (across, down)))
    rest = cv2.subtract(frames, lines)
    held: Image = np.zeros_like(frames)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    tall = (stats[:, cv2.CC_STAT_HEIGHT] >= CARET_HEIGHT_PX) & (stats[:, cv2.CC_STAT_WIDTH] > CARET_PX)
    for label in (number for number in np.flatnonzero(tall) if number):
        left, top, width, height = stats[label, :4]
        place = slice(top, top + height), slice(left, left + width)
        piece = labels[place] == label
        if height <= TALLEST_TEXT_PX and 1 <= np.count_nonzero(piece.all(axis=0)) <= CARET_PX:
            held[place][piece] = 1
    return held


def _is_caret(box: Box) -> bool:
    return box.width <= CARET_PX and box.height >= CARET_HEIGHT_PX


def _cut(ink: Image, letters: Image, box: Box) -> Segment:
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    # Ink one pixel around the letters belongs to them: the soft edge that smoothing leaves.
    mine = cv2.dilate(letters[rows, columns], np.ones((3, 3), np.uint8))
    strength = ink[rows, columns].astype(np.float32) * mine
    darkest = max(float(strength.max()), 1.0)
    return Segment(box, 255 - np.minimum(strength * (255.0 / darkest), 255.0).astype(np.uint8))
