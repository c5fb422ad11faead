"""A list that still shows the last search is not what this search has found."""

from typing import Any

import numpy as np
from cyberdesk_server.domain.geometry import Box, Point
from cyberdesk_server.executor.replay.reactions import Reaction
from cyberdesk_server.testing.screens import Canvas

AT_ITS_PLACE = Point(0, 0)
Picture = np.ndarray[Any, Any]


def a_search(found: str, *, clock: str = "12:00:00", left: int = 0) -> Picture:
    canvas = Canvas(900, 640)
    canvas.field(left + 40, 40, "12345")
    canvas.text(left + 40, 120, found)
    canvas.text(700, 600, clock)
    return np.asarray(canvas.picture).copy()


SEARCHED = a_search("10648   Santos, Fatima   1971-02-03")
FOUND = a_search("12345   Doe, John   1968-04-23", clock="12:00:01")
REACTION = Reaction.between(SEARCHED, FOUND)


def test_other_data_in_the_same_place_is_the_reaction() -> None:
    before, now = a_search("20001   Weber, Ada   1990-11-30"), a_search("20002   Novak, Bruno   1984-06-12")

    assert REACTION.has_come(before, now, AT_ITS_PLACE)


def test_a_clock_that_ticks_is_none() -> None:
    before = a_search("20001   Weber, Ada   1990-11-30", clock="09:10:11")
    now = a_search("20001   Weber, Ada   1990-11-30", clock="09:10:12")

    assert not REACTION.has_come(before, now, AT_ITS_PLACE)


def test_what_is_there_already_as_it_was_recorded_is_none() -> None:
    before, now = a_search("12345   Doe, John   1968-04-23"), FOUND

    assert not REACTION.has_come(before, now, AT_ITS_PLACE)


def test_it_is_looked_for_where_the_window_is_now() -> None:
    before, now = a_search("", left=300), a_search("20002   Novak, Bruno", left=300)

    assert REACTION.has_come(before, now, Point(300, 0))


def test_where_nothing_changed_nothing_is_waited_for() -> None:
    nothing = Reaction.between(FOUND, FOUND)

    assert nothing.has_come(SEARCHED, SEARCHED, AT_ITS_PLACE)


def test_a_change_that_is_always_there_is_passed_over() -> None:
    clock_only = Reaction.between(a_search("x"), a_search("x", clock="12:00:09"), [Box(640, 580, 860, 640)])

    assert not clock_only.tiles
