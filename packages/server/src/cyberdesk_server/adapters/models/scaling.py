"""Tool calls between the pixels of the picture a model sees and the real pixels of the desktop."""

from collections.abc import Mapping
from dataclasses import replace

from cyberdesk_server.domain.geometry import Point, Scale
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.domain.tasks import ToolSpec

PLACES = (("x", "y"), ("start_x", "start_y"), ("to_x", "to_y"))
BOX = "zoom_bounding_box"


def on_screen(call: ToolCall, scale: Scale) -> ToolCall:
    """A call whose places are pixels of the picture, with real pixels instead.

    What is no place stays as it is: the tool will say what is wrong with it.
    """
    return _moved(call, scale)


def on_picture(call: ToolCall, scale: Scale) -> ToolCall:
    """The other way round."""
    return _moved(call, Scale(scale.screen, scale.picture))


def in_picture_pixels(spec: ToolSpec) -> ToolSpec:
    """The tool as it is told to a model, which knows pictures and no real pixels."""
    return replace(spec, parameters=_reworded(spec.parameters))


def _moved(call: ToolCall, scale: Scale) -> ToolCall:
    if scale.picture == scale.screen:
        return call
    arguments = dict(call.arguments)
    for x, y in PLACES:
        point = _point(arguments.get(x), arguments.get(y))
        if point is not None:
            arguments[x], arguments[y] = scale.to_screen(point)
    match arguments.get(BOX):
        case [left, top, right, bottom]:
            corners = _point(left, top), _point(right, bottom)
            if corners[0] is not None and corners[1] is not None:
                arguments[BOX] = [*scale.to_screen(corners[0]), *scale.to_screen(corners[1])]
    return replace(call, arguments=arguments)


def _point(x: JsonValue, y: JsonValue) -> Point | None:
    numbers = [int(value) for value in (x, y) if isinstance(value, int | float) and abs(value) < 2**31]
    return Point(*numbers) if len(numbers) == 2 else None


def _reworded(schema: JsonObject) -> JsonObject:
    return {name: _value(name, value) for name, value in schema.items()}


def _value(name: str, value: JsonValue) -> JsonValue:
    if isinstance(value, Mapping):
        return _reworded(value)
    if name == "description" and isinstance(value, str):
        return value.replace("Real pixel of the screen", "Pixel of the picture of the screen").replace(
            "real pixels", "pixels of the picture of the screen"
        )
    return value
