"""Keyboard, mouse and clipboard: what is asked is what the desktop gets, and a wrong request does nothing."""

import json
from collections.abc import Callable

import pytest
from cyberdesk_wire import Response
from cyberdriver.backends.base import Box, Button, Direction, Point
from cyberdriver.backends.fake import (
    ButtonChanged,
    Clicked,
    Dragged,
    Held,
    Input,
    Moved,
    Pressed,
    Scrolled,
    Typed,
)
from cyberdriver.backends.keys import parse_keys
from cyberdriver.rehearsal import StagedMachine
from cyberdriver.testing import FakeBackend, TextField

MOUSE = "/computer/input/mouse"
KEYBOARD = "/computer/input/keyboard"
[SHIFT] = parse_keys("shift")


@pytest.mark.parametrize(
    ("path", "body", "inputs"),
    [
        (f"{MOUSE}/move", {"x": 3, "y": 4}, [Moved(Point(3, 4))]),
        (f"{MOUSE}/move", {"x": 3.0, "y": 4, "extra": 1}, [Moved(Point(3, 4))]),
        (f"{MOUSE}/click", {"x": 3, "y": 4}, [Clicked(Point(3, 4))]),
        (f"{MOUSE}/click", {}, [Clicked(Point(0, 0))]),
        (f"{MOUSE}/click", None, [Clicked(Point(0, 0))]),
        (
            f"{MOUSE}/click",
            {"x": 3, "y": 4, "button": "right", "clicks": 2, "down": None},
            [Clicked(Point(3, 4), Button.RIGHT, 2)],
        ),
        (
            f"{MOUSE}/click",
            {"x": 3, "y": 4, "down": True},
            [Moved(Point(3, 4)), ButtonChanged(Button.LEFT, True)],
        ),
        (f"{MOUSE}/click", {"down": False}, [ButtonChanged(Button.LEFT, False)]),
        (
            f"{MOUSE}/drag",
            {"start_x": 1, "start_y": 2, "to_x": 3, "to_y": 4},
            [Dragged(Point(1, 2), Point(3, 4))],
        ),
        (
            f"{MOUSE}/drag",
            {"from_x": 1, "from_y": 2, "to_x": 3, "to_y": 4, "duration": 0.5, "button": "middle"},
            [Dragged(Point(1, 2), Point(3, 4), Button.MIDDLE, 0.5)],
        ),
        (
            f"{MOUSE}/scroll",
            {"direction": "down", "amount": 5, "x": 1, "y": 2},
            [Scrolled(Direction.DOWN, 5, Point(1, 2))],
        ),
        (f"{MOUSE}/scroll", {"direction": "left", "amount": 0}, [Scrolled(Direction.LEFT, 0, Point(0, 0))]),
        (f"{KEYBOARD}/type", {"text": "<ł€漢\n"}, [Typed("<ł€漢\n")]),
        (f"{KEYBOARD}/key", {"text": "ctrl+a tab"}, [Pressed(chord) for chord in parse_keys("ctrl+a tab")]),
        (f"{KEYBOARD}/key", {"text": "shift", "down": True}, [Held(SHIFT, True)]),
        (f"{KEYBOARD}/key", {"text": "shift", "down": False}, [Held(SHIFT, False)]),
    ],
)
async def test_an_input_reaches_the_desktop(
    machine: StagedMachine, backend: FakeBackend, path: str, body: object, inputs: list[Input]
) -> None:
    response = await machine.ask("POST", path, body)

    assert (response.status, response.body) == (200, b"{}")
    assert backend.inputs == inputs


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        (f"{MOUSE}/move", {"x": 3}, "y"),
        (f"{MOUSE}/move", {"x": 1.5, "y": 4}, "x"),
        (f"{MOUSE}/move", {"x": "3", "y": 4}, "x"),
        (f"{MOUSE}/move", {"x": True, "y": 4}, "x"),
        (f"{MOUSE}/move", {"x": 2**40, "y": 4}, "x"),
        (f"{MOUSE}/move", b'{"x":NaN,"y":1}', "x"),
        (f"{MOUSE}/move", b"{", "body"),
        (f"{MOUSE}/move", b"[]", "body"),
        (f"{MOUSE}/move", b"[" * 100_000, "body"),
        (f"{MOUSE}/move", b"\xff", "body"),
        (f"{MOUSE}/click", {"x": 3}, "y"),
        (f"{MOUSE}/click", {"y": 3}, "x"),
        (f"{MOUSE}/click", {"button": "fourth"}, "button"),
        (f"{MOUSE}/click", {"clicks": 0}, "clicks"),
        (f"{MOUSE}/click", {"clicks": 4}, "clicks"),
        (f"{MOUSE}/click", {"down": "yes"}, "down"),
        (f"{MOUSE}/drag", {"to_x": 3, "to_y": 4}, "start_x"),
        (f"{MOUSE}/drag", {"start_x": 1, "start_y": 2, "to_x": 3}, "to_y"),
        (f"{MOUSE}/drag", {"start_x": 1, "start_y": 2, "to_x": 3, "to_y": 4, "duration": 99}, "duration"),
        (f"{MOUSE}/scroll", {"direction": "down"}, "amount"),
        (f"{MOUSE}/scroll", {"direction": "down", "amount": -1}, "amount"),
        (f"{MOUSE}/scroll", {"direction": "in", "amount": 1}, "direction"),
        (f"{KEYBOARD}/type", {"text": ""}, "text"),
        (f"{KEYBOARD}/type", {"text": 1}, "text"),
        (f"{KEYBOARD}/type", {}, "text"),
        (f"{KEYBOARD}/type", {"text": "x" * 100_001}, "text"),
        (f"{KEYBOARD}/type", {"text": "good\x01"}, "text"),
        (f"{KEYBOARD}/key", {"text": "a nosuchkey"}, "text"),
        (f"{KEYBOARD}/key", {"text": "a b", "down": True}, "text"),
        (f"{KEYBOARD}/key", {"text": " "}, "text"),
        ("/computer/copy_to_clipboard", {}, "text"),
    ],
)
async def test_a_wrong_input_names_its_field_and_does_nothing(
    machine: StagedMachine, backend: FakeBackend, path: str, body: object, field: str
) -> None:
    response = await machine.ask("POST", path, body)

    [error] = json.loads(response.body)["detail"]
    assert (response.status, error["loc"]) == (422, ["body", field])
    assert backend.inputs == []


