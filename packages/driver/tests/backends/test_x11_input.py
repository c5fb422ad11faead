"""The mouse and chords, as a real program sees them."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cyberdriver.backends.base import Button, Direction, Point
from cyberdriver.backends.keys import parse_keys
from cyberdriver.backends.x11 import X11Backend
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import EventWindow

INSIDE = Point(250, 220)


@pytest.fixture
def window(desktop: VirtualDesktop, tmp_path: Path) -> Iterator[EventWindow]:
    with EventWindow(desktop, tmp_path) as window:
        yield window


def without_moves(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("move")]


def presses(button: int, at: Point = INSIDE, count: int = 1) -> list[str]:
    return [f"press {button} {at.x} {at.y}", f"release {button} {at.x} {at.y}"] * count


@pytest.mark.parametrize(("button", "number"), [(Button.LEFT, 1), (Button.MIDDLE, 2), (Button.RIGHT, 3)])
def test_a_click_arrives_where_it_should(
    x11: X11Backend, window: EventWindow, button: Button, number: int
) -> None:
    x11.click(INSIDE, button, 1)

    assert without_moves(window.lines_until(presses(number)[-1])) == presses(number)
    assert x11.pointer() == INSIDE


def test_a_double_click_is_two_clicks_where_the_pointer_is(x11: X11Backend, window: EventWindow) -> None:
    x11.move(INSIDE)
    x11.click(None, Button.LEFT, 2)
    x11.press(parse_keys("f1"))

    assert without_moves(window.lines_until("up F1")) == [*presses(1, count=2), "key F1", "up F1"]


def test_a_button_goes_down_and_up_by_itself(x11: X11Backend, window: EventWindow) -> None:
    there = Point(INSIDE.x + 5, INSIDE.y)
    x11.move(INSIDE)
    x11.button(Button.RIGHT, True)
    x11.move(there)
    x11.button(Button.RIGHT, False)

    lines = window.lines_until(f"release 3 {there.x} {there.y}")
    assert without_moves(lines) == [
        f"press 3 {INSIDE.x} {INSIDE.y}",
        f"release 3 {there.x} {there.y}",
    ]


def test_a_drag_moves_while_the_button_is_down(x11: X11Backend, window: EventWindow) -> None:
    end = Point(INSIDE.x + 80, INSIDE.y + 40)

    x11.drag(INSIDE, end, Button.LEFT, 0.5)

    lines = window.lines_until(f"release 1 {end.x} {end.y}")
    dragged = lines[lines.index(f"press 1 {INSIDE.x} {INSIDE.y}") + 1 : -1]
    assert dragged[-1] == f"move {end.x} {end.y}"
    assert len(dragged) > 1


def test_an_interrupted_drag_lets_go(
    x11: X11Backend, window: EventWindow, let_sleep: Callable[..., None]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    let_sleep("pointer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        x11.drag(INSIDE, Point(INSIDE.x + 80, INSIDE.y), Button.LEFT, 1.0)

    assert without_moves(window.lines_until(presses(1)[-1])) == presses(1)


@pytest.mark.parametrize(
    ("direction", "number"),
    [(Direction.UP, 4), (Direction.DOWN, 5)],
)
def test_the_wheel_turns_notch_by_notch(
    x11: X11Backend, window: EventWindow, direction: Direction, number: int
) -> None:
    x11.scroll(direction, 3, INSIDE)
    x11.press(parse_keys("f1"))

    assert window.lines_until("up F1")
    assert [line for line in window.lines if line.startswith("press")] == presses(number)[:1] * 3


def test_points_off_the_screen_are_the_nearest_on_it(x11: X11Backend) -> None:
    points = []
    for point in (Point(-5, 10), Point(100_000, 10), Point(10, 70_000)):
        x11.move(point)
        points.append(x11.pointer())

    assert points == [Point(0, 10), Point(1023, 10), Point(10, 767)]


def test_modifiers_go_down_in_order_and_up_in_reverse(x11: X11Backend, window: EventWindow) -> None:
    x11.press(parse_keys("ctrl+shift+F7"))

    assert window.lines_until("up Control_L") == [
        "key Control_L",
        "key Shift_L",
        "key F7",
        "up F7",
        "up Shift_L",
        "up Control_L",
    ]


def test_chords_edit_text(x11: X11Backend, desktop: VirtualDesktop, tmp_path: Path) -> None:
    with EventWindow(desktop, tmp_path, text="before") as window:
        x11.press(parse_keys("End a shift+b plus ctrl+slash"))
        assert window.text_once("beforeaB+") == "beforeaB+"

        x11.press(parse_keys("BackSpace q+w+e U20AC kp_7 shift+1"))
        assert window.text_once("qwe€7!") == "qwe€7!"


def test_held_keys_stay_down_until_released(x11: X11Backend, window: EventWindow) -> None:
    chord = parse_keys("ctrl+shift")[0]

    x11.hold(chord, True)
    x11.press(parse_keys("F6"))
    x11.hold(chord, False)

    assert window.lines_until("up Control_L") == [
        "key Control_L",
        "key Shift_L",
        "key F6",
        "up F6",
        "up Shift_L",
        "up Control_L",
    ]


def test_closing_releases_what_is_held(desktop: VirtualDesktop, window: EventWindow) -> None:
    with desktop.open_backend() as backend:
        backend.hold(parse_keys("ctrl")[0], True)
        backend.move(INSIDE)
        backend.button(Button.MIDDLE, True)

    lines = without_moves(window.lines_until("up Control_L"))
    assert lines == ["key Control_L", *presses(2), "up Control_L"]


def test_text_typed_after_a_click_goes_to_the_window_that_was_clicked(
    x11: X11Backend, desktop: VirtualDesktop, tmp_path: Path
) -> None:
    folders = tmp_path / "left", tmp_path / "right"
    for folder in folders:
        folder.mkdir()
    with (
        EventWindow(desktop, folders[0], corner=Point(20, 100)) as left,
        EventWindow(desktop, folders[1], corner=Point(520, 100)) as right,
    ):
        for _ in range(20):
            x11.click(Point(200, 250), Button.LEFT, 1)
            x11.type_text("l")
            x11.click(Point(700, 250), Button.LEFT, 1)
            x11.type_text("r")

        assert (left.text_once("l" * 20), right.text_once("r" * 20)) == ("l" * 20, "r" * 20)


def test_the_screen_is_seen_while_a_drag_takes_its_time(
    x11: X11Backend, let_sleep: Callable[..., None]
) -> None:
    is_dragging, may_go_on = threading.Event(), threading.Event()

    def wait_in_the_middle(_: float) -> None:
        is_dragging.set()
        may_go_on.wait(30.0)

    let_sleep("pointer", wait_in_the_middle)
    drag = threading.Thread(target=x11.drag, args=[INSIDE, Point(300, 300), Button.LEFT, 1.0])
    drag.start()
    assert is_dragging.wait(30.0)

    frame, at, text = x11.capture(), x11.pointer(), x11.clipboard_text(0.0)
    may_go_on.set()
    drag.join()

    assert (frame.size, at, text) == (x11.size(), INSIDE, None)
