"""Screenshots as pixels, fast, and the recorded ones kept: the next run of a workflow needs them again.

Our driver writes rows without a filter in one piece, and unpacking those takes a quarter of the time that a
reader of any PNG needs. Everything else goes through OpenCV.
"""

import struct
from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock

import cv2
import numpy as np
from isal import isal_zlib

from cyberdesk_server.domain.screens import MAX_PIXELS, png_size
from cyberdesk_server.executor.reading.segments import Image

KEPT_BYTES = 128 * 1024 * 1024
"""Of recorded screens in one process: about twenty of 1920x1080."""

_NO_FILTER = 0
_RGB_8_BITS = b"\x08\x02\x00\x00\x00"
_HEADER_END = 33


class NoPicture(Exception):
    """The bytes are no PNG that can be read."""


def pixels(png: bytes) -> Image:
    """The picture as red, green, blue. Raises `NoPicture`."""
    plain = _plain_pixels(png)
    if plain is not None:
        return plain
    raw = np.frombuffer(png, np.uint8)
    try:
        picture = cv2.imdecode(raw, cv2.IMREAD_COLOR) if len(raw) else None
    except cv2.error:  # it claims more than `MAX_PIXELS`
        picture = None
    if picture is None:
        raise NoPicture("not a picture of a known kind")
    return np.ascontiguousarray(picture[:, :, ::-1], np.uint8)


def _plain_pixels(png: bytes) -> Image | None:
    """The pixels of an RGB picture whose rows have no filter; None for any other."""
    size = png_size(png)
    if size is None or png[24:29] != _RGB_8_BITS or not 0 < size.width * size.height <= MAX_PIXELS:
        return None
    row_bytes = 3 * size.width + 1
    try:
        # No more than the rows take: what else a hostile desktop has packed stays packed.
        unpacked = isal_zlib.decompressobj().decompress(b"".join(_contents(png)), row_bytes * size.height)
        rows = np.frombuffer(unpacked, np.uint8)
    except (isal_zlib.IsalError, struct.error):  # type: ignore[misc]  # its stub is wrong
        return None
    if rows.size != row_bytes * size.height:
        return None
    rows = rows.reshape(size.height, row_bytes)
    if (rows[:, 0] != _NO_FILTER).any():
        return None
    return np.ascontiguousarray(rows[:, 1:]).reshape(size.height, size.width, 3)


def _contents(png: bytes) -> Iterator[bytes]:
    at = _HEADER_END
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        if kind == b"IDAT":
            yield png[at + 8 : at + 8 + length]
        at += length + 12


class KeptScreens:
    """The pixels of screens by their name, the latest used ones. For any thread."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._most = kept_bytes
        self._kept: OrderedDict[str, Image] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, name: str) -> Image | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def keep(self, name: str, picture: Image) -> None:
        with self._lock:
            if name in self._kept:
                return
            self._kept[name] = picture
            self._bytes += picture.nbytes
            while self._bytes > self._most and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes


SCREENS = KeptScreens()
"""The recorded ones of this process, by address: the runs of one workflow share its recordings."""
