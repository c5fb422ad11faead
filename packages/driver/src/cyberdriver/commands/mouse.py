"""The pointer, its buttons and its wheel, in real screen pixels; outside means the nearest edge."""

from cyberdriver.answers import DONE, Answer, json_answer
from cyberdriver.backends.base import Button, Direction, Point
from cyberdriver.commands.call import Call, Fields, Work
from cyberdriver.commands.desk import Desk

BUTTONS = [button.value for button in Button]
DIRECTIONS = [direction.value for direction in Direction]
MAX_CLICKS = 3
MAX_SCROLL = 1_000
MAX_DRAG_SECONDS = 30.0


def position(call: Call, desk: Desk) -> Work:
    """`{"x", "y"}` of the pointer."""

    def run() -> Answer:
        with desk.desktop.use() as use:
            point = use.backend.pointer()
        return json_answer({"x": point.x, "y": point.y})

    return Work(run)


def move(call: Call, desk: Desk) -> Work:
    """`{"x", "y"}`"""
    body = call.body()
    to = Point(body.integer("x"), body.integer("y"))

    def run() -> Answer:
        with desk.desktop.use() as use:
            use.backend.move(to)
        return DONE

    return Work(run, {"x": to.x, "y": to.y})


def click(call: Call, desk: Desk) -> Work:
    """`{"x"?, "y"?, "button"?, "down"?, "clicks"?}`: full clicks; with `down`, only a press or a release."""
    body = call.body()
    at = _point(body)
    button = _button(body)
    down = body.optional_boolean("down")
    clicks = body.optional_integer("clicks", least=1, most=MAX_CLICKS)

    def run() -> Answer:
        with desk.desktop.use() as use:
            if down is None:
                use.backend.click(at, button, clicks or 1)
            else:
                if at is not None:
                    use.backend.move(at)
                use.button(button, down)
        return DONE

    return Work(run, _place(at))


def drag(call: Call, desk: Desk) -> Work:
    """`{"start_x", "start_y", "to_x", "to_y", "duration"? seconds, "button"?}`; or `from_x`, `from_y`."""
    body = call.body()
    start_x, start_y = (
        body.integer(f"from_{axis}" if body.has(f"from_{axis}") else f"start_{axis}") for axis in "xy"
    )
    start, end = Point(start_x, start_y), Point(body.integer("to_x"), body.integer("to_y"))
    duration_seconds = body.optional_number("duration", least=0, most=MAX_DRAG_SECONDS) or 0.0
    button = _button(body)

    def run() -> Answer:
        with desk.desktop.use() as use:
            use.backend.drag(start, end, button, duration_seconds)
        return DONE

    return Work(run, {"x": start.x, "y": start.y, "to_x": end.x, "to_y": end.y})


def scroll(call: Call, desk: Desk) -> Work:
    """`{"direction", "amount", "x"?, "y"?}`, the amount in notches of the wheel."""
    body = call.body()
    direction = Direction(body.choice("direction", DIRECTIONS))
    amount = body.integer("amount", least=0, most=MAX_SCROLL)
    at = _point(body)

    def run() -> Answer:
        with desk.desktop.use() as use:
            use.backend.scroll(direction, amount, at)
        return DONE

    return Work(run, {**_place(at), "amount": amount})


def _button(body: Fields) -> Button:
    return Button(body.choice("button", BUTTONS, default=Button.LEFT.value))


def _point(body: Fields) -> Point | None:
    """A whole point or none: half of one would click somewhere else without a word."""
    x, y = body.optional_integer("x"), body.optional_integer("y")
    if x is None and y is None:
        return None
    return Point(body.integer("x") if x is None else x, body.integer("y") if y is None else y)


def _place(at: Point | None) -> dict[str, str | int | float]:
    return {} if at is None else {"x": at.x, "y": at.y}
