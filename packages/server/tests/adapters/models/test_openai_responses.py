"""OpenAI's Responses API: what is sent for a run, and what its answers mean."""

from typing import Any

import pytest
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.ports import ModelError
from cyberdesk_server.testing.model_servers import (
    computer_call,
    declined,
    function_call,
    reasoning,
    response,
    said,
)
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.talks import KEY, pictures_in


@pytest.fixture
def talk(talking: Any) -> Any:
    return talking("responses")


CLICK = {"type": "click", "button": "left", "x": 5, "y": 7}


def items(talk: Any, kind: str) -> list[dict[str, Any]]:
    return [item for item in talk.sent["input"] if item["type"] == kind]


async def test_the_first_question_holds_the_task_the_screen_and_the_tools(talk: Any) -> None:
    turn = await talk.turn(response(reasoning(), said("I see it."), computer_call(CLICK)))

    assert turn.calls == (ToolCall("click", {"x": 5, "y": 7}),)
    assert turn.thought == "I see it."
    assert talk.server.asked[-1].headers["authorization"] == f"Bearer {KEY}"
    assert (talk.sent["store"], talk.sent["prompt_cache_key"]) == (False, str(talk.task.run_id))
    task, screen = talk.sent["input"][0]["content"]
    assert (task["text"], screen["detail"]) == ("Find patient Ann", "original")
    names = [tool.get("name", tool["type"]) for tool in talk.sent["tools"]]
    assert names[0] == "computer"
    assert {"screenshot", "wait", "declare_task_failed"} <= set(names)
    assert not {"click", "type", "key"} & set(names)


@pytest.mark.parametrize(
    ("action", "calls"),
    [
        ({**CLICK, "button": "wheel"}, [ToolCall("click", {"x": 5, "y": 7, "button": "middle"})]),
        ({"type": "double_click", "x": 5, "y": 7}, [ToolCall("click", {"x": 5, "y": 7, "clicks": 2})]),
        ({"type": "move", "x": 5, "y": 7}, [ToolCall("move", {"x": 5, "y": 7})]),
        (
            {"type": "drag", "path": [{"x": 1, "y": 2}, {"x": 9, "y": 9}, {"x": 3, "y": 4}]},
            [ToolCall("drag", {"start_x": 1, "start_y": 2, "to_x": 3, "to_y": 4})],
        ),
        ({"type": "keypress", "keys": ["CTRL", "A"]}, [ToolCall("key", {"keys": "ctrl+a"})]),
        ({"type": "keypress", "keys": ["ArrowLeft"]}, [ToolCall("key", {"keys": "left"})]),
        (
            {"type": "scroll", "x": 1, "y": 2, "scroll_x": -100, "scroll_y": 320},
            [
                ToolCall("scroll", {"x": 1, "y": 2, "direction": "down", "amount": 3}),
                ToolCall("scroll", {"x": 1, "y": 2, "direction": "left", "amount": 1}),
            ],
        ),
        ({"type": "type", "text": "Ann"}, [ToolCall("type", {"text": "Ann"})]),
        ({"type": "wait"}, [ToolCall("wait", {"seconds": 1.0})]),
        ({"type": "screenshot"}, [ToolCall("screenshot", {})]),
        # What we have no word for is passed on: our tools say what is wrong with it.
        ({**CLICK, "button": "back"}, [ToolCall("click", {"x": 5, "y": 7, "button": "back"})]),
        ({**CLICK, "keys": ["CTRL"]}, [ToolCall("click", {"x": 5, "y": 7, "keys": ["CTRL"]})]),
    ],
)  # fmt: skip
async def test_computer_actions_are_our_calls(talk: Any, action: Any, calls: list[ToolCall]) -> None:
    turn = await talk.turn(response(computer_call(action)))

    assert list(turn.calls) == calls


