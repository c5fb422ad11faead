"""The guard of replays on the real windows of the clinic: which screens it takes for the same."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from clinic.search import SearchPage
from clinic.testing import Screen
from cyberdesk_server.domain.geometry import Box, Point
from cyberdesk_server.executor.replay.guard import Facts, Verdict, check
from cyberdriver.backends.x11 import X11Backend

Picture = np.ndarray[Any, Any]
Look = Callable[[], Picture]


@pytest.fixture
def look(display: str, logged_in: Screen) -> Iterator[Look]:
    """What the display shows once the program has painted itself."""
    backend = X11Backend(display)

    def look() -> Picture:
        for _ in range(3):
            logged_in.root.update()
        frame = backend.capture()
        bgrx = np.frombuffer(frame.bgrx, np.uint8).reshape(frame.size.height, frame.size.width, 4)
        return np.ascontiguousarray(bgrx[:, :, 2::-1])

    yield look
    backend.close()


def box_of(widget: tk.Misc) -> Box:
    left, top = widget.winfo_rootx(), widget.winfo_rooty()
    return Box(left, top, left + widget.winfo_width(), top + widget.winfo_height())


def page_of(screen: Screen) -> SearchPage:
    page = screen.clinic.page
    assert isinstance(page, SearchPage)
    return page


def find(screen: Screen, **query: str) -> SearchPage:
    page = page_of(screen)
    for name in ("patient_id", "last_name", "first_name"):
        entry = getattr(page, name)
        entry.delete(0, tk.END)
        entry.insert(0, query.get(name, ""))
    screen.press("Search")
    screen.until(lambda: page.results.size() > 0)
    return page


def open_chart(page: SearchPage) -> Facts:
    return Facts(targets=(box_of(page.open),))


def compared(recorded: Picture, look: Look, facts: Facts) -> Verdict:
    return check(recorded, look(), facts)


def test_another_patient_is_the_same_screen(logged_in: Screen, look: Look) -> None:
    page = find(logged_in, patient_id="12345")
    recorded = look()

    find(logged_in, patient_id="10648")

    assert compared(recorded, look, open_chart(page)).is_hit


def test_a_ticking_clock_is_the_same_screen(logged_in: Screen, look: Look) -> None:
    facts, recorded, before = open_chart(page_of(logged_in)), look(), logged_in.clinic.clock_text

    logged_in.until(lambda: logged_in.clinic.clock_text != before)

    assert compared(recorded, look, facts).is_hit


def test_a_disabled_button_is_another_one(logged_in: Screen, look: Look) -> None:
    page = find(logged_in, patient_id="12345")
    facts, recorded = open_chart(page), look()

    page.open.configure(state=tk.DISABLED)

    assert not compared(recorded, look, facts).is_hit


def test_a_renamed_button_is_another_one(logged_in: Screen, look: Look) -> None:
    page = find(logged_in, patient_id="12345")
    facts, recorded = open_chart(page), look()

    page.open.configure(text="Close chart")

    assert not compared(recorded, look, facts).is_hit


def test_another_chosen_line_is_another_screen(logged_in: Screen, look: Look) -> None:
    page = find(logged_in, last_name="S")
    assert page.results.size() > 2
    facts, recorded = open_chart(page), look()

    page.results.selection_clear(0)
    page.results.selection_set(2)

    assert not compared(recorded, look, facts).is_hit


def test_a_line_that_changed_places_is_not_clicked_where_it_was(logged_in: Screen, look: Look) -> None:
    page = find(logged_in, last_name="S")
    left, top, width, height = page.results.bbox(1)
    corner = box_of(page.results)
    facts = Facts(targets=(Box(left, top, left + width, top + height).moved(Point(corner.left, corner.top)),))
    recorded = look()

    second = page.results.get(1)
    page.results.delete(1)
    page.results.insert(3, second)

    verdict = compared(recorded, look, facts)
    assert verdict.shift != Point(0, 0) or not verdict.is_hit


@pytest.mark.parametrize("ask", ["nothing", "about"])
def test_a_dialog_in_front_is_another_screen(logged_in: Screen, look: Look, ask: str) -> None:
    page = page_of(logged_in)
    facts, recorded = Facts(targets=(box_of(page.clear),)), look()

    if ask == "nothing":
        logged_in.press("Search")
    else:
        logged_in.root.event_generate("<F1>")
    logged_in.until(lambda: "OK" in logged_in.texts())

    assert not compared(recorded, look, facts).is_hit
    assert not compared(recorded, look, Facts()).is_hit
    logged_in.press("OK")


def test_another_page_is_another_screen(logged_in: Screen, look: Look) -> None:
    page = find(logged_in, patient_id="12345")
    recorded = look()

    page.open.invoke()
    logged_in.until_text("Demographics")

    assert not compared(recorded, look, Facts()).is_hit
    assert not compared(recorded, look, Facts(looks_itself=True)).is_hit


def test_typed_text_and_the_text_cursor_are_the_same_screen(logged_in: Screen, look: Look) -> None:
    page = page_of(logged_in)
    field = box_of(page.last_name)
    label = Box(field.left - 120, field.top, field.left - 30, field.bottom)
    recorded = look()

    page.patient_id.insert(0, "11026")
    page.last_name.insert(0, "Santos")
    page.last_name.focus_set()

    assert compared(recorded, look, Facts((field,), (label,), fills_in=True)).is_hit


def test_a_click_moves_along_with_the_window(logged_in: Screen, look: Look) -> None:
    root, page = logged_in.root, page_of(logged_in)
    root.geometry("900x600+0+0")
    recorded = look()
    facts = Facts(targets=(box_of(page.search),))

    root.geometry("900x600+150+90")

    verdict = compared(recorded, look, facts)
    assert verdict.is_hit
    assert verdict.shift == Point(150, 90)
