"""A step of a long run costs what one of a short run does: what is old and long is not sent again."""

from typing import Any

import pytest
from cyberdesk_server.adapters.models.history import (
    LEFT_OUT_AT_ONCE,
    MOST_CHARACTERS,
    NEWEST_KEPT,
    OLD_CHARACTERS,
)
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.testing.model_servers import (
    Scripted,
    completion,
    computer_call,
    computer_use,
    message,
    response,
    tool_use,
)
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.talks import Talk, pictures_in

STEPS = 40
MOST_PICTURES = MOST_LONG_RESULTS = NEWEST_KEPT + LEFT_OUT_AT_ONCE - 1
WORDS_OF_A_STEP = 1500
"""Bytes: a call with its result, as wordy as an interface is."""


def click(endpoint: str, number: int) -> Scripted:
    match endpoint:
        case "messages":
            return message(computer_use("left_click", f"toolu_{number}", coordinate=[5, number]))
        case "responses":
            action = {"type": "click", "button": "left", "x": 5, "y": number}
            return response(computer_call(action, call_id=f"call_{number}"))
        case _:
            return completion(None, ("click", {"x": 5, "y": number}))


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ["messages", "responses", "chat_completions"])
async def test_requests_do_not_grow_by_screens(talking: Any, endpoint: str) -> None:
    talk: Talk = talking(endpoint)
    talk.screen = a_screenshot("start", *LINES, size=Size(1280, 800))
    for number in range(1, STEPS + 1):
        await talk.play(click(endpoint, number), {}, shows=f"screen {number}\n" + "\n".join(LINES))

    sizes = [len(asked.text) for asked in talk.server.asked]
    pictures = [len(pictures_in(asked.body)) for asked in talk.server.asked]
    screen = len(pictures_in(talk.server.asked[0].body)[0])
    assert max(pictures) == MOST_PICTURES
    assert screen > 10 * WORDS_OF_A_STEP, "the screens are what a request is made of"
    for number, size in enumerate(sizes):
        words = size - pictures[number] * screen
        assert words < sizes[0] + number * WORDS_OF_A_STEP
    assert sizes[-1] < sizes[0] + MOST_PICTURES * screen + STEPS * WORDS_OF_A_STEP


COMMANDS = 60
OUTPUT = "0123456789" * (MOST_CHARACTERS // 10)


async def test_requests_do_not_grow_by_what_commands_print(talking: Any) -> None:
    """Nothing on the screen changes: no picture goes either, that results could go with."""
    talk: Talk = talking("messages")
    for number in range(COMMANDS):
        command = f"type report-{number}.txt"
        asked = message(tool_use("execute_terminal_command", f"toolu_{number}", command=command))
        await talk.play(asked, {"text": OUTPUT, "exit_code": 0})

    sizes = [len(asked.text) for asked in talk.server.asked]
    whole = [asked.text.count(OUTPUT[: MOST_CHARACTERS // 2]) for asked in talk.server.asked]
    assert whole[:8] == [0, 1, 2, 3, 4, 5, 6, 3]
    assert max(whole) == MOST_LONG_RESULTS
    for number, size in enumerate(sizes):
        rest = size - whole[number] * MOST_CHARACTERS
        assert rest <= sizes[0] + number * (OLD_CHARACTERS + WORDS_OF_A_STEP)
    assert sizes[-1] < 2 * sizes[MOST_LONG_RESULTS]


LINES = [f"{number * 7919 % 10007:05d} a line that is printed on the screen" for number in range(400)]
