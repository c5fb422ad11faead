"""The guard on painted screens: what is harmless, and what must never be taken for the recorded screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.executor.replay.guard import AS_RECORDED, Facts, Verdict, around, check, has_double
from cyberdesk_server.testing.screens import GREY, WHITE, Canvas
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

SCREEN = Size(900, 640)
NAMES = ("Doe, John", "Santos, Fatima", "Nguyen, Linh", "Okafor, Ada")
CORNER = Point(40, 40)
SOME = settings(max_examples=20)

words = st.text("abcdefghijklmnopqrstuvwxyz ", max_size=24)


@dataclass
class Form:
    """A window with two fields, a table with an "Edit" in each row, and a button."""

    picture: np.ndarray[Any, Any]
    label: Box
    field: Box
    edits: list[Box]
    save: Box


def a_form(
    *,
    at: Point = CORNER,
    values: Sequence[str] = ("", ""),
    names: Sequence[str] = NAMES,
    save: str = "Save",
    ink: str = "#000000",
    clock: str = "12:00:00",
    labels: Sequence[str] = ("Last name", "First name"),
    dialog: Box | None = None,
) -> Form:
    canvas = Canvas(*SCREEN, ground="#5a7a9a")
    x, y = at
    canvas.rectangle(Box(x, y, x + 560, y + 420), fill=GREY, outline="#202020")
    canvas.rectangle(Box(x, y, x + 560, y + 24), fill="#000060")
    canvas.text(x + 8, y + 4, "Patients", ink=WHITE, is_bold=True)
    label = canvas.text(x + 20, y + 50, labels[0])
    field = canvas.field(x + 140, y + 46, values[0])
    canvas.text(x + 20, y + 90, labels[1])
    canvas.field(x + 140, y + 86, values[1])
    rows = [(name, "Edit") for name in names]
    canvas.table(x + 20, y + 130, [("Name", 300), ("", 80)], rows)
    edits = [
        Box(x + 326, y + 130 + 24 * n + 3, x + 352, y + 130 + 24 * n + 19) for n in range(1, len(rows) + 1)
    ]
    button = canvas.button(x + 20, y + 370, "")
    save_text = canvas.text(button.left + 36, button.top + 6, save, ink=ink)
    canvas.text(SCREEN.width - 100, SCREEN.height - 24, clock, ink=WHITE)
    if dialog is not None:
        canvas.rectangle(dialog, fill=GREY, outline="#101010")
        canvas.text(dialog.left + 12, dialog.top + 14, "Sure?")
    return Form(np.asarray(canvas.picture).copy(), label, field, edits, save_text)


RECORDED = a_form()
SAVE = Facts(targets=(RECORDED.save,))
FILL = Facts(targets=(RECORDED.field,), anchors=(RECORDED.label,), fills_in=True)


def compare(now: Form, facts: Facts, recorded: Form = RECORDED) -> Verdict:
    return check(recorded.picture, now.picture, facts)


def test_a_screen_as_it_was_recorded_is_a_hit() -> None:
    assert compare(a_form(), SAVE) is AS_RECORDED


@SOME
@given(
    values=st.tuples(words, words), clock=st.from_regex("[0-2][0-9]:[0-5][0-9]:[0-5][0-9]", fullmatch=True)
)
def test_other_values_in_fields_and_a_ticking_clock_are_harmless(values: tuple[str, str], clock: str) -> None:
    now = a_form(values=values, clock=clock)

    assert compare(now, SAVE).is_hit
    assert compare(now, FILL).is_hit
    assert compare(now, Facts()).is_hit


def test_a_text_cursor_changes_nothing() -> None:
    now = a_form()
    field = now.field
    now.picture[field.top + 4 : field.bottom - 4, field.left + 6 : field.left + 7] = 0

    assert compare(now, FILL) is AS_RECORDED
    assert compare(now, SAVE) is AS_RECORDED


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(a_form(ink="#a0a0a0"), id="greyed out"),
        pytest.param(a_form(save="Send"), id="renamed"),
        pytest.param(a_form(save="Sawe"), id="renamed by a letter"),
        pytest.param(a_form(save=""), id="gone"),
    ],
)
def test_a_button_that_looks_otherwise_is_a_miss(now: Form) -> None:
    verdict = compare(now, SAVE)

    assert not verdict.is_hit
    assert "does not look as it did" in verdict.reason


@SOME
@given(data=st.data())
def test_no_change_inside_what_is_pointed_at_is_overlooked(data: st.DataObject) -> None:
    now = a_form()
    place = around(RECORDED.save, SCREEN)
    x = data.draw(st.integers(place.left, place.right - 1))
    y = data.draw(st.integers(place.top, place.bottom - 1))
    now.picture[y, x] = 255 - now.picture[y, x] // 2 if now.picture[y, x].mean() < 100 else 0

    assert not compare(now, SAVE).is_hit


@pytest.mark.parametrize("labels", [("First name", "Last name"), ("Last nome", "First name")])
def test_a_field_whose_label_is_another_one_is_a_miss(labels: tuple[str, str]) -> None:
    assert not compare(a_form(labels=labels), FILL).is_hit


def test_fields_alike_need_their_row_when_nobody_knows_their_label() -> None:
    unlabelled = Facts(targets=(RECORDED.field,), fills_in=True)

    assert not compare(a_form(labels=("First name", "Last name")), unlabelled).is_hit


@SOME
@given(names=st.permutations(NAMES), row=st.integers(0, len(NAMES) - 1))
def test_of_many_alike_only_the_one_in_the_same_row_is_clicked(names: list[str], row: int) -> None:
    now = a_form(names=names)

    verdict = compare(now, Facts(targets=(RECORDED.edits[row],)))

    assert verdict.is_hit == (names[row] == NAMES[row])
    assert verdict.shift == Point(0, 0)


def test_one_row_more_makes_alike_what_was_alone() -> None:
    alone = a_form(names=NAMES[:1])

    assert not compare(a_form(names=NAMES[:2]), Facts(targets=(alone.edits[0],)), alone).is_hit


@pytest.mark.parametrize("offset", range(3))
@pytest.mark.parametrize("stripe", [WHITE, "#f1efea", "#d8e4f4"])
def test_a_double_on_another_ground_is_one(stripe: str, offset: int) -> None:
    canvas = Canvas(600, 400, ground=WHITE)
    first = canvas.text(40, 40, "Edit")
    canvas.rectangle(Box(0, 200, 600, 240), fill=stripe)
    canvas.text(151 + offset, 211 + offset, "Edit")

    assert has_double(np.asarray(canvas.picture), around(first, Size(600, 400)))


def test_other_words_are_no_doubles() -> None:
    canvas = Canvas(600, 400)
    first = canvas.text(40, 40, "Save")
    for row, word in enumerate(("Search", "Cancel", "Close", "Same", "Print", "Delete")):
        canvas.text(200, 40 + 40 * row, word)

    assert not has_double(np.asarray(canvas.picture), around(first, Size(600, 400)))


@SOME
@given(
    left=st.integers(0, 700),
    top=st.integers(0, 500),
    width=st.integers(120, 400),
    height=st.integers(64, 200),
)
def test_a_dialog_in_front_is_a_miss_wherever_it_is(left: int, top: int, width: int, height: int) -> None:
    dialog = Box(left, top, left + width, top + height).clamped(SCREEN)

    for facts in (SAVE, FILL, Facts()):
        assert not compare(a_form(dialog=dialog), facts).is_hit


@SOME
@given(x=st.integers(0, 330), y=st.integers(0, 190))
def test_the_click_moves_along_with_its_window(x: int, y: int) -> None:
    now = a_form(at=Point(x, y))

    verdict = compare(now, SAVE)

    assert verdict.is_hit
    assert verdict.shift == Point(x - CORNER.x, y - CORNER.y)


def test_a_moved_window_with_another_button_is_a_miss() -> None:
    assert not compare(a_form(at=Point(60, 70), ink="#a0a0a0"), SAVE).is_hit


def test_what_changes_by_itself_is_not_looked_at() -> None:
    now = a_form()
    now.picture[20:30, 700:880] = (255, 0, 0)
    animated = Box(690, 10, 890, 40)

    assert not compare(now, SAVE).is_hit
    assert compare(now, Facts(targets=SAVE.targets, volatile=(animated,))) is AS_RECORDED


def test_another_size_is_a_miss_that_names_both() -> None:
    verdict = check(RECORDED.picture, RECORDED.picture[:600], SAVE)

    assert not verdict.is_hit
    assert verdict.reason == "the screen is 900x600, it was recorded at 900x640"


def test_another_page_is_a_miss_for_actions_and_for_readings() -> None:
    other = a_form()
    other.picture[70:440, 50:590] = 255

    assert not compare(other, Facts()).is_hit
    assert not compare(other, Facts(looks_itself=True)).is_hit


def test_a_reading_may_find_more_rows_than_were_recorded() -> None:
    now = a_form(names=NAMES[:2])

    assert not compare(now, Facts()).is_hit
    assert compare(now, Facts(looks_itself=True)).is_hit


def titled(title: str, *, line: Box | None = None) -> np.ndarray[Any, Any]:
    """A form below a title bar that is another colour in each row, as window managers paint them."""
    picture = a_form().picture
    for row in range(20):
        picture[row] = (90 + 4 * row, 130 + 4 * row, 180 + 3 * row)
    canvas = Canvas(*SCREEN)
    canvas.picture.paste(Image.fromarray(picture))
    canvas.text(360, 2, title, ink=WHITE)
    if line is not None:
        canvas.rectangle(line, fill="#303030")
    return np.asarray(canvas.picture).copy()


def test_another_title_on_a_gradient_is_only_writing() -> None:
    recorded = titled("Clinic Manager")

    assert check(recorded, titled("Clinic Manager   Printer offline"), SAVE).is_hit
    assert not check(recorded, titled("Clinic Manager", line=Box(340, 8, 500, 10)), SAVE).is_hit
    assert not check(recorded, titled("Clinic Manager", line=Box(480, 0, 486, 32)), SAVE).is_hit


@pytest.mark.parametrize("facts", [SAVE, FILL, Facts()], ids=["a click", "a field", "a key"])
def test_a_window_that_moved_with_other_data_is_followed(facts: Facts) -> None:
    other = [f"{name}, MD" for name in NAMES]

    verdict = compare(a_form(at=Point(93, 71), names=other), facts)

    assert (verdict.is_hit, verdict.shift) == (True, Point(53, 31))


def test_a_window_that_moved_below_a_dialog_is_not() -> None:
    moved = a_form(at=Point(93, 71), dialog=Box(300, 200, 560, 300))

    assert not compare(moved, FILL).is_hit
    assert not compare(moved, Facts()).is_hit
