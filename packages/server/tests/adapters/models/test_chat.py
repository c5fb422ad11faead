"""Chat completions, as many servers speak them: what is sent for a run, and what the answers mean."""

import json
from typing import Any

import pytest
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.ports import ModelError
from cyberdesk_server.testing.model_servers import completion
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.talks import KEY, pictures_in


@pytest.fixture
def talk(talking: Any) -> Any:
    return talking("chat_completions")


CLICK = ("click", {"x": 5, "y": 7})


async def test_the_first_question_holds_the_task_the_screen_and_the_tools(talk: Any) -> None:
    turn = await talk.turn(completion("I see it.", CLICK))

    assert turn.calls == (ToolCall("click", {"x": 5, "y": 7}),)
    assert turn.thought == "I see it."
    assert talk.server.asked[-1].headers["authorization"] == f"Bearer {KEY}"
    rules, task = talk.sent["messages"]
    assert (rules["role"], task["content"][0]["text"]) == ("system", "Find patient Ann")
    names = {tool["function"]["name"] for tool in talk.sent["tools"]}
    assert {"click", "drag", "key", "scroll", "screenshot", "type", "wait"} <= names


async def test_tools_speak_of_the_pixels_the_model_sees(talk: Any) -> None:
    talk.screen = a_screenshot("large", size=Size(3136, 1568))

    turn = await talk.turn(completion(None, ("drag", {"start_x": 0, "start_y": 0, "to_x": 757, "to_y": 100})))

    assert "real pixel" not in json.dumps(talk.sent["tools"]).lower()
    [call] = turn.calls
    assert call.arguments == {"start_x": 1, "start_y": 1, "to_x": 1566, "to_y": 207}


async def test_parallel_calls_are_one_turn_and_each_gets_its_result(talk: Any) -> None:
    await talk.play(
        completion(None, CLICK, ("type", {"text": "Ann"})), {}, "the field is locked", shows="typed"
    )

    await talk.turn(completion("done"))

    own, first, second, screen = talk.sent["messages"][-4:]
    assert [call["id"] for call in own["tool_calls"]] == [first["tool_call_id"], second["tool_call_id"]]
    assert first["tool_call_id"] != second["tool_call_id"]  # although the server gave none
    assert (first["content"], second["content"]) == ("done", "failed: the field is locked")
    assert screen["content"][0]["type"] == "image_url"


async def test_arguments_that_are_no_json_come_back_as_an_error_of_the_tool(talk: Any) -> None:
    turn = await talk.play(completion(None, ("wait", '{"seconds": ')), "there is no such argument")

    assert turn.calls == (ToolCall("wait", {'(not JSON: {"seconds": )': True}),)

    await talk.turn(completion("done"))

    [call] = talk.sent["messages"][2]["tool_calls"]
    assert json.loads(call["function"]["arguments"])  # servers read it again
    assert talk.sent["messages"][3]["content"] == "failed: there is no such argument"


async def test_only_the_last_few_screens_are_sent(talk: Any) -> None:
    counts = []
    for number in range(16):
        await talk.play(completion(None, ("click", {"x": number, "y": 1})), shows=f"screen {number}")
        counts.append(len(pictures_in(talk.sent)))

    assert max(counts) == 6
    assert min(counts[6:]) == 3


async def test_the_final_message_ends_the_run(talk: Any) -> None:
    turn = await talk.turn(completion("Ann is 57."))

    assert turn.calls == (ToolCall("declare_task_succeeded", {"text": "Ann is 57."}),)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (completion(None, refusal="not that"), "refused to go on: not that"),
        (completion("I", finish_reason="content_filter"), "refused to go on"),
        (completion("I", finish_reason="length"), "max_tokens are too few"),
        (completion(""), "answered nothing"),
    ],
)
async def test_an_answer_that_is_none_is_an_error(talk: Any, reply: Any, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        await talk.turn(reply)


async def test_tokens_are_counted_by_what_they_cost(talk: Any) -> None:
    usage = {"prompt_tokens": 107, "prompt_tokens_details": {"cached_tokens": 100}, "completion_tokens": 5}

    await talk.turn(completion("done", usage=usage))

    [(_, tokens)] = talk.costs
    assert (tokens.uncached_input, tokens.cache_read, tokens.output) == (7, 100, 5)


async def test_a_server_that_counts_no_tokens_is_good_enough(talk: Any) -> None:
    reply = completion("done")
    del reply.body["usage"]

    await talk.turn(reply)

    [(_, tokens)] = talk.costs
    assert (tokens.input, tokens.output) == (0, 0)
