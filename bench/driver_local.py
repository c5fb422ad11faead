"""How fast the driver's desktop is by itself, on this machine: no server, no tunnel.

    python bench/driver_local.py

Medians in milliseconds on a virtual desktop with an office-like picture and a noisy one. The anchors are
what the vendor's published driver needed for the whole request on a machine of two cores.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cyberdriver.backends.base import Backend, Button, Point, Size
from cyberdriver.backends.keys import parse_keys
from cyberdriver.backends.png import encode_png
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import EventWindow, RecordingTerminal
from PIL import Image, ImageDraw

ROUNDS = 30
SIZES = (Size(1024, 768), Size(1920, 1080))
DEFAULT_SIZE = Size(1024, 768)
VENDOR_SCREENSHOT_MS = {
    ("office", SIZES[0]): 42,
    ("office", SIZES[1]): 90,
    ("photo", SIZES[0]): 224,
    ("photo", SIZES[1]): 605,
}
ENGLISH = "The quick brown fox jumps over the lazy dog. " * 20
MIXED = "Zażółć gęślą jaźń < € 漢字 😀 " * 20


def main() -> None:
    """Prints the tables."""
    print(f"{'screenshot':<24}{'capture':>9}{'again':>9}{'encode':>9}{'together':>10}{'KiB':>7}{'vendor':>9}")
    for size in SIZES:
        for name, paint in (("office", office), ("photo", photo)):
            screenshots(name, size, paint(size))
    print(f"\n{'input':<24}{'median':>9}")
    with (
        VirtualDesktop(DEFAULT_SIZE) as desktop,
        desktop.open_backend() as backend,
        tempfile.TemporaryDirectory() as folder,
    ):
        with EventWindow(desktop, Path(folder), text="x"):
            inputs(backend)
        with RecordingTerminal(desktop, Path(folder)) as terminal:
            typing(backend, terminal, "English", ENGLISH)
            typing(backend, terminal, "mixed scripts", MIXED)


def screenshots(name: str, size: Size, picture: Image.Image) -> None:
    """One line of the table of screenshots."""
    with (
        tempfile.TemporaryDirectory() as folder,
        VirtualDesktop(size) as desktop,
        desktop.open_backend() as backend,
    ):
        path = Path(folder) / "picture.png"
        picture.save(path)
        with EventWindow(desktop, Path(folder), corner=Point(0, 0), picture=path):
            backend.capture()
            again = median_ms(backend.capture)
            # Every other capture finds the pointer's window changed: a capture that must copy the pixels.
            changed = median_ms(lambda: changed_capture(desktop, backend))
            frame = backend.capture()
            encode = median_ms(lambda: encode_png(frame))
            together = changed + encode
            vendor = VENDOR_SCREENSHOT_MS[name, size]
            line = f"{name} {size} native"
            kib = len(encode_png(frame)) // 1024
            print(f"{line:<24}{changed:>9.2f}{again:>9.2f}{encode:>9.2f}{together:>10.2f}{kib:>7}{vendor:>6} ms")
            if size != DEFAULT_SIZE:
                encode = median_ms(lambda: encode_png(frame, DEFAULT_SIZE))
                kib = len(encode_png(frame, DEFAULT_SIZE)) // 1024
                line = f"{name} to {DEFAULT_SIZE}"
                print(f"{line:<24}{changed:>9.2f}{again:>9.2f}{encode:>9.2f}{changed + encode:>10.2f}{kib:>7}")
