"""Anthropic's Messages API: what is sent for a run, and what its answers mean."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.ports import ModelError
from cyberdesk_server.testing.model_servers import (
    computer_use,
    message,
    text_block,
    thinking_block,
    tool_use,
)
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.talks import KEY, pictures_in


@pytest.fixture
def talk(talking: Any) -> Any:
    return talking("messages")


def last_results(talk: Any) -> list[dict[str, Any]]:
    return [block for block in talk.sent["messages"][-1]["content"] if block["type"] == "tool_result"]


async def test_the_first_question_holds_the_task_the_screen_and_the_tools(talk: Any) -> None:
    turn = await talk.turn(message(text_block("I see it."), computer_use("left_click", coordinate=[5, 7])))

    assert turn.calls == (ToolCall("click", {"x": 5, "y": 7}),)
    assert turn.thought == "I see it."
    assert talk.server.asked[-1].headers["x-api-key"] == KEY
    assert talk.sent["messages"][0]["content"][0]["text"] == "Find patient Ann"
    assert len(pictures_in(talk.sent)) == 1
    names = [tool.get("name", tool["type"] if "name" not in tool else "") for tool in talk.sent["tools"]]
    assert names[0] == "computer_toolset_20260801"
    assert {"screenshot", "wait", "execute_terminal_command", "declare_task_failed"} <= set(names)
    assert not {"click", "type", "key"} & set(names)


@pytest.mark.parametrize(
    ("name", "given", "call"),
    [
        ("right_click", {"coordinate": [1, 2]}, ToolCall("click", {"x": 1, "y": 2, "button": "right"})),
        ("double_click", {"coordinate": [1, 2]}, ToolCall("click", {"x": 1, "y": 2, "clicks": 2})),
        ("mouse_move", {"coordinate": [1, 2]}, ToolCall("move", {"x": 1, "y": 2})),
        (
            "left_click_drag",
            {"start_coordinate": [1, 2], "coordinate": [3, 4]},
            ToolCall("drag", {"start_x": 1, "start_y": 2, "to_x": 3, "to_y": 4}),
        ),
        (
            "scroll",
            {"coordinate": [1, 2], "scroll_direction": "up", "scroll_amount": 4},
            ToolCall("scroll", {"x": 1, "y": 2, "direction": "up", "amount": 4}),
        ),
        ("type", {"text": "Ann {$pin}"}, ToolCall("type", {"text": "Ann {$pin}"})),
        ("key", {"text": "ctrl+a"}, ToolCall("key", {"keys": "ctrl+a"})),
        ("key", {"text": "Tab", "repeat": 3}, ToolCall("key", {"keys": "Tab Tab Tab"})),
        ("zoom", {"region": [1, 2, 3, 4]}, ToolCall("screenshot", {"zoom_bounding_box": [1, 2, 3, 4]})),
        # What we have no word for is passed on: our tools say what is wrong with it.
        ("left_click", {"coordinate": [1, 2], "text": "a"}, ToolCall("click", {"x": 1, "y": 2, "text": "a"})),
        ("left_click", {"coordinate": "here"}, ToolCall("click", {"x": "here"})),
        ("left_click", {}, ToolCall("click", {})),
        ("hold_key", {"text": "a", "duration": 1}, ToolCall("hold_key", {"text": "a", "duration": 1})),
    ],
)  # fmt: skip
async def test_computer_actions_are_our_calls(talk: Any, name: str, given: Any, call: ToolCall) -> None:
    turn = await talk.turn(message(computer_use(name, **given)))

    assert turn.calls == (call,)


async def test_an_action_without_a_place_happens_where_the_pointer_is(talk: Any) -> None:
    await talk.play(message(computer_use("mouse_move", coordinate=[30, 40])))

    turn = await talk.turn(message(computer_use("left_click")))

    assert turn.calls == (ToolCall("click", {"x": 30, "y": 40}),)


async def test_parallel_calls_are_one_turn_and_each_gets_its_result(talk: Any) -> None:
    await talk.play(
        message(
            computer_use("left_click", "toolu_1", coordinate=[1, 2]),
            computer_use("type", "toolu_2", text="Ann"),
            tool_use("execute_terminal_command", "toolu_3", command="hostname"),
        ),
        {},
        "the field is locked",
        {"text": "front-desk", "exit_code": 0},
        shows="typed",
    )

    await talk.turn(message(text_block("done")))

    first, second, third = last_results(talk)
    assert (first["tool_use_id"], first["toolset_name"], first["content"][0]["text"]) == (
        "toolu_1",
        "computer",
        "done",
    )
    assert (second["is_error"], second["content"][0]["text"]) == (True, "failed: the field is locked")
    assert "toolset_name" not in third
    assert third["content"][0]["text"] == '{"text": "front-desk", "exit_code": 0}'
    assert third["content"][-1]["type"] == "image"


async def test_a_picture_a_tool_took_is_in_its_result(talk: Any) -> None:
    zoomed = await talk.keep(a_screenshot("zoomed"))
    await talk.play(message(computer_use("zoom", region=[0, 0, 9, 9])), images=[zoomed], shows="later")

    await talk.turn(message(text_block("done")))

    [result] = last_results(talk)
    assert [part["type"] for part in result["content"]] == ["text", "image", "image"]


async def test_a_screen_that_did_not_change_is_not_sent_again(talk: Any) -> None:
    await talk.play(message(computer_use("left_click", coordinate=[1, 2])))

    await talk.turn(message(text_block("done")))

    assert len(pictures_in(talk.sent)) == 1
    assert last_results(talk)[0]["content"][-1]["text"] == "The screen is the same as before."


async def test_thoughts_go_back_as_they_came(talk: Any) -> None:
    thought = thinking_block("where is the field?")
    await talk.play(message(thought, computer_use("left_click", coordinate=[1, 2])))

    await talk.turn(message(text_block("done")))

    assert talk.sent["messages"][1]["content"][0] == thought


async def test_a_thought_a_secret_was_taken_out_of_is_left_away(talk: Any) -> None:
    thought = thinking_block("it says hunter22 there")
    await talk.play(message(thought, computer_use("left_click", coordinate=[1, 2])))
    [step] = talk.history
    talk.history = (replace(step, memo=step.memo.replace("hunter22", "{$pin}")),)

    await talk.turn(message(text_block("done")))

    assert [block["type"] for block in talk.sent["messages"][1]["content"]] == ["tool_use"]


async def test_the_final_message_ends_the_run(talk: Any) -> None:
    turn = await talk.turn(message(text_block("Patient {Ann} has {$pin}.")))

    assert turn.calls == (ToolCall("declare_task_succeeded", {"text": "Patient \\{Ann} has \\{$pin}."}),)


async def test_places_are_moved_to_real_pixels(talk: Any) -> None:
    talk.screen = a_screenshot("large", size=Size(3136, 1568))

    turn = await talk.turn(message(computer_use("left_click", coordinate=[757, 100])))

    assert "1516 by 758 pixels" in talk.sent["system"][0]["text"]
    assert turn.calls == (ToolCall("click", {"x": 1566, "y": 207}),)


BLOCKS_LOOKED_BACK = 20
"""From each mark the API looks so far back for something it has cached."""


async def test_every_question_begins_with_what_the_one_before_has_cached(talk: Any) -> None:
    questions = []
    for number in range(16):
        use = computer_use("left_click", f"toolu_{number}", coordinate=[number, 1])
        await talk.play(message(thinking_block("hm"), text_block("next"), use), shows=f"screen {number}")
        questions.append(talk.sent)

    for before, after in pairwise(questions):
        starts, marks = cached_starts(before), cached_starts(after)
        assert len(marks) <= 3  # and the one behind the rules: the API takes four
        looked_at = {
            str(_unmarked(blocks(after)[: mark - back]))
            for mark in marks
            for back in range(BLOCKS_LOOKED_BACK)
        }
        assert any(str(_unmarked(blocks(before)[:start])) in looked_at for start in starts)


async def test_only_the_last_few_screens_are_sent(talk: Any) -> None:
    counts = []
    for number in range(16):
        use = computer_use("left_click", f"toolu_{number}", coordinate=[number, 1])
        await talk.play(message(use), shows=f"screen {number}")
        counts.append(len(pictures_in(talk.sent)))

    assert counts == [1, 2, 3, 4, 5, 6, 3, 4, 5, 6, 3, 4, 5, 6, 3, 4]


def blocks(question: dict[str, Any]) -> list[Any]:
    return [(said["role"], block) for said in question["messages"] for block in said["content"]]


def cached_starts(question: dict[str, Any]) -> list[int]:
    """How many blocks are in front of each mark, with the marked one."""
    return [place for place, (_, block) in enumerate(blocks(question), start=1) if "cache_control" in block]


def _unmarked(value: Any) -> Any:
    match value:
        case dict():
            return {name: _unmarked(item) for name, item in value.items() if name != "cache_control"}
        case list() | tuple():
            return [_unmarked(item) for item in value]
        case _:
            return value


@pytest.mark.parametrize(
    ("stop", "says"),
    [
        ("refusal", "refused to go on: not that"),
        ("max_tokens", "was cut off: its configuration's max_tokens are too few"),
        ("model_context_window_exceeded", "has become too long"),
    ],
)
async def test_an_answer_that_is_none_is_an_error(talk: Any, stop: str, says: str) -> None:
    details = {"type": "refusal", "category": None, "explanation": "not that"} if stop == "refusal" else None

    with pytest.raises(ModelError, match=says) as error:
        await talk.turn(message(text_block("I"), stop_reason=stop, stop_details=details))

    assert not error.value.is_retryable
    assert len(talk.costs) == 1  # it is paid for all the same


async def test_tokens_are_counted_by_what_they_cost(talk: Any) -> None:
    usage = {
        "input_tokens": 7,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 2},
    }

    await talk.turn(message(text_block("done"), usage=usage))

    [(_, tokens)] = talk.costs
    assert (tokens.uncached_input, tokens.cache_read) == (7, 100)
    assert (tokens.cache_write_5m, tokens.cache_write_1h) == (20, 10)
    assert (tokens.input, tokens.output, tokens.reasoning) == (137, 5, 2)


async def test_turns_of_another_model_are_told_in_words(talk: Any) -> None:
    await talk.play(message(computer_use("left_click", coordinate=[1, 2])), shows="later")
    talk.provider.model = "another-model"

    await talk.turn(message(text_block("done")))

    assert [said["role"] for said in talk.sent["messages"]] == ["user", "user"]
    assert talk.sent["messages"][1]["content"][0]["text"] == 'Done before:\nclick {"x": 1, "y": 2}: done'
