"""The caret and the focus ring of a field are no part of its value, and letters like them are."""

import pytest
from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.executor.reading.labels import matches
from cyberdesk_server.executor.reading.ocr import engine
from cyberdesk_server.executor.reading.pages import Side
from cyberdesk_server.executor.reading.segments import INK_CONTRAST, ink_of, segments
from cyberdesk_server.executor.reading.sight import decoded, look
from cyberdesk_server.executor.reading.values import text_beside
from cyberdesk_server.testing.screens import BLACK, WHITE, Canvas

LEFT, TOP = 145, 116


def read(canvas: Canvas) -> str | None:
    sight = look(decoded(canvas.screenshot().png), engine())
    reading = text_beside(sight, matches(sight.page, "Subject")[0].box, Side.RIGHT)
    return reading.text if reading else None


def a_field(value: str, *, font_px: int = 15, ring_px: int = 1) -> tuple[Canvas, Box]:
    """A screen with a focused field, and the box of its value."""
    canvas = Canvas(500, 240, font_px=font_px)
    canvas.text(30, TOP, "Subject")
    canvas.rectangle(Box(LEFT, TOP - 2, LEFT + 240, TOP + 22), fill=BLACK)
    inside = Box(LEFT + ring_px, TOP - 2 + ring_px, LEFT + 240 - ring_px, TOP + 22 - ring_px)
    canvas.rectangle(inside, fill=WHITE)
    return canvas, canvas.text(inside.left + 2, TOP, value)


def put_caret(canvas: Canvas, x: int, width_px: int) -> None:
    canvas.rectangle(Box(x, TOP, x + width_px, TOP + 19), fill=BLACK)


@pytest.mark.parametrize("value", ["again", "Deep value", "Bill", "1|2", "Il1|l", "ill", "10:45"])
@pytest.mark.parametrize("ring_px", [1, 2])
@pytest.mark.parametrize("width_px", [1, 2])
@pytest.mark.parametrize("gap_px", [0, 1, 2])
def test_a_caret_behind_a_value_is_not_read(value: str, ring_px: int, width_px: int, gap_px: int) -> None:
    plain, _ = a_field(value, ring_px=ring_px)
    canvas, box = a_field(value, ring_px=ring_px)
    put_caret(canvas, box.right + gap_px, width_px)

    assert read(canvas) == read(plain)


@pytest.mark.parametrize("value", ["again", "Deep value"])
@pytest.mark.parametrize("width_px", [1, 2])
def test_a_caret_on_the_edge_of_the_last_letter_is_not_read(value: str, width_px: int) -> None:
    canvas, box = a_field(value)
    put_caret(canvas, box.right - 1, width_px)

    assert read(canvas) == value


@pytest.mark.parametrize("value", ["again", "Deep value"])
@pytest.mark.parametrize("width_px", [1, 2])
def test_a_caret_before_a_value_is_not_read(value: str, width_px: int) -> None:
    canvas, box = a_field(value)
    put_caret(canvas, box.left - width_px, width_px)

    assert read(canvas) == value


@pytest.mark.parametrize(("before", "after"), [("Deep ", "value"), ("aga", "in")])
def test_a_caret_between_two_letters_is_not_read(before: str, after: str) -> None:
    canvas, _ = a_field(before + after)
    put_caret(canvas, a_field(before)[1].right - 1, 1)

    assert read(canvas) == before + after


@pytest.mark.parametrize("value", ["Bill", "1|2", "lace", "all", "Il1|l"])
def test_a_value_with_thin_letters_is_read_whole(value: str) -> None:
    plain = Canvas(500, 240, font_px=15)
    plain.text(30, TOP, "Subject")
    plain.text(LEFT, TOP, value)

    assert read(a_field(value)[0]) == read(plain)


@pytest.mark.parametrize(
    "value", ["Bill", "1|2", "a|c", "lace", "lT", "Ill", "pal", "all", "lily", "B|", "l="]
)
@pytest.mark.parametrize("font_px", [14, 15, 18])
def test_a_thin_letter_is_not_wiped_as_a_caret(value: str, font_px: int) -> None:
    canvas = Canvas(300, 120, ground=WHITE, font_px=font_px)
    canvas.text(30, 40, value)
    picture = decoded(canvas.screenshot().png)

    kept = sum(int((piece.ink < 255 - INK_CONTRAST).sum()) for piece in segments(picture))

    assert kept >= int((ink_of(picture) > INK_CONTRAST).sum())
