"""What is the same for every provider: failures, extraction, output data, and what never leaves."""

from dataclasses import replace
from typing import Any

import pytest
from cyberdesk_server.domain.check_verdicts import Judgement, Picture, Question
from cyberdesk_server.domain.steps import StepState, ToolCall
from cyberdesk_server.executor.steps.outputs import OutputDoesNotFit
from cyberdesk_server.ports import Comparison, ModelError, ModelUnavailable
from cyberdesk_server.testing.model_servers import (
    Scripted,
    completion,
    function_call,
    message,
    refused,
    response,
    said,
    text_block,
    tool_use,
)
from cyberdesk_server.testing.ports import a_screenshot
from cyberdesk_server.testing.prompts import a_task
from cyberdesk_server.testing.rows import a_step
from cyberdesk_server.testing.talks import KEY, pictures_in

PROVIDERS = ("messages", "responses", "chat_completions")


def answering(endpoint: str, text: str) -> Scripted:
    """These words, from the provider of this interface."""
    match endpoint:
        case "messages":
            return message(text_block(text))
        case "responses":
            return response(said(text))
        case _:
            return completion(text)


def calling(endpoint: str, name: str, **arguments: Any) -> Scripted:
    """A call of this tool, from the provider of this interface."""
    match endpoint:
        case "messages":
            return message(tool_use(name, **arguments))
        case "responses":
            return response(function_call(name, arguments))
        case _:
            return completion(None, (name, arguments))


@pytest.fixture(params=PROVIDERS)
def endpoint(request: Any) -> str:
    return str(request.param)


@pytest.fixture
def talk(talking: Any, endpoint: str) -> Any:
    return talking(endpoint)


@pytest.mark.parametrize(
    ("reply", "says", "is_retryable"),
    [
        (refused(429, retry_after="7"), "was asked too often", True),
        (refused(500), "the provider failed", True),
        (refused(503), "is overloaded", True),
        (refused(529), "is overloaded", True),
        (refused(401, f"bad key {KEY}"), "the provider refused the API key", False),
        (refused(404), "does not know this model", False),
        (refused(400, f"too long, {KEY}"), "refused the request .400.: too long", False),
        (Scripted("<html>a proxy's page</html>"), "answered something that cannot be read", True),
        (Scripted({}), "answered something that cannot be read", True),
    ],
)
async def test_a_provider_that_gives_no_answer_is_unavailable(
    talk: Any, reply: Scripted, says: str, is_retryable: bool
) -> None:
    with pytest.raises(ModelUnavailable, match=says) as error:
        await talk.turn(reply)

    assert error.value.is_retryable is is_retryable
    assert KEY not in str(error.value)
    assert error.value.retry_after_seconds == (7 if reply.status == 429 else None)
    assert len(talk.server.asked) == 1  # who asks again is decided elsewhere


async def test_a_server_that_is_not_there_is_unavailable(talk: Any) -> None:
    talk.provider.base_url = "http://127.0.0.1:9/v1"

    with pytest.raises(ModelUnavailable, match="cannot be reached") as error:
        await talk.turn()

    assert error.value.is_retryable


async def test_a_used_up_quota_is_not_asked_for_again(talk: Any) -> None:
    body = {"error": {"message": "pay", "type": "insufficient_quota", "code": "insufficient_quota"}}

    with pytest.raises(ModelUnavailable) as error:
        await talk.turn(Scripted(body, 429))

    assert error.value.is_retryable is (type(talk.provider).__name__ == "AnthropicProvider")


async def test_additional_parameters_go_along_as_they_are(talking: Any, endpoint: str) -> None:
    talk = talking(endpoint, extra={"metadata": {}}, max_tokens=77)

    await talk.turn(answering(endpoint, "done"))

    assert talk.sent["metadata"] == {}
    assert 77 in (talk.sent.get("max_tokens"), talk.sent.get("max_output_tokens"))


async def test_secrets_are_names_and_inputs_are_values(talk: Any, endpoint: str) -> None:
    talk.task = a_task(
        "Sign in as {user} with {$pin}, keep {{token}}, leave \\{this} and {unknown}",
        {"user": "ann"},
        secret_names=frozenset({"pin"}),
    )

    await talk.turn(answering(endpoint, "done"))

    assert "Sign in as ann with {$pin}, keep {{token}}, leave {this} and {unknown}" in str(talk.sent)
    assert "can be typed, and used nowhere else: {$pin}" in str(talk.sent)


async def test_braces_on_the_screen_are_no_inputs(talk: Any, endpoint: str) -> None:
    turn = await talk.turn(calling(endpoint, "declare_task_failed", reason="{id} of {patient} {{x}} {$pin}"))

    [call] = turn.calls
    assert call.arguments["reason"] == "\\{id} of {patient} {{x}} {$pin}"


async def test_pictures_of_the_prompt_stand_where_they_stand_in_it(talk: Any, endpoint: str) -> None:
    icon = a_screenshot("icon").png
    talk.task = a_task('<p>Click <img src="icon.png"> twice</p>', pictures={"icon.png": icon})

    await talk.turn(answering(endpoint, "done"))

    assert len(pictures_in(talk.sent)) == 2
    sent = str(talk.sent)
    assert sent.index("Click") < sent.index(pictures_in(talk.sent)[0][:40]) < sent.index("twice")


async def test_extraction_reads_one_picture(talk: Any, endpoint: str) -> None:
    talk.server.answers(
        calling(endpoint, "report", observation="DOB is 1968-04-23", runtime_values={"dob": "1968-04-23"})
    )

    observation = await talk.model.extract("The DOB of {patient} as {{dob}}", talk.task, talk.screen)

    assert observation.text == "DOB is 1968-04-23"
    assert observation.runtime_values == {"dob": "1968-04-23"}
    assert "The DOB of Ann as {{dob}}" in str(talk.sent)
    assert len(pictures_in(talk.sent)) == 1
    assert [role for role, _ in talk.costs] == ["extraction"]


