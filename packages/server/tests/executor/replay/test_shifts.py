"""Where something has moved to, and that what looks alike everywhere has moved nowhere."""

from typing import Any

import numpy as np
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.executor.replay.shifts import moved_by, places_of
from cyberdesk_server.testing.screens import Canvas

Picture = np.ndarray[Any, Any]


def a_window(at: Point, name: str = "Doe, John") -> Picture:
    canvas = Canvas(900, 640, ground="#101010")
    canvas.table(
        at.x, at.y, [("Name", 300), ("Born", 160)], [(name, "1968-04-23"), ("Weber, Ada", "1990-11-30")]
    )
    canvas.button(at.x, at.y + 200, "Open chart")
    return np.asarray(canvas.picture).copy()


def test_a_window_with_other_data_has_moved() -> None:
    recorded, now = a_window(Point(200, 200)), a_window(Point(263, 171), "Novak, Bruno")

    assert moved_by(recorded, now) == Point(63, -29)


def test_a_window_at_its_place_and_an_empty_screen_have_not() -> None:
    recorded = a_window(Point(200, 200))
    empty = np.zeros_like(recorded)

    assert moved_by(recorded, a_window(Point(200, 200), "Novak, Bruno")) is None
    assert moved_by(empty, empty) is None
    assert moved_by(recorded, empty) is None


def test_exactly_the_same_pixels_are_found_and_blank_ones_are_not() -> None:
    screen = a_window(Point(200, 200))
    button, blank = screen[400:428, 200:310], screen[0:28, 0:110]

    assert places_of(button, screen) == [Point(200, 400)]
    assert places_of(blank, screen) == []
