"""Reading painted screens: every letter of them, whatever the colours, and no more than changed."""

import hashlib
import subprocess
import sys

import pytest
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.executor.reading.ocr import engine
from cyberdesk_server.executor.reading.reader import REMEMBERED_SCREENS, ScreenReader
from cyberdesk_server.executor.reading.sight import Sight, UnreadablePicture, decoded, look
from cyberdesk_server.testing.screens import BLACK, GREY, NAVY, WHITE, Canvas
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BUTTONS = (
    "OK", "Cancel", "Apply", "Save As...", "Close", "Help", "Search", "Clear", "Log in", "Print Preview",
    "New Patient", "Edit", "Delete", "Next >", "< Back", "Browse...", "Yes", "No", "Retry", "Ignore", "Abort",
    "Settings", "Remove", "Move up", "Send e-mail", "Medications", "Vitals", "Insurance", "Address book",
    "Sign out", "Refresh", "Export CSV", "Archive",
)  # fmt: skip
VALUES = (
    "1968-04-23", "(312) 555-0147", "john.doe@example.org", "martin.vaughn@example.org", "MRN-482913",
    "128/82", "36.8", "84 kg", "$1,234.56", "07:45 PM", "0", "7", "1", "50%", "Smith, O'Brien",
    "2026/11/22 00:05:18", "C:\\Temp\\a.txt",
)  # fmt: skip


def read(canvas: Canvas) -> Sight:
    return look(decoded(canvas.screenshot().png), engine())


def painted(texts: tuple[str, ...], *, font_px: int, ground: str = GREY, ink: str = BLACK) -> Canvas:
    canvas = Canvas(1280, 800, ground=ground, font_px=font_px)
    for number, text in enumerate(texts):
        canvas.text(20 + number % 4 * 310, 10 + number // 4 * (font_px + 18), text, ink=ink)
    return canvas


@pytest.mark.slow
@pytest.mark.parametrize("font_px", [11, 14, 18])
@pytest.mark.parametrize(("ground", "ink"), [(GREY, BLACK), (WHITE, "#404040"), ("#202830", "#e8e8e8")])
def test_every_value_is_read_to_the_letter(font_px: int, ground: str, ink: str) -> None:
    sight = read(painted(VALUES, font_px=font_px, ground=ground, ink=ink))

    exact = {sight.exactly(phrase).text for phrase in sight.page.phrases}

    assert exact == set(VALUES)


def test_every_button_is_read() -> None:
    canvas = Canvas()
    for number, label in enumerate(BUTTONS):
        canvas.button(20 + number % 7 * 170, 20 + number // 7 * 60, label, width=150)

    assert {phrase.text for phrase in read(canvas).page.phrases} == set(BUTTONS)


def test_a_disabled_button_and_a_chosen_line_are_read_too() -> None:
    canvas = Canvas()
    canvas.text(100, 100, "Open chart", ink="#a0a0a0")
    canvas.rectangle(Box(100, 200, 500, 218), fill=NAVY)
    canvas.text(104, 201, "Demographics", ink=WHITE)
    canvas.rectangle(Box(100, 218, 500, 236), fill=WHITE)
    canvas.text(104, 219, "Medications")

    assert [phrase.text for phrase in read(canvas).page.phrases] == [
        "Open chart",
        "Demographics",
        "Medications",
    ]


def test_a_box_is_where_the_ink_is() -> None:
    canvas = Canvas()
    box = canvas.text(300, 200, "Search")

    (phrase,) = read(canvas).page.phrases

    assert abs(phrase.box.left - box.left) <= 2
    assert abs(phrase.box.right - box.right) <= 2
    assert abs(phrase.box.center.y - box.center.y) <= 2


def test_neighbouring_buttons_are_two_labels() -> None:
    canvas = Canvas()
    canvas.button(100, 100, "OK", width=30)
    canvas.button(131, 100, "Go", width=30)

    assert [phrase.text for phrase in read(canvas).page.phrases] == ["OK", "Go"]


def test_a_caret_is_no_letter() -> None:
    canvas = Canvas()
    canvas.field(100, 100, "12345")
    canvas.field(100, 200)
    value = canvas.text(104, 103, "12345")
    canvas.rectangle(Box(value.right + 1, 103, value.right + 3, 121), fill=BLACK)
    canvas.rectangle(Box(104, 203, 106, 221), fill=BLACK)

    assert [phrase.text for phrase in read(canvas).page.phrases] == ["12345"]


def test_an_empty_screen_says_nothing() -> None:
    assert read(Canvas(200, 100)).page.phrases == ()


def test_lines_are_read_from_top_to_bottom_and_from_left_to_right() -> None:
    canvas = Canvas()
    canvas.text(500, 102, "two")
    canvas.text(100, 100, "one")
    canvas.text(100, 140, "three")

    assert read(canvas).page.text == "one\ttwo\nthree"


@pytest.mark.slow
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 11), st.sampled_from(BUTTONS)), min_size=1, max_size=6))
def test_what_changed_is_read_as_if_all_were_new(changes: list[tuple[int, str]]) -> None:
    before = {place: BUTTONS[place] for place in range(12)}
    after = {**before, **dict(changes)}

    def screen(labels: dict[int, str]) -> Canvas:
        canvas = Canvas(760, 330)
        for place, label in labels.items():
            canvas.button(20 + place % 4 * 185, 20 + place // 4 * 110, label, width=150)
        return canvas

    again = look(decoded(screen(after).screenshot().png), engine(), read(screen(before)))

    assert again.page.text == read(screen(after)).page.text
    assert {phrase.box for phrase in again.page.phrases} == {
        phrase.box for phrase in read(screen(after)).page.phrases
    }


def test_a_ticking_clock_leaves_the_rest_as_it_was() -> None:
    def screen(time: str) -> Canvas:
        canvas = painted(BUTTONS, font_px=14)
        canvas.text(1180, 770, time)
        return canvas

    before = read(screen("00:05:18"))
    after = look(decoded(screen("00:05:19").screenshot().png), engine(), before)

    kept = {id(phrase) for phrase in before.page.phrases} & {id(phrase) for phrase in after.page.phrases}
    assert len(kept) == len(BUTTONS)
    assert "00:05:19" in after.page.text


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnreadablePicture):
        decoded(b"GIF89a, almost")
    with pytest.raises(UnreadablePicture):
        decoded(b"")


