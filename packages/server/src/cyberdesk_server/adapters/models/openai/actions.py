"""The actions of OpenAI's computer tool as calls of ours.

What has no counterpart is passed on as it is: our tools then say what is wrong, and the model reads it.
"""

from collections.abc import Sequence

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.steps import ToolCall

REPLACED = frozenset({"click", "move", "drag", "scroll", "type", "key"})
"""Our tools that the model reaches through its own."""

PIXELS_PER_NOTCH = 100
"""Of a wheel: what most programs scroll by."""

WAIT_SECONDS = 1.0

KEY_NAMES = {
    "cmd": "super",
    "command": "super",
    "meta": "super",
    "win": "super",
    "option": "alt",
    "arrowup": "up",
    "arrowdown": "down",
    "arrowleft": "left",
    "arrowright": "right",
    "esc": "escape",
    "pgup": "page_up",
    "pgdn": "page_down",
    " ": "space",
}
"""Where its names are not those of our drivers, in lower case."""


def our_calls(action: JsonObject) -> tuple[ToolCall, ...]:
    """The calls that do what one action asks for; at least one."""
    rest: dict[str, JsonValue] = {
        name: value for name, value in action.items() if value not in (None, []) and name != "type"
    }
    match action.get("type"):
        case "click":
            button = rest.pop("button", "left")
            pressed = "middle" if button == "wheel" else button
            return (ToolCall("click", {**rest, **({} if pressed == "left" else {"button": pressed})}),)
        case "double_click":
            return (ToolCall("click", {**rest, "clicks": 2}),)
        case "drag":
            return (ToolCall("drag", {**_ends(rest.pop("path", None)), **rest}),)
        case "keypress":
            return (ToolCall("key", {"keys": _chord(rest.pop("keys", None)), **rest}),)
        case "scroll":
            return _wheel(rest)
        case "wait":
            return (ToolCall("wait", {"seconds": WAIT_SECONDS, **rest}),)
        case tool:  # `move`, `type` and `screenshot` are called the same here
            return (ToolCall(str(tool), rest),)


def _ends(path: JsonValue) -> JsonObject:
    """The first and the last place of a path; our drivers drag in one line."""
    match path:
        case [{"x": start_x, "y": start_y}, *_, {"x": to_x, "y": to_y}]:
            return {"start_x": start_x, "start_y": start_y, "to_x": to_x, "to_y": to_y}
        case _:
            return {"path": path}


def _chord(keys: JsonValue) -> JsonValue:
    if not isinstance(keys, Sequence) or isinstance(keys, str):
        return keys
    return "+".join(KEY_NAMES.get(str(key).lower(), str(key).lower()) for key in keys)


def _wheel(given: dict[str, JsonValue]) -> tuple[ToolCall, ...]:
    ways = (given.pop("scroll_y", 0), "up", "down"), (given.pop("scroll_x", 0), "left", "right")
    calls = [
        ToolCall("scroll", {**given, "direction": back if pixels < 0 else on, "amount": _notches(pixels)})
        for pixels, back, on in ways
        if isinstance(pixels, int | float) and pixels
    ]
    return tuple(calls) or (ToolCall("scroll", {**given, "direction": "down", "amount": 0}),)


def _notches(pixels: float) -> int:
    return max(round(abs(pixels) / PIXELS_PER_NOTCH), 1)
