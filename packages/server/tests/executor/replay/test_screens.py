"""Pixels of screenshots, whoever wrote the PNG, and how many recorded screens are kept."""

import io
import resource
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from cyberdesk_server.executor.reading.sight import UnreadablePicture, decoded
from cyberdesk_server.executor.replay.screens import KeptScreens, NoPicture, pixels
from cyberdesk_server.testing.screens import Canvas
from cyberdriver.backends.base import Frame, Size
from cyberdriver.backends.png import encode_png
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

WHOLE = Canvas(8, 8).screenshot().png


@given(width=st.integers(1, 40), height=st.integers(1, 40), seed=st.integers(0, 2**16), noise=st.booleans())
def test_a_picture_of_our_driver_or_of_anybody_is_read_as_it_is(
    width: int, height: int, seed: int, noise: bool
) -> None:
    random = np.random.default_rng(seed)
    shape = (height, width, 3) if noise else (1, 1, 3)
    shown = np.broadcast_to(random.integers(0, 256, shape, np.uint8), (height, width, 3))
    bgrx = np.concatenate([shown[:, :, ::-1], np.zeros((height, width, 1), np.uint8)], axis=2).tobytes()
    anybodys = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shown)).save(anybodys, "PNG")

    assert (pixels(encode_png(Frame(Size(width, height), bgrx, 1))) == shown).all()
    assert (pixels(anybodys.getvalue()) == shown).all()


@pytest.mark.parametrize("content", [b"", b"GIF89a", WHOLE[:40], WHOLE[:41] + b"?" * 8 + WHOLE[49:]])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(NoPicture):
        pixels(content)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content), kind) + content + struct.pack(">I", zlib.crc32(kind + content))


def a_png(width: int, height: int, packed: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def a_bomb() -> bytes:
    """Half a gigabyte in half a megabyte, made without ever holding it."""
    packer, megabyte = zlib.compressobj(9), bytes(1024 * 1024)
    return b"".join(packer.compress(megabyte) for _ in range(512)) + packer.flush()


BOMB = a_bomb()


@pytest.mark.parametrize(
    "png", [a_png(1, 1, BOMB), a_png(100_000, 100_000, BOMB)], ids=["more than it says", "as much as it says"]
)
def test_a_picture_that_bursts_is_not_unpacked(png: bytes) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for read, refusal in ((pixels, NoPicture), (decoded, UnreadablePicture)):
        with suppress(refusal):
            assert read(png).size == 3  # the one pixel that is there

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 100 * 1024


def test_the_screens_that_were_used_last_are_kept() -> None:
    screens = KeptScreens(kept_bytes=3 * 300)
    for name in "abc":
        screens.keep(name, np.zeros((10, 10, 3), np.uint8))
    assert screens.get("a") is not None

    screens.keep("d", np.zeros((10, 10, 3), np.uint8))

    assert [name for name in "abcd" if screens.get(name) is not None] == ["a", "c", "d"]
