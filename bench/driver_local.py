"""The driver's desktop by itself: capture, encoding, clicks and typing, without tunnel or server.

    python -m bench.driver_local

Medians. The screen is `bench.office`, which changes all the time, or a noisy photograph that does not.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

from cyberdriver.backends.base import Backend, Button, Point, Size
from cyberdriver.backends.keys import parse_keys
from cyberdriver.backends.png import encode_png
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import EventWindow, RecordingTerminal
from PIL import Image

from bench.desktops import busy_office
from bench.goals import Goal, tell

SAMPLES = 50
PAUSE_SECONDS = 0.02
"""Between two samples, so that the busy screen has changed."""

SMALL, LARGE = Size(1024, 768), Size(1920, 1080)
OFFICE_GOALS = {
    SMALL: Goal("driver_office_1024x768_ms", at_most=10),
    LARGE: Goal("driver_office_1920x1080_ms", at_most=20),
}
CLICK_GOAL = Goal("driver_click_ms", at_most=0.6)
TYPE_GOAL = Goal("driver_type_ms_per_character", at_most=0.05)

ENGLISH = "The quick brown fox jumps over the lazy dog. " * 20
MIXED = "Zażółć gęślą jaźń < € 漢字 😀 " * 30


def measure() -> None:
    for size in (SMALL, LARGE):
        with busy_office(size) as desktop, desktop.open_backend() as backend:
            _pictures("office", size, backend, OFFICE_GOALS[size])
        with tempfile.TemporaryDirectory() as folder, _photo(size, Path(folder)) as backend:
            _pictures("photo", size, backend, None)
    _inputs()


def _pictures(scene: str, size: Size, backend: Backend, goal: Goal | None) -> None:
    captures = _milliseconds(backend.capture, pause_seconds=PAUSE_SECONDS)
    frame = backend.capture()
    encodings = _milliseconds(lambda: encode_png(frame))
    tell(f"driver_{scene}_{size}_capture_ms", median(captures))
    tell(f"driver_{scene}_{size}_encode_ms", median(encodings))
    tell(f"driver_{scene}_{size}_kib", len(encode_png(frame)) / 1024)
    if goal:
        goal.tell(median(captures) + median(encodings))
    if size != SMALL:
        scaled = _milliseconds(lambda: encode_png(frame, SMALL))
        tell(f"driver_{scene}_{size}_scaled_to_{SMALL}_encode_ms", median(scaled))


def _inputs() -> None:
    with (
        VirtualDesktop(SMALL) as desktop,
        desktop.open_backend() as backend,
        tempfile.TemporaryDirectory() as folder,
    ):
        with EventWindow(desktop, Path(folder)):
            at = Point(250, 220)
            tell("driver_move_ms", median(_milliseconds(lambda: backend.move(at))))
            CLICK_GOAL.tell(median(_milliseconds(lambda: backend.click(at, Button.LEFT, 1))))
            keys = parse_keys("ctrl+F6")
            tell("driver_chord_ms", median(_milliseconds(lambda: backend.press(keys))))
        with RecordingTerminal(desktop, Path(folder)) as terminal:
            TYPE_GOAL.tell(_milliseconds_per_character(backend, terminal, ENGLISH))
            tell("driver_type_mixed_ms_per_character", _milliseconds_per_character(backend, terminal, MIXED))


def _milliseconds_per_character(backend: Backend, terminal: RecordingTerminal, text: str) -> float:
    before = len(terminal.received(0))
    samples = _milliseconds(lambda: backend.type_text(text), samples=10)
    terminal.received(before + 10 * len(text.encode()))
    return median(samples) / len(text)


def _milliseconds(
    work: Callable[[], object], *, pause_seconds: float = 0.0, samples: int = SAMPLES
) -> list[float]:
    taken = []
    for _ in range(samples):
        sleep(pause_seconds)
        began = perf_counter()
        work()
        taken.append(1000 * (perf_counter() - began))
    return taken


@contextmanager
def _photo(size: Size, folder: Path) -> Iterator[Backend]:
    """A screen full of a soft picture with the noise of a camera."""
    soft = [Image.radial_gradient("L").resize((size.width, size.height)).rotate(turn) for turn in (0, 20, 40)]
    noise = Image.effect_noise((size.width, size.height), 6)
    picture = Image.merge("RGB", [Image.blend(channel, noise, 0.3) for channel in soft])
    picture.save(folder / "photo.png", compress_level=1)
    with (
        VirtualDesktop(size) as desktop,
        EventWindow(desktop, folder, corner=Point(0, 0), picture=folder / "photo.png"),
        desktop.open_backend() as backend,
    ):
        yield backend


if __name__ == "__main__":
    measure()
