"""Anthropic's computer tools (`computer_toolset_20260801`) as calls of ours.

What has no counterpart is passed on as it is: our tools then say what is wrong, and the model reads it.
"""

from collections.abc import Mapping, Sequence

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.steps import ToolCall

TOOLSET = "computer_toolset_20260801"
FAMILY = "computer"

REPLACED = frozenset({"click", "move", "drag", "scroll", "type", "key"})
"""Our tools that the model reaches through its own."""

NOT_OFFERED = (
    "cursor_position",
    "hold_key",
    "left_mouse_down",
    "left_mouse_up",
    "screenshot",
    "wait",
)
"""What no driver can do, and what our tools `screenshot` and `wait` do and more."""

CLICKS: Mapping[str, JsonObject] = {
    "left_click": {},
    "right_click": {"button": "right"},
    "middle_click": {"button": "middle"},
    "double_click": {"clicks": 2},
    "triple_click": {"clicks": 3},
}
MOST_REPEATS = 100


def our_call(name: str, given: JsonObject, pointer: tuple[JsonValue, JsonValue] | None) -> ToolCall:
    """The call that does what a member of the toolset is asked for.

    `pointer` is where the pointer was put last; an action without a place happens there.
    """
    rest = {key: value for key, value in given.items() if value is not None}
    match name:
        case _ if name in CLICKS:
            return ToolCall("click", {**_place(rest.pop("coordinate", pointer)), **CLICKS[name], **rest})
        case "mouse_move":
            return ToolCall("move", {**_place(rest.pop("coordinate", None)), **rest})
        case "left_click_drag":
            start = _place(rest.pop("start_coordinate", None), "start_")
            return ToolCall("drag", {**start, **_place(rest.pop("coordinate", None), "to_"), **rest})
        case "scroll":
            where = _place(rest.pop("coordinate", pointer))
            return ToolCall("scroll", {**where, **_renamed(rest, "scroll_direction", "scroll_amount")})
        case "key":
            return ToolCall("key", _keys(rest))
        case "zoom":
            box = {"zoom_bounding_box": rest.pop("region")} if "region" in rest else {}
            return ToolCall("screenshot", {**box, **rest})
        case _:
            return ToolCall(name, rest)


def pointer_after(calls: Sequence[ToolCall]) -> tuple[JsonValue, JsonValue] | None:
    """Where these calls left the pointer, in the pixels of their places; None when they did not move it."""
    for call in reversed(calls):
        for x, y in (("x", "y"), ("to_x", "to_y")):
            if x in call.arguments and y in call.arguments:
                return call.arguments[x], call.arguments[y]
    return None


def _place(coordinate: JsonValue, prefix: str = "") -> JsonObject:
    match coordinate:
        case None:
            return {}
        case [x, y]:
            return {f"{prefix}x": x, f"{prefix}y": y}
        case _:
            return {f"{prefix}x": coordinate}


def _renamed(given: JsonObject, *names: str) -> JsonObject:
    """`scroll_amount` as `amount`."""
    return {key.removeprefix("scroll_") if key in names else key: value for key, value in given.items()}


def _keys(given: JsonObject) -> JsonObject:
    keys, repeat = given.get("text"), given.get("repeat", 1)
    if not isinstance(keys, str) or not isinstance(repeat, int) or not 1 <= repeat <= MOST_REPEATS:
        return given
    rest = {name: value for name, value in given.items() if name not in ("text", "repeat")}
    return {"keys": " ".join([keys] * repeat), **rest}
