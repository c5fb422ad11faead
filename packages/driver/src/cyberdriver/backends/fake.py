"""A desktop without a desktop: a painted screen with buttons and text fields that answer to input.

Every input is also recorded as a value, so that a test can say in one comparison what was done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from PIL import Image, ImageDraw, ImageFont

from cyberdriver.backends.base import Box, Button, Direction, DisplayLost, Frame, Point, Size
from cyberdriver.backends.keys import Character, Chord, Key, Modifier, NamedKey
from cyberdriver.backends.text import typed_characters


@dataclass(frozen=True, slots=True)
class Moved:
    to: Point


@dataclass(frozen=True, slots=True)
class ButtonChanged:
    button: Button
    down: bool


@dataclass(frozen=True, slots=True)
class Clicked:
    at: Point
    button: Button = Button.LEFT
    count: int = 1


@dataclass(frozen=True, slots=True)
class Dragged:
    start: Point
    end: Point
    button: Button = Button.LEFT
    duration_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Scrolled:
    direction: Direction
    amount: int
    at: Point


@dataclass(frozen=True, slots=True)
class Typed:
    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    chord: Chord


@dataclass(frozen=True, slots=True)
class Held:
    chord: Chord
    down: bool


Input = Moved | ButtonChanged | Clicked | Dragged | Scrolled | Typed | Pressed | Held


@dataclass(slots=True)
class Label:
    """Text that does nothing."""

    text: str
    box: Box


@dataclass(slots=True)
class PushButton:
    """A button with its text inside; a left click calls `on_click` once."""

    text: str
    box: Box
    on_click: Callable[[], None] = lambda: None
    clicks: int = 0


@dataclass(slots=True)
class TextField:
    """A field with its label on the left. A click gives it the focus, the end of its text the cursor."""

    label: str
    box: Box
    text: str = ""
    is_selected: bool = False

    def insert(self, text: str) -> None:
        """The text takes the place of the selection, or comes at the end."""
        self.text = text if self.is_selected else self.text + text
        self.is_selected = False

    def erase(self) -> None:
        """The selection, or the last character, goes away."""
        self.text = "" if self.is_selected else self.text[:-1]
        self.is_selected = False


Widget = Label | PushButton | TextField

_DEFAULT_SIZE = Size(1024, 768)
_ORIGIN = Point(0, 0)
_NO_FRAME = Frame(Size(0, 0), b"", 0)


@dataclass(slots=True)
class FakeBackend:
    """A desktop of painted widgets.

    `inputs` has everything that was done, oldest first. `resize` and `lose` play what real screens do.
    Widgets may be changed at any time; the next capture shows it.
    """

    screen_size: Size = _DEFAULT_SIZE
    widgets: list[Widget] = field(default_factory=list)
    clipboard: str | None = None
    inputs: list[Input] = field(default_factory=list)
    held: list[Chord] = field(default_factory=list)
    buttons_down: set[Button] = field(default_factory=set)
    is_closed: bool = False
    is_lost: bool = False
    _pointer: Point = _ORIGIN
    _focus: TextField | None = None
    _last: Frame = _NO_FRAME
    _lock: threading.RLock = field(default_factory=threading.RLock)

    name = "fake"

    def resize(self, size: Size) -> None:
        """The screen has another size from now on."""
        with self._lock:
            self.screen_size = size
            self._pointer = self._pointer.clamped_to(size)

    def lose(self) -> None:
        """The screen is gone: every call from now on raises `DisplayLost`."""
        self.is_lost = True

    def size(self) -> Size:
        self._require("screen size")
        return self.screen_size

    def capture(self, region: Box | None = None) -> Frame:
        self._require("screen capture")
        with self._lock:
            if region is None:
                image = self._painted()
                pixels = image.tobytes("raw", "BGRX")
                if (self.screen_size, pixels) != (self._last.size, self._last.bgrx):
                    self._last = Frame(self.screen_size, pixels, self._last.version + 1)
                return self._last
            box = region.clipped_to(self.screen_size)
            if not box.width or not box.height:
                return Frame(Size(0, 0), b"", self._last.version)
            part = self._painted().crop((box.x, box.y, box.x + box.width, box.y + box.height))
            return Frame(Size(box.width, box.height), part.tobytes("raw", "BGRX"), self._last.version)

    def pointer(self) -> Point:
        self._require("mouse position")
        return self._pointer

    def move(self, to: Point) -> None:
        self._require("mouse move")
        self._go(to)
        self.inputs.append(Moved(self._pointer))

    def button(self, button: Button, down: bool) -> None:
        self._require("mouse button")
        self.inputs.append(ButtonChanged(button, down))
        if down:
            self.buttons_down.add(button)
        elif button in self.buttons_down:
            self.buttons_down.discard(button)
            self._clicked(button)

    def click(self, at: Point | None, button: Button, count: int) -> None:
        self._require("mouse click")
        self._go(at)
        self.inputs.append(Clicked(self._pointer, button, count))
        for _ in range(count):
            self._clicked(button)
        if count > 1 and isinstance(found := self._widget_under_pointer(), TextField):
            found.is_selected = True

    def drag(self, start: Point, end: Point, button: Button, duration_seconds: float) -> None:
        self._require("mouse drag")
        self._go(start)
        began = self._pointer
        self._go(end)
        self.inputs.append(Dragged(began, self._pointer, button, duration_seconds))

    def scroll(self, direction: Direction, amount: int, at: Point | None) -> None:
        self._require("mouse scroll")
        self._go(at)
        self.inputs.append(Scrolled(direction, amount, self._pointer))

    def type_text(self, text: str) -> None:
        self._require("typing")
        characters = typed_characters(text)
        self.inputs.append(Typed(text))
        for character in characters:
            match character:
                case "\b":
                    self._tap(NamedKey.BACKSPACE, ())
                case "\t":
                    self._tap(NamedKey.TAB, ())
                case "\n":
                    self._tap(NamedKey.ENTER, ())
                case _:
                    self._tap(Character(character), ())

    def press(self, chords: Sequence[Chord]) -> None:
        self._require("key press")
        for chord in chords:
            self.inputs.append(Pressed(chord))
            for key in chord.keys:
                self._tap(key, chord.modifiers)

    def hold(self, chord: Chord, down: bool) -> None:
        self._require("key press")
        self.inputs.append(Held(chord, down))
        if down:
            self.held.append(chord)
        elif chord in self.held:
            self.held.remove(chord)

    def clipboard_text(self, timeout_seconds: float) -> str | None:
        self._require("clipboard")
        deadline = time.monotonic() + timeout_seconds
        while self.clipboard is None and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.clipboard

    def clear_clipboard(self) -> None:
        self._require("clipboard")
        self.clipboard = None

    def close(self) -> None:
        self.is_closed = True
        self.held.clear()
        self.buttons_down.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _require(self, operation: str) -> None:
        if self.is_closed:
            raise DisplayLost(operation, "the backend is closed")
        if self.is_lost:
            raise DisplayLost(operation, "the screen is gone")

    def _go(self, to: Point | None) -> None:
        if to is not None:
            self._pointer = to.clamped_to(self.screen_size)

    def _widget_under_pointer(self) -> Widget | None:
        for widget in reversed(self.widgets):
            if widget.box.holds(self._pointer):
                return widget
        return None

    def _clicked(self, button: Button) -> None:
        if button is not Button.LEFT:
            return
        match self._widget_under_pointer():
            case PushButton() as pushed:
                pushed.clicks += 1
                pushed.on_click()
            case TextField() as text_field:
                self._focus_on(text_field)
            case Label() | None:
                self._focus_on(None)

    def _focus_on(self, text_field: TextField | None) -> None:
        if self._focus is not None:
            self._focus.is_selected = False
        self._focus = text_field

    def _tap(self, key: Key, modifiers: tuple[Modifier, ...]) -> None:
        focus = self._focus if self._focus in self.widgets else None
        if key == NamedKey.TAB:
            self._focus_on(self._next_field())
        elif focus is None:
            return
        elif modifiers in ((), (Modifier.SHIFT,)):
            match key:
                case Character(character):
                    focus.insert(character.upper() if modifiers else character)
                case NamedKey.BACKSPACE | NamedKey.DELETE:
                    focus.erase()
                case _:
                    focus.is_selected = False
        elif modifiers == (Modifier.CTRL,):
            self._shortcut(focus, key)

    def _shortcut(self, focus: TextField, key: Key) -> None:
        match key:
            case Character("a"):
                focus.is_selected = True
            case Character("c") if focus.is_selected:
                self.clipboard = focus.text
            case Character("x") if focus.is_selected:
                self.clipboard = focus.text
                focus.erase()
            case Character("v") if self.clipboard is not None:
                focus.insert(self.clipboard)
            case _:
                pass

    def _next_field(self) -> TextField | None:
        fields = [widget for widget in self.widgets if isinstance(widget, TextField)]
        at = next((at for at, text_field in enumerate(fields) if text_field is self._focus), -1)
        return fields[(at + 1) % len(fields)] if fields else None

    def _painted(self) -> Image.Image:
        image = Image.new("RGB", (self.screen_size.width, self.screen_size.height), "#d4d0c8")
        draw = ImageDraw.Draw(image)
        for widget in self.widgets:
            _paint(draw, widget, has_focus=widget is self._focus)
        return image


_FONT = ImageFont.load_default(18)


def _paint(draw: ImageDraw.ImageDraw, widget: Widget, *, has_focus: bool) -> None:
    box = widget.box
    corners = (box.x, box.y, box.x + box.width - 1, box.y + box.height - 1)
    middle = box.y + box.height // 2
    match widget:
        case Label():
            draw.text((box.x, middle), widget.text, "black", _FONT, "lm")
        case PushButton():
            draw.rectangle(corners, "#e8e8e8", "#404040", 2)
            draw.text((box.x + box.width // 2, middle), widget.text, "black", _FONT, "mm")
        case TextField():
            draw.rectangle(corners, "white", "#0050c0" if has_focus else "#808080", 2)
            draw.text((box.x - 10, middle), widget.label, "black", _FONT, "rm")
            if widget.is_selected:
                width = int(draw.textlength(widget.text, _FONT))
                draw.rectangle((box.x + 6, box.y + 4, box.x + 8 + width, box.y + box.height - 5), "#a0c8ff")
            draw.text((box.x + 8, middle), widget.text, "black", _FONT, "lm")