async def test_parallel_calls_are_one_turn_and_each_gets_its_result(talk: Any) -> None:
    await talk.play(
        response(
            computer_call(CLICK, {"type": "type", "text": "Ann"}, call_id="call_1"),
            function_call("execute_terminal_command", {"command": "hostname"}, "call_2"),
        ),
        {},
        "the field is locked",
        {"text": "front-desk"},
        shows="typed",
    )

    await talk.turn(response(said("done")))

    [seen] = items(talk, "computer_call_output")
    [printed] = items(talk, "function_call_output")
    assert (seen["call_id"], printed["call_id"], printed["output"]) == ("call_1", "call_2", "front-desk")
    assert seen["output"]["image_url"].startswith("data:image/png;base64,")
    assert any("failed: the field is locked" in str(item) for item in items(talk, "message"))


async def test_a_picture_a_tool_took_is_in_its_result(talk: Any) -> None:
    zoomed = await talk.keep(a_screenshot("zoomed"))
    call = function_call("screenshot", {"zoom_bounding_box": [0, 0, 9, 9]})
    await talk.play(response(call), images=[zoomed], shows="later")

    await talk.turn(response(said("done")))

    [output] = items(talk, "function_call_output")
    assert [part["type"] for part in output["output"]] == ["input_text", "input_image"]
    assert talk.sent["input"][-1]["content"][0]["type"] == "input_image"


async def test_reasoning_goes_back_as_it_came(talk: Any) -> None:
    await talk.play(response(reasoning("c2VjcmV0"), computer_call(CLICK)), shows="later")

    await talk.turn(response(said("done")))

    assert items(talk, "reasoning") == [reasoning("c2VjcmV0")]


async def test_only_the_last_few_screens_are_sent_and_older_turns_are_told_in_words(talk: Any) -> None:
    for number in range(8):
        call = computer_call({**CLICK, "x": number}, call_id=f"call_{number}")
        await talk.play(response(call), shows=f"screen {number}")

    await talk.turn(response(said("done")))

    calls, outputs = items(talk, "computer_call"), items(talk, "computer_call_output")
    assert [call["call_id"] for call in calls] == [output["call_id"] for output in outputs]
    assert len(calls) == len(pictures_in(talk.sent)) == 5
    [told] = talk.sent["input"][1]["content"]
    assert told["text"] == 'Done before:\nclick {"x": 0, "y": 7}: done'


async def test_arguments_that_are_no_json_come_back_as_an_error_of_the_tool(talk: Any) -> None:
    turn = await talk.turn(response(function_call("wait", '{"seconds": ')))

    assert turn.calls == (ToolCall("wait", {'(not JSON: {"seconds": )': True}),)


async def test_the_final_message_ends_the_run(talk: Any) -> None:
    turn = await talk.turn(response(said("Ann is 57.")))

    assert turn.calls == (ToolCall("declare_task_succeeded", {"text": "Ann is 57."}),)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (response(declined("not that")), "refused to go on: not that"),
        (
            response(status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
            "was cut off: its configuration's max_tokens are too few",
        ),
        (response(status="incomplete", incomplete_details={"reason": "content_filter"}), "refused to go on"),
        (
            response(status="failed", error={"code": "server_error", "message": "try again"}),
            "failed: try again",
        ),
        (
            response(computer_call(CLICK, checks=[{"id": "c", "code": "odd", "message": "is it you?"}])),
            "wants a person to confirm what it does next: is it you?",
        ),
        (response(), "answered nothing"),
    ],
)
async def test_an_answer_that_is_none_is_an_error(talk: Any, reply: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says.replace("?", r"\?")):
        await talk.turn(reply)

    assert len(talk.costs) == 1  # it is paid for all the same


async def test_tokens_are_counted_by_what_they_cost(talk: Any) -> None:
    usage = {
        "input_tokens": 137,
        "input_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 30},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 2},
    }

    await talk.turn(response(said("done"), usage=usage))

    [(_, tokens)] = talk.costs
    assert (tokens.uncached_input, tokens.cache_read, tokens.cache_write_5m) == (7, 100, 30)
    assert (tokens.input, tokens.output, tokens.reasoning) == (137, 5, 2)
