"""Actions in the words of the driver protocol: which endpoint, which body."""

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
from cyberdesk_server.domain.geometry import Point, Scale
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.questions import Call

TIMED_OUT_EXIT_CODE = 124

_CLIPBOARD_KEY = "text"


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
            return Call("/computer/input/keyboard/type", {"text": text}) if text else None
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
    return Call("/computer/input/mouse/drag", fields)


def _command(command: RunCommand) -> Call:
    # Without a timeout of its own a command races against the driver's internal limit.
    fields: JsonObject = {
        "command": command.command,
        "timeout": command.timeout_seconds,
        "working_directory": command.working_directory,
        "same_session": False,
    }
    return Call("/computer/shell/powershell/exec", fields)


def _text(answer: JsonObject, name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _exit_code(answer: JsonObject) -> int | None:
    # Drivers before 1.0 report a command whose time was up as exit code 0.
    if answer.get("timeout_reached"):
        return TIMED_OUT_EXIT_CODE
    code = answer.get("exit_code")
    return code if isinstance(code, int) else None
