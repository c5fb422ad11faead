"""Actions in the words of the driver protocol: which endpoint, which body, how long it may take."""

import json
from dataclasses import dataclass, field
from typing import assert_never

from cyberdesk_server.domain.actions import (
    Action,
    ActionResult,
    Click,
    CopyToClipboard,
    Drag,
    Move,
    PressKeys,
    RunCommand,
    Scroll,
    TypeText,
)
from cyberdesk_server.domain.geometry import Point, Size
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.questions import DEFAULT_ANSWER_SECONDS

SECONDS_PER_TYPED_CHARACTER = 0.05
COMMAND_ALLOWANCE_SECONDS = 10.0
TIMED_OUT_EXIT_CODE = 124

_CLIPBOARD_KEY = "text"


@dataclass(frozen=True, slots=True)
class Scale:
    """From picture pixels, which the server speaks, to screen pixels, which drivers take.

    They differ only for drivers that cannot answer a picture of the real size.
    """

    picture: Size
    screen: Size

    def to_screen(self, point: Point) -> Point:
        """The screen pixel under the middle of this picture pixel."""
        if self.picture == self.screen:
            return point
        return Point(
            (2 * point.x + 1) * self.screen.width // (2 * self.picture.width),
            (2 * point.y + 1) * self.screen.height // (2 * self.picture.height),
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One POST to a driver."""

    path: str
    fields: JsonObject = field(repr=False)
    """May hold a secret that is to be typed, hence not part of the `repr`."""

    answer_seconds: float = DEFAULT_ANSWER_SECONDS

    def body(self) -> bytes:
        """JSON without the fields that are None: the published drivers refuse an explicit null."""
        present = {name: value for name, value in self.fields.items() if value is not None}
        return json.dumps(present, separators=(",", ":")).encode()


def needs_scale(action: Action) -> bool:
    """True for actions that name a place on the screen."""
    return isinstance(action, Click | Move | Drag | Scroll)


def call_for(action: Action, scale: Scale | None) -> Call | None:
    """How a driver is asked for this action; None when there is nothing to do.

    `scale` may be None only for actions that name no place.
    """

    def on_screen(point: Point) -> Point:
        assert scale is not None
        return scale.to_screen(point)

    match action:
        case Click(at=at, button=button, count=count):
            x, y = on_screen(at)
            return Call("/computer/input/mouse/click", {"x": x, "y": y, "button": button, "clicks": count})
        case Move(to=to):
            x, y = on_screen(to)
            return Call("/computer/input/mouse/move", {"x": x, "y": y})
        case Drag():
            return _drag(action, on_screen(action.start), on_screen(action.end))
        case Scroll(at=at, direction=direction, amount=amount):
            x, y = on_screen(at)
            return Call(
                "/computer/input/mouse/scroll", {"direction": direction, "amount": amount, "x": x, "y": y}
            )
        case TypeText(text=text):
            seconds = DEFAULT_ANSWER_SECONDS + SECONDS_PER_TYPED_CHARACTER * len(text)
            return Call("/computer/input/keyboard/type", {"text": text}, seconds) if text else None
        case PressKeys(keys=keys):
            return Call("/computer/input/keyboard/key", {"text": keys})
        case CopyToClipboard():
            return Call("/computer/copy_to_clipboard", {"text": _CLIPBOARD_KEY})
        case RunCommand():
            return _command(action)
        case _:
            assert_never(action)


def result_of(action: Action, answer: JsonObject, *, was_replayed: bool) -> ActionResult:
    """What the driver's JSON means for this action."""
    match action:
        case CopyToClipboard():
            return ActionResult(text=_text(answer, _CLIPBOARD_KEY), was_replayed=was_replayed)
        case RunCommand():
            return ActionResult(
                text=_text(answer, "stdout"),
                error_text=_text(answer, "stderr") or _text(answer, "error"),
                exit_code=_exit_code(answer),
                was_replayed=was_replayed,
            )
        case _:
            return ActionResult(was_replayed=was_replayed)


def _drag(drag: Drag, start: Point, end: Point) -> Call:
    fields: JsonObject = {
        "start_x": start.x,
        "start_y": start.y,
        "to_x": end.x,
        "to_y": end.y,
        "duration": drag.duration_seconds,
        "button": drag.button,
    }
    return Call("/computer/input/mouse/drag", fields, DEFAULT_ANSWER_SECONDS + drag.duration_seconds)


def _command(command: RunCommand) -> Call:
    # Without a timeout of its own a command races against the driver's internal limit.
    fields: JsonObject = {
        "command": command.command,
        "timeout": command.timeout_seconds,
        "working_directory": command.working_directory,
        "same_session": False,
    }
    seconds = max(DEFAULT_ANSWER_SECONDS, command.timeout_seconds + COMMAND_ALLOWANCE_SECONDS)
    return Call("/computer/shell/powershell/exec", fields, seconds)


def _text(answer: JsonObject, name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _exit_code(answer: JsonObject) -> int | None:
    # Drivers before 1.0 report a command whose time was up as exit code 0.
    if answer.get("timeout_reached"):
        return TIMED_OUT_EXIT_CODE
    code = answer.get("exit_code")
    return code if isinstance(code, int) else None
