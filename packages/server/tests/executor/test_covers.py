"""Where a secret was typed the screen is painted over, as long as it may be there, and nowhere else."""

import numpy as np
import pytest
from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.executor.covers import COLOUR, Covers
from cyberdesk_server.executor.replay.screens import pixels
from cyberdesk_server.testing.screens import NAVY, WHITE, Canvas

SECRET = "s3cr3tP@ss"


def a_login(
    value: str = "", *, at: tuple[int, int] = (300, 200), button: str = "#a3a3a3", caret: bool = False
) -> Canvas:
    """A window with a label, a field and a button."""
    canvas, (x, y) = Canvas(), at
    canvas.rectangle(Box(x - 120, y - 40, x + 320, y + 120), fill="#d4d0c8", outline="#404040")
    canvas.text(x - 90, y + 4, "User name")
    canvas.field(x, y, value)
    if caret:
        canvas.rectangle(Box(x + 4, y + 4, x + 6, y + 20), fill="#000000")
    canvas.rectangle(Box(x, y + 60, x + 110, y + 88), fill="#d4d0c8", outline="#808080")
    canvas.text(x + 35, y + 66, "Log in", ink=button)
    return canvas


def typed_text(canvas: Canvas, value: str, at: tuple[int, int] = (300, 200)) -> Box:
    return canvas.text(at[0] + 4, at[1] + 3, value)


BEFORE = a_login()
WRITING = typed_text(a_login(), SECRET)


@pytest.fixture
def covers() -> Covers:
    """After the secret was typed into the field, and seen there."""
    covers = Covers()
    covers.begin(BEFORE.screenshot())
    covers.over(a_login(SECRET).screenshot())
    assert covers.has_seen_it
    covers.end()
    return covers


def covered(screenshot: Screenshot, box: Box) -> bool:
    """True when nothing of the box is to be seen."""
    part = pixels(screenshot.png)[box.top : box.bottom, box.left : box.right]
    return bool((part == np.array(COLOUR, np.uint8)).all())


def differs(screenshot: Screenshot, other: Screenshot, box: Box) -> bool:
    part = np.s_[box.top : box.bottom, box.left : box.right]
    return not np.array_equal(pixels(screenshot.png)[part], pixels(other.png)[part])


def test_what_was_typed_is_covered_and_what_stands_around_it_is_not(covers: Covers) -> None:
    screen = a_login(SECRET).screenshot()

    seen = covers.over(screen)

    assert covered(seen, WRITING)
    assert len(seen.covered) == 1
    assert not differs(seen, screen, Box(200, 190, 296, 230))
    assert not differs(seen, screen, Box(300, 230, 420, 300))
    assert seen.digest != screen.digest


@pytest.mark.parametrize(
    "value", [SECRET[5:], SECRET + "more", "another", "\u2022" * 10, f"{SECRET} {SECRET}"]
)
def test_whatever_the_field_shows_next_is_covered_where_the_secret_was(covers: Covers, value: str) -> None:
    assert covered(covers.over(a_login(value).screenshot()), WRITING)


def test_what_is_selected_is_covered(covers: Covers) -> None:
    canvas = a_login()
    canvas.rectangle(Box(303, 203, 303 + WRITING.width + 4, 221), fill=NAVY)
    canvas.text(304, 203, SECRET, ink=WHITE)

    assert covered(covers.over(canvas.screenshot()), Box(306, 206, 306 + WRITING.width - 6, 216))


def test_a_field_as_it_was_before_is_bare_also_with_a_caret(covers: Covers) -> None:
    for canvas in (a_login(), a_login(caret=True)):
        screen = canvas.screenshot()
        assert covers.over(screen) is screen


def test_another_page_is_bare(covers: Covers) -> None:
    page = Canvas(ground="#ffffff")
    page.text(300, 205, "Patients of the day", is_bold=True)

    screen = page.screenshot()

    assert covers.over(screen) is screen


def test_a_window_that_was_moved_takes_its_cover_along(covers: Covers) -> None:
    seen = covers.over(a_login(SECRET, at=(500, 400)).screenshot())

    assert covered(
        seen, Box(WRITING.left + 200, WRITING.top + 200, WRITING.right + 200, WRITING.bottom + 200)
    )


def test_a_page_that_comes_back_is_covered_again(covers: Covers) -> None:
    covers.over(Canvas(ground="#ffffff").screenshot())

    assert covered(covers.over(a_login(SECRET).screenshot()), WRITING)


def test_a_button_that_can_be_pressed_now_is_bare() -> None:
    covers = Covers()
    covers.begin(BEFORE.screenshot())

    seen = covers.over(a_login(SECRET, button="#000000").screenshot())

    assert covered(seen, WRITING)
    assert not differs(seen, a_login(SECRET, button="#000000").screenshot(), Box(300, 255, 420, 300))


def test_a_page_that_the_typing_brought_up_is_bare() -> None:
    covers = Covers()
    covers.begin(BEFORE.screenshot())
    page = Canvas(ground="#ffffff")
    page.text(40, 40, "Welcome", font_px=30)
    page.table(40, 120, [("Name", 300), ("Ward", 300)], [["Ann", "3"], ["Bob", "4"]])

    screen = page.screenshot()

    assert covers.over(screen) is screen


def test_a_caret_is_nothing_that_was_typed() -> None:
    covers = Covers()
    covers.begin(BEFORE.screenshot())
    covers.over(a_login(caret=True).screenshot())

    assert not covers.has_seen_it


def test_what_shows_late_is_covered_until_something_else_is_done() -> None:
    covers = Covers()
    covers.begin(BEFORE.screenshot())
    for shown in (SECRET[:3], SECRET):
        assert covers.over(a_login(shown).screenshot()).covered
    covers.end()
    later = a_login(SECRET)
    news = later.text(600, 600, "You have mail")

    seen = covers.over(later.screenshot())

    assert covered(seen, WRITING)
    assert not differs(seen, later.screenshot(), news)


def test_places_of_a_worker_before_stay_covered() -> None:
    covers = Covers()
    covers.cover_always([WRITING])

    assert covered(covers.over(Canvas(ground="#ffffff").screenshot()), WRITING)


def test_a_screen_of_another_size_and_one_that_is_no_picture_are_no_trouble(covers: Covers) -> None:
    small = Canvas(200, 100).screenshot()
    no_picture = Screenshot(b"nothing", small.size, "digest")

    assert covers.over(small) is small
    assert covers.over(no_picture) is no_picture
    covers.begin(no_picture)
    assert covers.over(small) is small
