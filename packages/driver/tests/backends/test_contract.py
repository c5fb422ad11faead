"""What every backend keeps: the fake one and a real one pass the same tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cyberdriver.backends.base import (
    Backend,
    Box,
    Button,
    Direction,
    DisplayLost,
    Point,
    Size,
    UnsupportedCharacter,
)
from cyberdriver.backends.keys import parse_keys
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import EventWindow, FakeBackend, TextField

SCREEN = Size(1024, 768)


class Form:
    """A backend on whose screen a text entry has the focus."""

    def __init__(self, backend: Backend, text_once: Callable[[str], str]) -> None:
        self.backend = backend
        self.text_once = text_once


@pytest.fixture(params=["fake", "x11"])
def backend(request: pytest.FixtureRequest, desktop: VirtualDesktop) -> Iterator[Backend]:
    backend = FakeBackend(SCREEN) if request.param == "fake" else desktop.open_backend()
    with backend:
        yield backend


@pytest.fixture
def form(backend: Backend, desktop: VirtualDesktop, tmp_path: Path) -> Iterator[Form]:
    with ExitStack() as stack:
        if isinstance(backend, FakeBackend):
            entry = TextField("Name", Box(100, 100, 300, 30))
            backend.widgets.append(entry)
            backend.click(Point(110, 110), Button.LEFT, 1)
            yield Form(backend, lambda _: entry.text)
        else:
            window = stack.enter_context(EventWindow(desktop, tmp_path))
            yield Form(backend, window.text_once)


class TestEveryBackend:
    def test_a_full_capture_has_the_size_of_the_screen(self, backend: Backend) -> None:
        frame = backend.capture()

        assert backend.size() == frame.size == SCREEN
        assert len(frame.bgrx) == 4 * SCREEN.pixels

    def test_an_unchanged_screen_keeps_its_version(self, backend: Backend) -> None:
        first, second = backend.capture(), backend.capture()

        assert (first.version, first.bgrx) == (second.version, second.bgrx)

    def test_a_region_is_a_part_of_the_screen(self, backend: Backend) -> None:
        whole = backend.capture()
        part = backend.capture(Box(1000, 10, 100, 2))

        start = 4 * (10 * SCREEN.width + 1000)
        row = slice(start, start + 4 * 24)
        assert (part.size, part.version) == (Size(24, 2), whole.version)
        assert part.bgrx[: 4 * 24] == whole.bgrx[row]

    def test_a_region_off_the_screen_is_empty(self, backend: Backend) -> None:
        assert backend.capture(Box(2000, 0, 5, 5)).size == Size(0, 0)

    def test_the_pointer_is_where_it_was_moved(self, backend: Backend) -> None:
        backend.move(Point(123, 45))

        assert backend.pointer() == Point(123, 45)

    def test_points_off_the_screen_are_clamped(self, backend: Backend) -> None:
        backend.move(Point(-1, 10_000))

        assert backend.pointer() == Point(0, SCREEN.height - 1)

    def test_a_click_and_a_scroll_without_a_point_leave_the_pointer(self, backend: Backend) -> None:
        backend.move(Point(500, 700))
        backend.click(None, Button.RIGHT, 1)
        backend.scroll(Direction.DOWN, 2, None)

        assert backend.pointer() == Point(500, 700)

    def test_a_drag_ends_at_its_end(self, backend: Backend) -> None:
        backend.drag(Point(600, 600), Point(700, 650), Button.MIDDLE, 0.0)

        assert backend.pointer() == Point(700, 650)

    def test_typed_text_arrives(self, form: Form) -> None:
        form.backend.type_text("Ab< ł€漢😀x\b")

        assert form.text_once("Ab< ł€漢😀") == "Ab< ł€漢😀"

    def test_a_refused_text_types_nothing(self, form: Form) -> None:
        with pytest.raises(UnsupportedCharacter):
            form.backend.type_text("a\x07")
        form.backend.type_text("b")

        assert form.text_once("b") == "b"

    def test_keys_edit_and_copy(self, form: Form) -> None:
        form.backend.type_text("hello")
        form.backend.press(parse_keys("BackSpace shift+a"))
        assert form.text_once("hellA") == "hellA"

        form.backend.clear_clipboard()
        form.backend.press(parse_keys("shift+Home" if form.backend.name == "x11" else "ctrl+a"))
        form.backend.press(parse_keys("ctrl+c"))

        assert form.backend.clipboard_text(20.0) == "hellA"

    def test_a_cleared_clipboard_has_no_text(self, backend: Backend) -> None:
        backend.clear_clipboard()

        assert backend.clipboard_text(0.0) is None

    def test_a_closed_backend_refuses(self, backend: Backend) -> None:
        backend.close()
        backend.close()

        with pytest.raises(DisplayLost):
            backend.size()
