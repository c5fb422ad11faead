"""What a simulated desktop shows: one field, and in it what was typed last, in the ink of its try.

A screen that shows nothing of what is done to it would make everybody who types wait for it in vain.
"""

import asyncio
from functools import lru_cache
from random import Random

import numpy as np
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.executor.replay.changes import Mask
from cyberdesk_server.executor.replay.screens import pixels
from cyberdriver.backends.base import Frame
from cyberdriver.backends.base import Size as FrameSize
from cyberdriver.backends.png import encode_png

from simulation.loop import Host

SIZE = Size(128, 64)
"""A few tiles: every picture is looked at pixel by pixel."""

LATE = 1 / 4
LATE_SECONDS = 0.5
"""Programs paint what was typed when they get to it."""

FIELD = Box(12, 24, 108, 32)
_GROUND = 192
_INKS = range(16, 160)
"""Of each channel: neither as bright as the ground nor as dark as what covers a secret."""

Colour = tuple[int, int, int]


def ink_of(label: str) -> Colour:
    """The colour in which a try of a run writes, by the label of any of its actions."""
    try_, _, _ = label.rpartition("/")
    chance = Random(try_)
    red, green, blue = (chance.choice(_INKS) for _ in range(3))
    return red, green, blue


class Screen:
    """Of one desktop: it outlives the driver."""

    def __init__(self, host: Host, chance: Random) -> None:
        """`host` paints it."""
        self._host = host
        self._chance = chance
        self._text = ""
        self._painted_at = 0.0

    def write(self, text: str) -> None:
        """The field is going to show this, which begins with a label, and nothing of what stood there."""
        now = asyncio.get_running_loop().time()
        later = self._chance.random() * LATE_SECONDS if self._chance.random() < LATE else 0.0
        self._painted_at = max(self._painted_at, now + later)
        self._host.call_later(self._painted_at - now, self._show, text)

    def _show(self, text: str) -> None:
        self._text = text

    @property
    def png(self) -> bytes:
        return _painted(self._text)

    @property
    def tag(self) -> str:
        """An etag: equal for screens that look alike."""
        return f'"{self._text}"' if self._text else '"blank"'


@lru_cache(maxsize=64)
def _painted(text: str) -> bytes:
    picture = np.full((SIZE.height, SIZE.width, 4), _GROUND, np.uint8)
    if text:
        field = picture[FIELD.top : FIELD.bottom, FIELD.left : FIELD.right]
        red, green, blue = ink_of(text.split(" ")[0])
        field[_strokes(text)] = (blue, green, red, 0)
    return encode_png(Frame(FrameSize(SIZE.width, SIZE.height), picture.tobytes(), version=0))


def _strokes(text: str) -> Mask:
    """Which pixels of the field are ink: a quarter of them, and others for any other text."""
    chance = Random(text)
    bits = (np.frombuffer(chance.randbytes(FIELD.width * FIELD.height // 8), np.uint8) for _ in range(2))
    ink: Mask = np.unpackbits(np.bitwise_and(*bits)).reshape(FIELD.height, FIELD.width).view(np.bool_)
    return ink


def shows(png: bytes, ink: Colour) -> bool:
    """True when anything in this ink can be read in the picture."""
    return bool((pixels(png) == ink).all(axis=2).any())
