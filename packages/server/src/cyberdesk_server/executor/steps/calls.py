"""Sentences as tool calls, once their labels are found."""

from typing import Protocol, assert_never

from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import CLEAR, EMPTY
from cyberdesk_server.domain.steps import FOCUSED_ACTION, ToolCall
from cyberdesk_server.executor.steps.language import (
    Action,
    CheckVisible,
    Clear,
    Click,
    Copy,
    Drag,
    ExportFile,
    Fail,
    Focus,
    Hover,
    Pause,
    Press,
    Reading,
    ReadScreen,
    ReadTable,
    ReadText,
    Remember,
    RunCommand,
    SaveScreenshot,
    Scroll,
    Spot,
    Succeed,
    Target,
    Thing,
    Type,
    WaitUntil,
)
from cyberdesk_server.executor.steps.outputs import at_items
from cyberdesk_server.executor.steps.readings import things_of, with_output, with_things
from cyberdesk_server.executor.steps.targets import thing_with_texts, with_texts
from cyberdesk_server.executor.steps.values import Values
from cyberdesk_server.executor.steps.wording import sentence_of
from cyberdesk_server.executor.tools.reading import ProcessAsync

Ordered = tuple[ToolCall, ...]


class Ground(Protocol):
    """Where on a screen things are. All but `size` raise `NotFound`."""

    @property
    def size(self) -> Size: ...

    def locate(self, target: Target) -> Box: ...

    def field(self, target: Target) -> Box: ...

    def anchors(self, target: Target) -> tuple[Box, ...]: ...


def calls_of(action: Action, ground: Ground, values: Values, items: tuple[int, ...]) -> Ordered:
    """The tool calls of one sentence inside loops at these items.

    Raises `NotFound` when something it talks about is not on the screen.
    """
    match action:
        case Click():
            target = with_texts(action.target, values.filled)
            place, anchors = ground.locate(target), ground.anchors(target)
            return (_at(place, anchors, "click", button=action.button.value, clicks=action.count),)
        case Hover():
            target = with_texts(action.target, values.filled)
            return (_at(ground.locate(target), ground.anchors(target), "move"),)
        case Type():
            return _typed(action, ground, values)
        case Clear():
            return (*_focused(action.field, ground, values), ToolCall("type", {"text": CLEAR}))
        case Press():
            return (ToolCall("key", {"keys": action.keys}),)
        case Scroll():
            place = _place(action.over, ground, values) if action.over else _middle(ground.size)
            return (_at(place, (), "scroll", direction=action.direction.value, amount=action.amount),)
        case Drag():
            return (_drag(_place(action.start, ground, values), _place(action.end, ground, values)),)
        case Pause():
            return (ToolCall("wait", {"seconds": action.seconds}),)
        case ReadText() | ReadTable() | ReadScreen() | CheckVisible():
            return (_reading(action, ground, values, items),)
        case Copy():
            output = at_items(action.to.output, items) if action.to.output else None
            return (ToolCall("copy_to_clipboard", _without_none(key_name=action.to.runtime, output=output)),)
        case Remember():
            return (ToolCall("upsert_runtime_values", {"values": {action.name: values.bound(action.text)}}),)
        case Fail():
            return (ToolCall("declare_task_failed", {"reason": values.bound(action.reason)}),)
        case Succeed():
            text = values.bound(action.text) if action.text else None
            return (ToolCall("declare_task_succeeded", _without_none(text=text)),)
        case SaveScreenshot():
            return (
                ToolCall("save_screenshot_as_run_attachment", {"filename": values.bound(action.filename)}),
            )
        case ExportFile():
            return (ToolCall("mark_file_for_export", {"path": values.bound(action.path)}),)
        case RunCommand():
            return (ToolCall("execute_terminal_command", {"command": values.bound(action.command)}),)
        case Focus():
            return (ToolCall(FOCUSED_ACTION, {"instruction": values.bound(action.instruction)}),)
        case WaitUntil():
            return ()
        case _:
            assert_never(action)


def _place(target: Target, ground: Ground, values: Values) -> Box:
    return ground.locate(with_texts(target, values.filled))


def _at(place: Box, anchors: tuple[Box, ...], tool: str, **arguments: JsonValue) -> ToolCall:
    return ToolCall(tool, {"x": place.center.x, "y": place.center.y, **arguments}, place, anchors)


def _focused(field: Target | None, ground: Ground, values: Values) -> Ordered:
    """A click into the field, if one is named."""
    if field is None:
        return ()
    target = with_texts(field, values.filled)
    named = () if isinstance(target, Spot) else (ground.locate(target), *ground.anchors(target))
    place = ground.field(target)
    anchors = tuple(box for box in named if box != place)
    return (_at(place, anchors, "click", button="left", clicks=1),)


def _typed(action: Type, ground: Ground, values: Values) -> Ordered:
    # A value that is not given leaves the field as it is, so nothing is cleared for it either.
    clears = action.replaces and values.filled(action.text) != EMPTY
    text = (CLEAR if clears else "") + values.bound(action.text)
    return (*_focused(action.into, ground, values), ToolCall("type", {"text": text}))


def _drag(start: Box, end: Box) -> ToolCall:
    arguments: JsonObject = {
        "start_x": start.center.x,
        "start_y": start.center.y,
        "to_x": end.center.x,
        "to_y": end.center.y,
    }
    return ToolCall("drag", arguments, target=start)


def _reading(reading: Reading, ground: Ground, values: Values, items: tuple[int, ...]) -> ToolCall:
    for thing in things_of(reading):
        _place(thing, ground, values)
    asked = with_things(reading, lambda thing: _for_sentence(thing, values))
    output = at_items(reading.to.output, items) if reading.to.output else None
    sentence = sentence_of(with_output(asked, output))
    in_background = ProcessAsync.RUN.value if reading.to.in_background else None
    return ToolCall("screenshot", _without_none(extract_prompt=sentence, process_async=in_background))


def _for_sentence(thing: Thing, values: Values) -> Thing:
    """Runtime values are filled in, because who reads the sentence has none; inputs stay as they are."""
    return thing_with_texts(thing, values.bound_with_runtime)


def _middle(size: Size) -> Box:
    return Box(size.width // 2, size.height // 2, size.width // 2 + 1, size.height // 2 + 1)


def _without_none(**arguments: JsonValue) -> JsonObject:
    return {name: value for name, value in arguments.items() if value is not None}