async def test_an_extraction_in_words_is_these_words(talk: Any, endpoint: str) -> None:
    talk.server.answers(answering(endpoint, "There is no DOB."))

    observation = await talk.model.extract("The DOB", talk.task, talk.screen)

    assert (observation.text, observation.runtime_values) == ("There is no DOB.", {})


async def test_an_extraction_in_a_wrong_form_may_be_asked_for_again(talk: Any, endpoint: str) -> None:
    talk.server.answers(calling(endpoint, "report", observation=["1968"]))

    with pytest.raises(ModelError, match="in a wrong form") as error:
        await talk.model.extract("The DOB", talk.task, talk.screen)

    assert error.value.is_retryable


@pytest.mark.parametrize("is_fulfilled", [True, False])
async def test_a_check_of_output_data_is_judged(talk: Any, endpoint: str, is_fulfilled: bool) -> None:
    talk.server.answers(calling(endpoint, "verdict", is_fulfilled=is_fulfilled, reason="I see it."))

    judgement = await talk.model.judge(Question("The name is Ann.", output_data={"name": "Änn"}))

    assert judgement == Judgement(is_fulfilled, "I see it.")
    assert all(word in str(talk.sent) for word in ("The name is Ann.", "name", "nn"))
    assert [role for role, _ in talk.costs] == ["post_run_check"]


async def test_a_check_of_pictures_shows_them_all(talk: Any, endpoint: str) -> None:
    talk.server.answers(calling(endpoint, "verdict", is_fulfilled=True, reason="Both are saved."))
    pictures = tuple(Picture(f"{text}.png", a_screenshot(text).png) for text in ("one", "two"))

    await talk.model.judge(Question("Saved?", pictures=pictures))

    assert len(pictures_in(talk.sent)) == 2
    assert "output data:" not in str(talk.sent)


async def test_a_check_without_a_verdict_may_be_judged_again(talk: Any, endpoint: str) -> None:
    talk.server.answers(answering(endpoint, "Looks fine."))

    with pytest.raises(ModelError, match="gave no verdict") as error:
        await talk.model.judge(Question("Saved?", output_data={}))

    assert error.value.is_retryable


@pytest.mark.parametrize("is_fulfilled", [True, False])
async def test_two_screens_are_compared_by_an_authors_words(
    talk: Any, endpoint: str, is_fulfilled: bool
) -> None:
    talk.server.answers(calling(endpoint, "verdict", is_fulfilled=is_fulfilled, reason="The list is open."))
    click = ToolCall("click", {"x": 850, "y": 450})

    comparison = await talk.model.compare(
        "The list is open", click, a_screenshot("then"), a_screenshot("now")
    )

    assert comparison == Comparison(is_fulfilled, "The list is open.")
    assert all(word in str(talk.sent) for word in ("The list is open", "click", "850", "Desktop #2"))
    assert len(pictures_in(talk.sent)) == 2
    assert [role for role, _ in talk.costs] == ["cache_detection"]


SCHEMA = '{"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}'


def after_reading(talk: Any, text: str = "Ann is 57") -> None:
    call = ToolCall("screenshot", {"extract_prompt": "How old is Ann?"})
    talk.history = (
        replace(a_step(talk.task.run_id), call=call, state=StepState.DONE, result={"text": text}),
    )


async def test_the_output_is_what_the_schema_asks_for(talk: Any, endpoint: str) -> None:
    talk.task = replace(talk.task, output_schema=SCHEMA)
    after_reading(talk)
    talk.server.answers(answering(endpoint, '```json\n{"age": "57"}\n```'))

    output = await talk.model.conclude(talk.task, talk.history, {"ward": "B"})

    assert output == {"age": 57}
    assert all(word in str(talk.sent) for word in ("How old is Ann?", "Ann is 57", "ward"))
    assert [role for role, _ in talk.costs] == ["transformation"]


async def test_an_output_that_does_not_fit_is_sent_back_once(talk: Any, endpoint: str) -> None:
    talk.task = replace(talk.task, output_schema=SCHEMA)
    after_reading(talk)
    talk.server.answers(answering(endpoint, '{"age": "old"}'), answering(endpoint, '{"age": 57}'))

    assert await talk.model.conclude(talk.task, talk.history, {}) == {"age": 57}
    assert "$.age" in str(talk.sent)


async def test_an_output_that_still_does_not_fit_is_kept_with_the_error(talk: Any, endpoint: str) -> None:
    talk.task = replace(talk.task, output_schema=SCHEMA)
    after_reading(talk)
    talk.server.answers(answering(endpoint, "I cannot"), answering(endpoint, '{"age": "old"}'))

    with pytest.raises(OutputDoesNotFit) as error:
        await talk.model.conclude(talk.task, talk.history, {})

    assert error.value.output == {"age": "old"}


async def test_the_short_notation_asks_for_its_fields(talk: Any, endpoint: str) -> None:
    talk.task = replace(talk.task, output_schema='{"age": "number", "name": "string"}')
    after_reading(talk)
    talk.server.answers(answering(endpoint, '{"age": 57}'), answering(endpoint, '{"age": 57, "name": "Ann"}'))

    assert await talk.model.conclude(talk.task, talk.history, {}) == {"age": 57, "name": "Ann"}
    assert "it lacks name" in str(talk.sent)


async def test_who_observed_nothing_has_no_output(talk: Any) -> None:
    assert await talk.model.conclude(talk.task, (a_step(talk.task.run_id),), {}) is None
    assert talk.server.asked == []
