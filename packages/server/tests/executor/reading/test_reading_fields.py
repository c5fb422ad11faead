"""Which field, which value, which picture belongs to a label."""

import pytest
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.executor.reading.fields import field_of
from cyberdesk_server.executor.reading.labels import matches
from cyberdesk_server.executor.reading.ocr import engine
from cyberdesk_server.executor.reading.pages import Page, Side
from cyberdesk_server.executor.reading.pictures import places
from cyberdesk_server.executor.reading.sight import Sight, decoded, look
from cyberdesk_server.executor.reading.values import paragraph_below, text_beside, text_in
from cyberdesk_server.testing.screens import GREY, WHITE, Canvas, screenshot_of

NOTHING = Page(Size(1280, 800), ())
PANEL = Box(0, 0, 1280, 800)
LABEL = Box(100, 100, 160, 112)


def seen(canvas: Canvas) -> Sight:
    return look(decoded(canvas.screenshot().png), engine())


def label(sight: Sight, text: str) -> Box:
    return matches(sight.page, text)[0].box


def beside(sight: Sight, text: str, side: Side) -> str | None:
    reading = text_beside(sight, label(sight, text), side)
    return reading.text if reading else None


def test_the_field_right_of_a_label_comes_before_the_one_below() -> None:
    right, below = Box(200, 95, 400, 117), Box(100, 120, 300, 142)

    assert field_of(LABEL, [below, right, PANEL], NOTHING) == right
    assert field_of(LABEL, [below, PANEL], NOTHING) == below


def test_of_two_fields_on_the_line_the_nearer_one_counts() -> None:
    near, far = Box(200, 95, 300, 117), Box(320, 95, 420, 117)

    assert field_of(LABEL, [far, near, PANEL], NOTHING) == near


def test_a_hint_inside_a_field_names_the_field_and_not_the_button_beside_it() -> None:
    field, button = Box(96, 95, 400, 117), Box(410, 95, 470, 117)

    assert field_of(LABEL, [button, field, PANEL], NOTHING) == field


def test_a_field_far_below_is_not_the_labels() -> None:
    assert field_of(LABEL, [Box(100, 180, 300, 202), PANEL], NOTHING) is None


def test_fields_are_found_on_a_screen() -> None:
    canvas = Canvas()
    canvas.text(30, 120, "Patient ID")
    first = canvas.field(145, 116)
    canvas.text(30, 160, "Last name")
    second = canvas.field(145, 156, "Doe")
    canvas.text(30, 200, "Remarks")
    third = canvas.field(30, 222, width=400, height=90)
    sight = seen(canvas)

    found = [
        field_of(label(sight, text), sight.areas, sight.page)
        for text in ("Patient ID", "Last name", "Remarks")
    ]

    assert [box and box.center for box in found] == [first.center, second.center, third.center]


def test_a_field_on_a_white_page_is_found_by_its_frame() -> None:
    canvas = Canvas(ground=WHITE)
    canvas.text(30, 120, "Name")
    field = canvas.field(145, 116)
    sight = seen(canvas)

    found = field_of(label(sight, "Name"), sight.areas, sight.page)

    assert found is not None
    assert found.center == field.center


def test_a_value_ends_at_the_first_wide_gap() -> None:
    canvas = Canvas()
    canvas.text(30, 100, "Name:")
    canvas.text(150, 100, "John Doe")
    canvas.text(500, 100, "Phone")
    canvas.text(600, 100, "(312) 555-0147")
    sight = seen(canvas)

    assert beside(sight, "Name", Side.RIGHT) == "John Doe"
    assert beside(sight, "(312) 555-0147", Side.LEFT) == "Phone"


def test_a_value_right_after_its_label_is_parted_from_it() -> None:
    canvas = Canvas()
    canvas.text(30, 100, "DOB: 1968-04-23")

    assert beside(seen(canvas), "DOB", Side.RIGHT) == "1968-04-23"


def test_an_empty_field_has_an_empty_value_although_more_stands_on_the_line() -> None:
    canvas = Canvas()
    canvas.text(30, 100, "Middle name")
    canvas.field(150, 96, width=120)
    canvas.text(300, 100, "Phone")
    sight = seen(canvas)

    assert beside(sight, "Middle name", Side.RIGHT) == ""
    assert beside(sight, "Phone", Side.RIGHT) is None


def test_a_field_below_its_label_is_read_with_all_its_lines() -> None:
    canvas = Canvas()
    canvas.text(30, 100, "Remarks")
    canvas.field(30, 120, width=400, height=80)
    canvas.text(36, 126, "Allergic to penicillin")
    canvas.text(36, 146, "Call before noon")
    sight = seen(canvas)

    expected = "Allergic to penicillin\nCall before noon"
    assert beside(sight, "Remarks", Side.BELOW) == expected
    assert beside(sight, "Remarks", Side.INSIDE) == expected
    assert text_in(sight, Box(30, 120, 430, 200)).text == expected


def test_words_in_a_fixed_pitch_are_one_value() -> None:
    canvas = Canvas()
    canvas.text(118, 80, "Name", is_mono=True, is_bold=True)
    canvas.text(118, 100, "Baker, Bruno", is_mono=True)
    canvas.text(358, 100, "1979-12-14", is_mono=True)

    assert beside(seen(canvas), "Name", Side.BELOW) == "Baker, Bruno"


def test_a_paragraph_ends_at_a_gap() -> None:
    canvas = Canvas()
    for top, text in ((100, "Allergies"), (122, "Penicillin"), (144, "Peanuts"), (220, "Signed by")):
        canvas.text(30, top, text)
    sight = seen(canvas)

    reading = paragraph_below(sight, label(sight, "Allergies"))

    assert reading is not None
    assert reading.text == "Penicillin\nPeanuts"


def test_above_a_label_stands_the_line_over_it() -> None:
    canvas = Canvas()
    canvas.text(30, 100, "Far")
    canvas.text(30, 130, "Near")
    canvas.text(30, 160, "Here")

    assert beside(seen(canvas), "Here", Side.ABOVE) == "Near"


@pytest.fixture
def icons() -> Canvas:
    canvas = Canvas(400, 300)
    for x, y in ((50, 50), (250, 180)):
        canvas.rectangle(Box(x, y, x + 24, y + 24), fill=WHITE, outline="#000000")
        canvas.rectangle(Box(x + 5, y + 6, x + 19, y + 12), fill="#0000c0")
    return canvas


def test_a_picture_is_found_wherever_it_is(icons: Canvas) -> None:
    picture = decoded(screenshot_of(icons.picture.crop((50, 50, 74, 74))).png)

    found = places(decoded(icons.screenshot().png), picture)

    assert set(found) == {Box(50, 50, 74, 74), Box(250, 180, 274, 204)}


def test_a_picture_of_one_colour_or_larger_than_the_screen_is_nowhere(icons: Canvas) -> None:
    screen = decoded(icons.screenshot().png)

    assert places(screen, decoded(Canvas(20, 20, ground=GREY).screenshot().png)) == []
    assert places(screen, decoded(Canvas(800, 20).screenshot().png)) == []
