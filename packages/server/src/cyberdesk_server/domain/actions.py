"""What can be done to a desktop: a closed set of values.

Every action is performed at most once, under the id of the step that asked for it
(`ports.Desktop.perform`). Texts in here are final: variables and secrets are already filled in.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from cyberdesk_server.domain.geometry import Point


class Button(StrEnum):
    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Click:
    at: Point
    button: Button = Button.LEFT
    count: int = 1
    """1 to 3 clicks in a row."""


@dataclass(frozen=True, slots=True)
class Move:
    to: Point


@dataclass(frozen=True, slots=True)
class Drag:
    start: Point
    end: Point
    button: Button = Button.LEFT
    duration_seconds: float = 0.3


@dataclass(frozen=True, slots=True)
class Scroll:
    at: Point
    direction: Direction
    amount: int
    """Wheel notches, at least 0."""


@dataclass(frozen=True, slots=True)
class TypeText:
    text: str = field(repr=False)
    """May be a secret, hence not part of the `repr`."""


@dataclass(frozen=True, slots=True)
class PressKeys:
    keys: str
    """Chords in xdotool style, separated by spaces: `ctrl+a shift+tab`."""


@dataclass(frozen=True, slots=True)
class CopyToClipboard:
    """Press Ctrl+C and answer what arrived in the clipboard (`ActionResult.text`)."""


@dataclass(frozen=True, slots=True)
class RunCommand:
    command: str
    timeout_seconds: int = 30
    working_directory: str | None = None


Action = Click | Move | Drag | Scroll | TypeText | PressKeys | CopyToClipboard | RunCommand


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What a desktop answered to an action."""

    text: str | None = None
    """The clipboard's text, or a command's standard output."""

    error_text: str | None = None
    """A command's standard error."""

    exit_code: int | None = None
    """A command's exit code; 124 when its time was up."""

    was_replayed: bool = False
    """True when the desktop had done this action before and answered from its journal."""
