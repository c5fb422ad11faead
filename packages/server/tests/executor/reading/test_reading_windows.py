"""Reading a real program: the demo's clinic on a display of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.executor.reading.fields import field_of
from cyberdesk_server.executor.reading.labels import matches
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.testing.screens import screenshot_of
from PIL import ImageGrab

DEMO = Path(__file__).parents[5] / "demo"
PATIENCE_SECONDS = 30.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X display with the clinic on it."""
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert server.stdout is not None
    name = f":{server.stdout.readline().decode().strip()}"
    environment = {**os.environ, "DISPLAY": name, "PYTHONPATH": str(DEMO), "PYTHONDONTWRITEBYTECODE": "1"}
    clinic = subprocess.Popen([sys.executable, "-m", "clinic"], env=environment)
    try:
        yield name
    finally:
        for process in (clinic, server):
            process.terminate()
            process.wait()
        server.stdout.close()


def seen(display: str) -> Screenshot:
    return screenshot_of(ImageGrab.grab(xdisplay=display))


async def test_a_login_window_is_read(display: str) -> None:
    reader = ScreenReader()
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not await reader.is_visible(seen(display), "Log in"):
        assert time.monotonic() < give_up_at, "the clinic did not open"

    labels = ("User name", "Password")
    places = await reader.work(
        seen(display),
        lambda sight: [
            field_of(matches(sight.page, label)[0].box, sight.areas, sight.page) for label in labels
        ],
    )

    first, second = places
    assert first is not None
    assert second is not None
    assert (first.left, first.width, first.height) == (second.left, second.width, second.height)
    assert first.bottom < second.top
    assert not await reader.is_visible(seen(display), "Demographics")
