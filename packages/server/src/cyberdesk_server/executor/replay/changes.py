"""What differs between two screens of one size: which pixels, and of what kind the difference is.

Two kinds matter. Where only the writing changes, as with another patient's data, the ground of each tile
keeps its colour and the lines around it stay. Where something else stands, as a dialog or another page, the
ground changes, or lines come and go: such tiles are *rebuilt*.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.executor.reading.segments import Image

Mask = NDArray[np.bool_]
Codes = NDArray[np.uint16]
"""Colours, each as one number; small ones, because they are sorted."""

TILE_PX = 32
TOLERANCE = 12
"""Of a channel, up to which two pixels count as equal: what a remote display may round."""

LINE_PX = 32
"""A straight edge of this length is a border or a rule; strokes of letters are shorter."""

_LEVEL, _UPRIGHT = np.ones((1, LINE_PX), np.uint8), np.ones((LINE_PX, 1), np.uint8)
_EDGE = 4
"""Of brightness, between neighbouring pixels."""
_LINE_CHANGED_PX = 16
"""Of lines inside a tile, from which a line came or went."""
_GROUND_SHARE = 0.25
"""Of a tile that its ground, the commonest colour, covers at least."""
_CARET_WIDTH_PX, _CARET_HEIGHT_PX = 3, 48
_ALONE_PX = (9, 5)
"""Around a caret nothing else changes so near, across and down."""
_EVERY = 3
_MANY_CHANGES = 500
"""Separate changes from which a caret among them changes nothing any more."""
_MANY_REBUILT = 12
"""Tiles from which there is no need to look at each of them closely: more than the writing changed."""
_MOST_INK = 0.5
"""Of a column of a tile that letters cover."""
_STROKE_PX = 16
"""What is longer is a line, or ground."""
_BETWEEN_LETTERS = 0.1
"""Of a row of close letters that is still ground."""
_SAMPLE_PX = 2
_TILES_AT_A_TIME = 256


def differing(recorded: Image, current: Image, ignored: Iterable[Box] = ()) -> Mask:
    """Which pixels differ, outside of the boxes that are ignored."""
    most = (TOLERANCE,) * 3
    same = cv2.inRange(cv2.absdiff(recorded, current), np.zeros(3), np.array(most, np.float64))
    mask: Mask = same == 0
    for box in ignored:
        mask[box.top : box.bottom, box.left : box.right] = False
    return mask


def without_carets(mask: Mask) -> Mask:
    """The same without changes as narrow as a text cursor that stand alone."""
    # Looking at every third pixel of what was widened by more finds the same islands, in a ninth of the time.
    widened = cv2.dilate(mask.view(np.uint8), np.ones(_ALONE_PX[::-1], np.uint8))
    count, _, islands, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(widened[::_EVERY, ::_EVERY]))
    if count > _MANY_CHANGES:
        return mask
    left = mask.copy()
    for x, y, width, height, _ in islands[1:] * _EVERY:
        if width > _ALONE_PX[0] + _CARET_WIDTH_PX + _EVERY or height > _ALONE_PX[1] + _CARET_HEIGHT_PX:
            continue
        island = left[max(y - _EVERY, 0) : y + height + _EVERY, max(x - _EVERY, 0) : x + width + _EVERY]
        columns = np.flatnonzero(island.any(axis=0))
        if len(columns) and np.ptp(columns) < _CARET_WIDTH_PX:
            island[...] = False
    return left


def moving(looks: Sequence[Image]) -> tuple[Box, ...]:
    """The boxes in which anything differs between looks at one screen, in whole tiles."""
    height, width = looks[0].shape[:2]
    moved = np.zeros((height, width), np.bool_)
    for before, after in pairwise(looks):
        moved |= differing(before, after)
    tiles = np.ascontiguousarray(_tiles_with(moved, 1).astype(np.uint8))
    _, _, found, _ = cv2.connectedComponentsWithStats(tiles)
    boxes = (Box(int(x), int(y), int(x + across), int(y + down)) for x, y, across, down, _ in found[1:])
    return tuple(Box(*(edge * TILE_PX for edge in box.edges)).clamped(Size(width, height)) for box in boxes)


def changed_tiles(mask: Mask) -> Mask:
    """Which tiles hold differing pixels: rows x columns of `tile_at`."""
    return _tiles_with(mask, 1)


def rebuilt(recorded: Image, current: Image, mask: Mask) -> list[Box]:
    """The tiles with differing pixels in which not only the writing changed, row by row."""
    ys, xs = np.nonzero(_tiles_with(mask, 1))
    is_rebuilt = np.zeros(len(ys), np.bool_)
    for band in _bands(ys):
        is_rebuilt[band] = _has_other_lines(recorded, current, ys[band], xs[band])
    still = np.flatnonzero(~is_rebuilt)
    for start in range(0, len(still), _TILES_AT_A_TIME):
        some = still[start : start + _TILES_AT_A_TIME]
        is_rebuilt[some] = _has_other_ground(
            _sampled(recorded, ys[some], xs[some]), _sampled(current, ys[some], xs[some])
        )
    found = [tile_at(int(y), int(x)) for y, x in zip(ys[is_rebuilt], xs[is_rebuilt], strict=True)]
    return [
        tile for tile in found if len(found) > _MANY_REBUILT or not _is_written_on(recorded, current, tile)
    ]


def _is_written_on(recorded: Image, current: Image, tile: Box) -> bool:
    """True where each row keeps its ground, and no column is more ink than ground: where a title stands on a
    gradient, whose colours are many and whose lines are broken by letters."""
    before, after = _wide_rows(recorded, tile), _wide_rows(current, tile)
    return (
        _keep_ground(before, after)
        and _keep_ground(after, before)
        and _most_ink_in_a_column(recorded, tile, _commonest(np.sort(before, axis=1))) <= _MOST_INK
        and _most_ink_in_a_column(current, tile, _commonest(np.sort(after, axis=1))) <= _MOST_INK
    )


def _keep_ground(rows: Codes, others: Codes) -> bool:
    """True when what is longer in each row than strokes of letters is in the other one, too."""
    goes_on = rows[:, 1:] == rows[:, :-1]
    is_long = np.lib.stride_tricks.sliding_window_view(goes_on, _STROKE_PX - 1, axis=1).all(axis=2)
    ys, xs = np.nonzero(is_long)
    long_ones = np.unique(np.stack([ys, rows[ys, xs]]), axis=1)
    shares = (others[long_ones[0]] == long_ones[1][:, None]).mean(axis=1)
    return bool((shares >= _BETWEEN_LETTERS).all())


def _most_ink_in_a_column(picture: Image, tile: Box, ground: Codes) -> float:
    """How much of a column of the tile is not the ground of its row, at most."""
    colours = np.stack([ground >> 10, ground >> 5 & 31, ground & 31], axis=1).astype(np.int16) * 8 + 4
    part = picture[tile.top : tile.bottom, tile.left : tile.right]
    return float((np.abs(part - colours[:, None]) > 2 * TOLERANCE).any(axis=2).mean(axis=0).max())


def _wide_rows(picture: Image, tile: Box) -> Codes:
    return _codes(picture[tile.top : tile.bottom, max(tile.left - TILE_PX, 0) : tile.right + TILE_PX])


def _codes(picture: Image) -> Codes:
    """Each pixel as one number for its colour, which is the same for colours that are nearly the same."""
    colours = (picture >> 3).astype(np.uint16)
    return ((colours[..., 0] << 10) | (colours[..., 1] << 5) | colours[..., 2]).astype(np.uint16, copy=False)


def tile_at(row: int, column: int) -> Box:
    return Box(column * TILE_PX, row * TILE_PX, (column + 1) * TILE_PX, (row + 1) * TILE_PX)


def _tiles_with(mask: NDArray[np.bool_] | NDArray[np.uint8], least_px: int) -> Mask:
    """Which tiles hold at least so many of the pixels."""
    height, width = mask.shape
    padded = np.zeros((-(-height // TILE_PX) * TILE_PX, -(-width // TILE_PX) * TILE_PX), np.uint8)
    padded[:height, :width] = mask
    tiles = padded.reshape(padded.shape[0] // TILE_PX, TILE_PX, padded.shape[1] // TILE_PX, TILE_PX)
    enough: Mask = tiles.sum(axis=1, dtype=np.uint8).sum(axis=2, dtype=np.uint16) >= least_px
    return enough


def _bands(rows: NDArray[np.intp]) -> Iterator[slice]:
    """The stretches of tiles in rows that follow one another; the rows are in order."""
    starts = [0, *(np.flatnonzero(np.diff(rows) > 1) + 1), len(rows)]
    return (slice(int(start), int(end)) for start, end in pairwise(starts) if end > start)


def _has_other_lines(recorded: Image, current: Image, ys: NDArray[np.intp], xs: NDArray[np.intp]) -> Mask:
    """In which of these neighbouring tiles lines came or went; a tile around them is looked at as well."""
    first_row, first_column = max(int(ys.min()) - 1, 0), max(int(xs.min()) - 1, 0)
    part = np.s_[
        first_row * TILE_PX : (int(ys.max()) + 2) * TILE_PX,
        first_column * TILE_PX : (int(xs.max()) + 2) * TILE_PX,
    ]
    found = np.zeros(len(ys), np.bool_)
    edges = zip(_edges(recorded[part]), _edges(current[part]), (_LEVEL, _UPRIGHT), strict=True)
    for before, after, line in edges:
        # Only what is new or gone is searched for lines: it costs half, and letters on a line break none.
        lines = cv2.morphologyEx(cv2.bitwise_xor(before, after), cv2.MORPH_OPEN, line)
        found |= _tiles_with(lines.astype(np.uint8), _LINE_CHANGED_PX)[ys - first_row, xs - first_column]
    return found


def _edges(picture: Image) -> tuple[Image, Image]:
    """The pixels on level edges, and those on upright ones, as 1."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    level, upright = np.zeros_like(grey), np.zeros_like(grey)
    cv2.threshold(cv2.absdiff(grey[1:], grey[:-1]), _EDGE, 1, cv2.THRESH_BINARY, level[1:])
    upright[:, 1:] = cv2.threshold(cv2.absdiff(grey[:, 1:], grey[:, :-1]), _EDGE, 1, cv2.THRESH_BINARY)[1]
    return level, upright