async def test_an_unknown_key_is_named(machine: StagedMachine) -> None:
    response = await machine.ask("POST", f"{KEYBOARD}/key", {"text": "ctrl+nosuchkey"})

    assert b"nosuchkey" in response.body


async def test_the_pointer_tells_where_it_is(machine: StagedMachine) -> None:
    await machine.ask("POST", f"{MOUSE}/move", {"x": 30, "y": 40})

    assert json.loads((await machine.ask("GET", f"{MOUSE}/position")).body) == {"x": 30, "y": 40}


async def test_what_is_selected_is_copied_under_the_given_key(
    machine: StagedMachine, backend: FakeBackend
) -> None:
    backend.widgets.append(TextField("Name", Box(10, 10, 100, 20), text="Mai ł"))
    await machine.ask("POST", f"{MOUSE}/click", {"x": 20, "y": 15})
    await machine.ask("POST", f"{KEYBOARD}/key", {"text": "ctrl+a"})

    response = await machine.ask("POST", "/computer/copy_to_clipboard", {"text": "patient"})

    assert json.loads(response.body) == {"patient": "Mai ł"}


async def test_what_is_held_is_released_at_the_end(make_machine: Callable[..., StagedMachine]) -> None:
    machine = make_machine()
    await machine.ask("POST", f"{KEYBOARD}/key", {"text": "shift", "down": True})
    await machine.ask("POST", f"{MOUSE}/click", {"down": True})

    await machine.dispatcher.release_held()

    assert machine.backend.held == []
    assert machine.backend.buttons_down == set()


async def test_inputs_keep_their_order(machine: StagedMachine, backend: FakeBackend) -> None:
    import asyncio

    texts = [str(number) for number in range(50)]

    answers: list[Response] = await asyncio.gather(
        *(machine.ask("POST", f"{KEYBOARD}/type", {"text": text}) for text in texts)
    )

    assert {answer.status for answer in answers} == {200}
    assert backend.inputs == [Typed(text) for text in texts]
