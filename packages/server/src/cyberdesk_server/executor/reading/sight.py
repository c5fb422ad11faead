"""One look at one screen: its picture and everything that can be read from it, worked out when asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.screens import MAX_PIXELS
from cyberdesk_server.executor.reading.ocr import Engine
from cyberdesk_server.executor.reading.pages import Page, Phrase, page_of
from cyberdesk_server.executor.reading.segments import Image, Segment, areas, segments

CONTEXT_PX = 96
"""How far around a change the screen is looked at again, so that its background is known."""
TILE_PX = 16


class UnreadablePicture(Exception):
    """The bytes are no picture of a kind we know (PNG, JPEG, GIF, WebP)."""


def decoded(content: bytes) -> Image:
    """A picture from its file's bytes, as blue, green, red. Raises `UnreadablePicture`."""
    raw = np.frombuffer(content, np.uint8)
    try:
        picture = cv2.imdecode(raw, cv2.IMREAD_COLOR) if len(raw) else None
    except cv2.error as error:
        raise UnreadablePicture(f"a picture of more than {MAX_PIXELS} pixels") from error
    if picture is None:
        raise UnreadablePicture("not a PNG, JPEG, GIF or WebP picture")
    return np.ascontiguousarray(picture, np.uint8)


@dataclass(frozen=True)
class Sight:
    """A screen that was read. Its methods take milliseconds of computing: call them off the event loop."""

    picture: Image
    page: Page
    _pieces: Mapping[Box, Segment] = field(repr=False)
    _engine: Engine = field(repr=False)

    @cached_property
    def areas(self) -> Sequence[Box]:
        """Fields, buttons, cells and panels; the smallest first."""
        return areas(self.picture)

    def exactly(self, phrase: Phrase) -> Phrase:
        """The phrase, read again in several sizes: for values, where every digit counts."""
        piece = self._pieces.get(phrase.box)
        return (self._engine.read_exactly(piece) if piece else None) or phrase


def look(picture: Image, engine: Engine, before: Sight | None = None) -> Sight:
    """Read a screen. Of a screen seen `before`, only what changed is looked at again."""
    size = Size(picture.shape[1], picture.shape[0])
    changed = [Box(0, 0, *size)]
    kept: dict[Box, tuple[Phrase, Segment]] = {}
    if before is not None and before.page.size == size:
        changed = _whole_phrases(_changes(before.picture, picture), before.page)
        kept = {
            phrase.box: (phrase, before._pieces[phrase.box])
            for phrase in before.page.phrases
            if not any(_touch(phrase.box, change) for change in changed)
        }
    read = [found for change in changed for found in _read(picture, change, engine)]
    both = {**kept, **{phrase.box: (phrase, piece) for phrase, piece in read}}
    page = page_of(size, (phrase for phrase, _ in both.values()))
    return Sight(picture, page, {box: piece for box, (_, piece) in both.items()}, engine)


def _read(picture: Image, change: Box, engine: Engine) -> list[tuple[Phrase, Segment]]:
    around = _grown(change, CONTEXT_PX).clamped(Size(picture.shape[1], picture.shape[0]))
    found = []
    for piece in segments(picture[around.top : around.bottom, around.left : around.right]):
        place = Box(
            piece.box.left + around.left,
            piece.box.top + around.top,
            piece.box.right + around.left,
            piece.box.bottom + around.top,
        )
        here = Segment(place, piece.ink)
        if _touch(place, change) and (phrase := engine.read(here)):
            found.append((phrase, here))
    return found


def _changes(before: Image, after: Image) -> list[Box]:
    """Boxes around what differs, a tile's width of air included; one box when most of the screen does."""
    differs = (before != after).any(axis=2).astype(np.uint8)
    if not differs.any():
        return []
    tiles = cv2.dilate(differs, np.ones((TILE_PX, 3 * TILE_PX), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(tiles, connectivity=8)
    boxes = [
        Box(int(left), int(top), int(left + width), int(top + height))
        for left, top, width, height, _ in stats[1:]
    ]
    looked_at = sum((box.width + 2 * CONTEXT_PX) * (box.height + 2 * CONTEXT_PX) for box in boxes)
    height, width = differs.shape
    return boxes if looked_at < width * height else [Box(0, 0, width, height)]


def _whole_phrases(changes: Sequence[Box], page: Page) -> list[Box]:
    """The changes, grown around every phrase that they touch."""
    grown = []
    for change in changes:
        touched = [phrase.box for phrase in page.phrases if _touch(phrase.box, change)]
        grown.append(
            Box(
                min([change.left, *(box.left for box in touched)]),
                min([change.top, *(box.top for box in touched)]),
                max([change.right, *(box.right for box in touched)]),
                max([change.bottom, *(box.bottom for box in touched)]),
            )
        )
    return grown


def _grown(box: Box, by: int) -> Box:
    return Box(box.left - by, box.top - by, box.right + by, box.bottom + by)


def _touch(first: Box, second: Box) -> bool:
    return (
        first.left < second.right
        and second.left < first.right
        and first.top < second.bottom
        and second.top < first.bottom
    )
