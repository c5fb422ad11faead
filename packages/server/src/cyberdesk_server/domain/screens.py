"""What a desktop looked like at one moment."""

import struct
from dataclasses import dataclass

from cyberdesk_server.domain.geometry import Box, Size


@dataclass(frozen=True, slots=True)
class Screenshot:
    """One look at a desktop."""

    png: bytes
    """The whole screen as a PNG, RGB, one picture pixel for one real pixel."""

    size: Size
    """Width and height of the picture, equal to those of the desktop."""

    digest: str
    """SHA-256 of `png` in hex: equal digests mean equal screens; also the blob's name."""

    covered: tuple[Box, ...] = ()
    """What is painted over, because a secret was typed there."""


MAX_PIXELS = 2**26
"""Of a picture that is opened: 8192 x 8192. A few bytes of a file may claim more than any memory holds."""

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_SIZE = struct.Struct(">8sI4sII")


def png_size(png: bytes) -> Size | None:
    """Width and height as the head of a PNG tells them; None for what is no PNG."""
    if len(png) < _PNG_SIZE.size:
        return None
    start, _, kind, width, height = _PNG_SIZE.unpack_from(png)
    return Size(width, height) if (start, kind) == (_PNG_START, b"IHDR") else None