async def test_the_reader_finds_labels() -> None:
    canvas = Canvas()
    search = canvas.button(300, 200, "Search")
    screenshot = canvas.screenshot()
    reader = ScreenReader()

    (box,) = await reader.find(screenshot, "search")

    assert search.contains(box.center)
    assert await reader.is_visible(screenshot, "Search")
    assert not await reader.is_visible(screenshot, "Clear")


async def test_a_screen_is_read_once_and_forgotten_in_time() -> None:
    reader = ScreenReader()
    screenshots = [
        painted(BUTTONS[:number], font_px=14).screenshot() for number in range(1, REMEMBERED_SCREENS + 2)
    ]

    first = await reader.work(screenshots[0], lambda sight: sight)
    same = await reader.work(screenshots[0], lambda sight: sight)
    for screenshot in screenshots[1:]:
        await reader.work(screenshot, lambda sight: sight)
    again = await reader.work(screenshots[0], lambda sight: sight)

    assert same is first
    assert again is not first


async def test_a_screen_of_another_size_is_read_anew() -> None:
    reader = ScreenReader()
    small, large = Canvas(300, 200), Canvas(640, 480)
    small.text(10, 10, "Small")
    large.text(400, 400, "Large")

    assert await reader.is_visible(small.screenshot(), "Small")
    assert await reader.is_visible(large.screenshot(), "Large")
    assert not await reader.is_visible(large.screenshot(), "Small")


async def test_a_broken_screenshot_is_an_error_and_not_an_empty_screen() -> None:
    broken = Screenshot(b"\x89PNG", Size(10, 10), hashlib.sha256(b"\x89PNG").hexdigest())

    with pytest.raises(UnreadablePicture):
        await ScreenReader().find(broken, "OK")


def test_nothing_heavy_is_loaded_before_a_screen_is_read() -> None:
    program = (
        "import sys; from cyberdesk_server.executor.steps.model import StepsModel; StepsModel();"
        "print(sorted({'cv2', 'numpy', 'tesserocr', 'PIL', 'jsonschema'} & set(sys.modules)))"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
