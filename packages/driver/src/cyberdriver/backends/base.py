"""What a driver can do with one desktop: the `Backend` protocol, its values, and how it fails.

Every operating system answers this protocol in its own folder. All calls block; a caller on an event loop
reaches them through a thread. Coordinates are real pixels of the whole screen, the origin at the top left.

    DesktopError                 the world fails; the text is one line for a user
    ├── NoDisplay                there is no screen to open
    ├── DisplayError             the screen refused an operation; trying again may help
    │   └── DisplayLost          the screen is gone; open the backend again
    └── InputRefused             nothing was sent: the caller asked for something that cannot be typed
        ├── UnsupportedCharacter
        └── keys.UnknownKey
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from cyberdriver.backends.keys import Chord


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def pixels(self) -> int:
        """The number of pixels."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Point:
    """A pixel of the screen."""

    x: int
    y: int

    def clamped_to(self, size: Size) -> Point:
        """The nearest pixel that lies on a screen of this size."""
        return Point(min(max(self.x, 0), size.width - 1), min(max(self.y, 0), size.height - 1))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; `x`, `y` is its top left pixel, which belongs to it."""

    x: int
    y: int
    width: int
    height: int

    def clipped_to(self, size: Size) -> Box:
        """The part of the box that lies on a screen of this size; width or height is 0 when none does."""
        left, top = min(max(self.x, 0), size.width), min(max(self.y, 0), size.height)
        right = min(max(self.x + self.width, left), size.width)
        bottom = min(max(self.y + self.height, top), size.height)
        return Box(left, top, right - left, bottom - top)

    def holds(self, point: Point) -> bool:
        """Whether the pixel lies inside the box."""
        return self.x <= point.x < self.x + self.width and self.y <= point.y < self.y + self.height


@dataclass(frozen=True, slots=True)
class Frame:
    """The pixels of a screen, or of a part of it, at one moment.

    `bgrx` holds 4 bytes per pixel (blue, green, red, one of no meaning), row by row without gaps; it never
    changes afterwards. `version` counts the different pictures of the whole screen: two full captures have
    the same version exactly when their pixels are the same and no other picture was captured between them.
    A capture of a region carries the version of the last full capture.
    """

    size: Size
    bgrx: bytes
    version: int

    def __repr__(self) -> str:
        return f"Frame({self.size}, version={self.version})"


class Button(Enum):
    """A button of the mouse."""

    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"


class Direction(Enum):
    """Where the wheel scrolls to."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"


class DesktopError(Exception):
    """The desktop could not do what it was asked; the text is one line for a user."""


class NoDisplay(DesktopError):
    """There is no screen to open."""

    def __init__(self, display: str | None, reason: str = "") -> None:
        super().__init__(display, reason)
        self.display = display
        self.reason = reason

    def __str__(self) -> str:
        if not self.display:
            return "no X display: DISPLAY is not set"
        return f"no X display: cannot open DISPLAY={self.display}" + (
            f" ({self.reason})" if self.reason else ""
        )


class DisplayError(DesktopError):
    """The display refused an operation."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(operation, reason)
        self.operation = operation
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.operation} failed: {self.reason}"


class DisplayLost(DisplayError):
    """The connection to the display broke; this backend can only be closed."""


class InputRefused(DesktopError):
    """The input cannot be produced; nothing of it was sent."""


class UnsupportedCharacter(InputRefused):
    """A text holds a character that no key can produce (control characters, lone surrogates)."""

    def __init__(self, character: str, index: int) -> None:
        super().__init__(character, index)
        self.character = character
        self.index = index

    def __str__(self) -> str:
        return f"character {self.index + 1} of the text (U+{ord(self.character):04X}) cannot be typed"


class Backend(Protocol):
    """One desktop: its screen, its pointer, its keyboard and its clipboard.

    Every call blocks and may raise `DisplayError`. Looking (`size`, `capture`, `pointer`), acting (everything
    that moves, presses or types) and the clipboard are three concerns: calls of different concerns may run at
    the same time from different threads; acting calls are put in order by the caller. Coordinates outside the
    screen mean the nearest pixel on it.
    """

    @property
    def name(self) -> str:
        """Which kind of desktop it is: `x11`, `fake`."""

    def size(self) -> Size:
        """The size of the whole screen now."""

    def capture(self, region: Box | None = None) -> Frame:
        """The pixels of the screen, or of the part of the region that lies on it, without the pointer."""

    def pointer(self) -> Point:
        """Where the pointer is."""

    def move(self, to: Point) -> None:
        """The pointer jumps."""

    def button(self, button: Button, down: bool) -> None:
        """A button goes down, or up, where the pointer is."""

    def click(self, at: Point | None, button: Button, count: int) -> None:
        """`count` full clicks in a row, at a point or where the pointer is."""

    def drag(self, start: Point, end: Point, button: Button, duration_seconds: float) -> None:
        """A drag with motion on the way, at an even pace; an interruption lets go of the button.

        It takes at least a tenth of a second, or programs would not see it as one.
        """

    def scroll(self, direction: Direction, amount: int, at: Point | None) -> None:
        """`amount` notches of the wheel, at a point or where the pointer is."""

    def type_text(self, text: str) -> None:
        """Every character arrives exactly, whatever the keyboard layout and Caps Lock.

        A line feed, a carriage return or both together are the Return key, a tab is the Tab key and U+0008
        is Backspace. Raises `UnsupportedCharacter` before anything is typed. Keys that are held stay held
        and have their effect.
        """

    def press(self, chords: Sequence[Chord]) -> None:
        """Chords one after another; in each, modifiers go down in order and up in reverse."""

    def hold(self, chord: Chord, down: bool) -> None:
        """All keys of the chord go down in order and stay, or go up in reverse. `close` releases the rest."""

    def clipboard_text(self, timeout_seconds: float) -> str | None:
        """The text on the clipboard as soon as there is some; None when there is none after this long."""

    def clear_clipboard(self) -> None:
        """Nothing is on the clipboard any more, whoever put it there."""

    def close(self) -> None:
        """Keys and buttons are released, everything borrowed is given back. Twice is once."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
