"""Tools that move the pointer. Places are real pixels of the desktop, from its top left corner."""

from dataclasses import dataclass
from typing import Annotated

from cyberdesk_server.domain import actions
from cyberdesk_server.domain.actions import Button, Direction
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.executor.arguments import Between
from cyberdesk_server.executor.tools.base import Bench, Outcome, Tool

Pixel = Annotated[int, "Real pixel of the screen.", Between(0, 65535)]
Pressed = Annotated[Button, "Which button of the mouse."]


@dataclass(frozen=True, slots=True)
class ClickArguments:
    x: Pixel
    y: Pixel
    button: Pressed = Button.LEFT
    clicks: Annotated[int, "2 is a double click.", Between(1, 3)] = 1


async def click(bench: Bench, arguments: ClickArguments) -> Outcome:
    at = Point(arguments.x, arguments.y)
    await bench.act(actions.Click(at, arguments.button, arguments.clicks))
    return Outcome()


@dataclass(frozen=True, slots=True)
class MoveArguments:
    x: Pixel
    y: Pixel


async def move(bench: Bench, arguments: MoveArguments) -> Outcome:
    await bench.act(actions.Move(Point(arguments.x, arguments.y)))
    return Outcome()


@dataclass(frozen=True, slots=True)
class DragArguments:
    start_x: Pixel
    start_y: Pixel
    to_x: Pixel
    to_y: Pixel
    button: Pressed = Button.LEFT
    duration_seconds: Annotated[float, "From press to release.", Between(0, 30)] = 0.3


async def drag(bench: Bench, arguments: DragArguments) -> Outcome:
    start, end = Point(arguments.start_x, arguments.start_y), Point(arguments.to_x, arguments.to_y)
    await bench.act(actions.Drag(start, end, arguments.button, arguments.duration_seconds))
    return Outcome()


@dataclass(frozen=True, slots=True)
class ScrollArguments:
    x: Pixel
    y: Pixel
    direction: Annotated[Direction, "Which way the wheel turns."]
    amount: Annotated[int, "Notches of the wheel.", Between(0, 1000)] = 3


async def scroll(bench: Bench, arguments: ScrollArguments) -> Outcome:
    at = Point(arguments.x, arguments.y)
    await bench.act(actions.Scroll(at, arguments.direction, arguments.amount))
    return Outcome()


TOOLS = (
    Tool("click", "Click at a place on the screen.", ClickArguments, click, is_action=True),
    Tool("move", "Move the pointer without clicking.", MoveArguments, move, is_action=True),
    Tool("drag", "Press at one place, move, and release at another.", DragArguments, drag, is_action=True),
    Tool("scroll", "Turn the wheel at a place on the screen.", ScrollArguments, scroll, is_action=True),
)
