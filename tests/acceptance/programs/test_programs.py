"""The target programs record what really happened, so that a test of the product can believe them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import cv2
import numpy as np
import pytest
from cyberdriver.backends.base import Backend, Button, Direction, Point, Size
from cyberdriver.desktop import VirtualDesktop

PROGRAMS = Path(__file__).resolve().parent
RECORDER, WIDGETS = str(PROGRAMS / "byte_recorder.py"), str(PROGRAMS / "many_widgets.py")
DEADLINE_SECONDS = 60
_END = b"\x04"


def until(condition: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_SECONDS
    while not condition():
        assert monotonic() < deadline, "never happened"
        sleep(0.01)


def recorded_on_a_terminal(typed: bytes, file: Path) -> bytes:
    """What the recorder wrote when these bytes were typed at it, and then its end."""
    ours, theirs = pty.openpty()
    recorder = subprocess.Popen(
        [sys.executable, RECORDER, str(file)], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    try:
        shown = b""
        while b"recording" not in shown:
            shown += os.read(ours, 4096)
        for byte in typed + _END:
            os.write(ours, bytes([byte]))
        assert recorder.wait(DEADLINE_SECONDS) == 0
    finally:
        recorder.kill()
        recorder.wait()
        os.close(ours)
    return file.read_bytes()


def test_every_byte_but_the_end_is_recorded_untranslated(tmp_path: Path) -> None:
    every_byte = bytes(number for number in range(256) if number != _END[0])

    assert recorded_on_a_terminal(every_byte, tmp_path / "typed.bin") == every_byte + _END


def test_a_second_recording_is_appended(tmp_path: Path) -> None:
    recorded_on_a_terminal(b"one", tmp_path / "typed.bin")

    assert recorded_on_a_terminal(b"two", tmp_path / "typed.bin") == b"one" + _END + b"two" + _END


def test_the_recorder_needs_a_terminal(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, RECORDER, str(tmp_path / "typed.bin")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )

    assert (answer.returncode, answer.stderr) == (2, "byte_recorder: standard input is not a terminal\n")


class Window:
    """The many widgets on a virtual desktop, their pictures and what they recorded."""

    def __init__(self, backend: Backend, folder: Path) -> None:
        self.backend = backend
        self._events = folder / "events.jsonl"
        self._icons = folder / "icons"

    def events(self) -> list[dict[str, Any]]:
        if not self._events.exists():
            return []
        return [json.loads(line) for line in self._events.read_text(encoding="utf-8").splitlines()]

    def until_recorded(self, **event: object) -> None:
        until(lambda: event in self.events())

    def icon(self, name: str) -> Point:
        """The middle of the place on the screen that looks most like the saved picture."""
        likeness, place = self._likeness(name)
        assert likeness > 0.95
        return place

    def is_shown(self) -> bool:
        return (self._icons / "tree.png").exists() and self._likeness("tree")[0] > 0.95

    def _likeness(self, name: str) -> tuple[float, Point]:
        picture = cv2.imread(str(self._icons / f"{name}.png"))
        frame = self.backend.capture()
        pixels = np.frombuffer(frame.bgrx, np.uint8).reshape(frame.size.height, frame.size.width, 4)
        assert picture is not None
        likeness = cv2.matchTemplate(np.ascontiguousarray(pixels[..., :3]), picture, cv2.TM_CCOEFF_NORMED)
        _, best, _, (left, top) = cv2.minMaxLoc(likeness)
        return best, Point(left + picture.shape[1] // 2, top + picture.shape[0] // 2)


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    folder = tmp_path_factory.mktemp("widgets")
    options = ["--seconds", "0.1", "--icons", str(folder / "icons")]
    with VirtualDesktop(Size(1280, 800)) as desktop, desktop.open_backend() as backend:
        desktop.run([sys.executable, WIDGETS, str(folder / "events.jsonl"), *options])
        shown = Window(backend, folder)
        until(shown.is_shown)
        yield shown


@pytest.mark.parametrize("name", ["disk", "flag", "tree"])
def test_an_icon_is_found_by_its_saved_picture_and_records_its_click(window: Window, name: str) -> None:
    window.backend.click(window.icon(name), Button.LEFT, 1)

    window.until_recorded(event="clicked", button=name, row="icons")


def test_scrolling_the_list_records_what_came_to_the_top(window: Window) -> None:
    # The list stands to the right of the rows and reaches as far down as they do.
    window.backend.scroll(Direction.DOWN, 3, Point(700, 100))

    until(lambda: any(event["event"] == "scrolled" for event in window.events()))


@pytest.mark.parametrize("options", ["events.jsonl --seconds soon", "", "events.jsonl --size"])
def test_a_wrong_option_is_refused_without_a_window(options: str) -> None:
    answer = subprocess.run(
        [sys.executable, WIDGETS, *options.split()],
        env={},
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )

    assert answer.returncode == 2


def test_without_a_display_it_says_so_in_one_line(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, WIDGETS, str(tmp_path / "events.jsonl")],
        env={},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith("many_widgets: cannot open a window")
    assert len(answer.stderr.splitlines()) == 1