def _sampled(picture: Image, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Codes:
    """Some pixels of each of these tiles as one number for a colour, in order: tiles x samples."""
    height, width = picture.shape[:2]
    steps = np.arange(0, TILE_PX, _SAMPLE_PX)
    # Of a tile that is cut off by the edge of the screen, the last whole one is looked at.
    tops, lefts = np.minimum(rows * TILE_PX, height - TILE_PX), np.minimum(columns * TILE_PX, width - TILE_PX)
    ys, xs = np.maximum(tops[:, None] + steps, 0), np.maximum(lefts[:, None] + steps, 0)
    codes = _codes(picture[ys[:, :, None], xs[:, None, :]])
    return np.sort(codes.reshape(len(rows), -1), axis=1)


def _has_other_ground(before: Codes, after: Codes) -> Mask:
    old, new = _commonest(before), _commonest(after)
    kept = (after == old[:, None]).mean(axis=1) >= _GROUND_SHARE
    was_there = (before == new[:, None]).mean(axis=1) >= _GROUND_SHARE
    other: Mask = ~(kept & was_there)
    return other


def _commonest(tiles: Codes) -> Codes:
    """The commonest colour of each tile whose samples are in order; right for any that covers a quarter."""
    samples = tiles.shape[1]
    candidates = tiles[:, [samples // 4, samples // 2, 3 * samples // 4]]
    shares = (tiles[:, :, None] == candidates[:, None, :]).sum(axis=1)
    commonest: Codes = candidates[np.arange(len(tiles)), shares.argmax(axis=1)]
    return commonest
