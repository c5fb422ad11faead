"""A question as a request of chat completions, which many servers speak, and its answer read.

    system            the rules
    user              the task, its pictures, the screen
    for each turn     the assistant's words and calls, a result for each call, and the screen after it

There is no computer tool: our tools are functions. Results hold texts only, pictures follow as the user's.
"""

import json
from typing import TYPE_CHECKING, Any, cast

from cyberdesk_server.adapters.models.conversation import Answer, Part, Past, Picture, Question, Tokens
from cyberdesk_server.adapters.models.openai.arguments import parsed
from cyberdesk_server.adapters.models.words import LEFT_OUT, UNCHANGED
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.ports import ModelError

if TYPE_CHECKING:
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletion, ChatCompletionMessageParam, ChatCompletionToolUnionParam

Json = dict[str, Any]


def messages(question: Question) -> "list[ChatCompletionMessageParam]":
    """The conversation."""
    said: list[Json] = [
        {"role": "system", "content": question.system},
        {"role": "user", "content": [_part(part) for part in question.opening]},
    ]
    for past in question.past:
        said += _turn(past)
    return cast("list[ChatCompletionMessageParam]", said)


def tools(question: Question) -> "list[ChatCompletionToolUnionParam]":
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters),
            },
        }
        for tool in question.tools
    ]


def answer_of(completion: "ChatCompletion", question: Question) -> Answer:
    """What the model said. `ModelError` when it refused or was cut off."""
    choice = completion.choices[0]
    message = choice.message
    if message.refusal or choice.finish_reason == "content_filter":
        why = message.refusal or "a content filter stopped it"
        raise ModelError(f"{completion.model} refused to go on: {why}")
    if choice.finish_reason == "length":
        raise ModelError(
            f"the answer of {completion.model} was cut off: its configuration's max_tokens are too few"
        )
    text = (message.content or "").strip()
    calls, kept = list[ToolCall](), list[Json]()
    for number, asked in enumerate(message.tool_calls or (), start=1):
        if asked.type != "function":
            continue
        arguments = parsed(asked.function.arguments)
        calls.append(ToolCall(asked.function.name, arguments))
        # Some servers give no ids, or the same twice; some read the arguments again, so they are JSON now.
        call_id = f"call_{len(question.past) + 1}_{number}"
        function = {"name": asked.function.name, "arguments": json.dumps(dict(arguments), ensure_ascii=False)}
        kept.append({"id": call_id, "type": "function", "function": function})
    return Answer(text, tuple(calls), {"content": text, "tool_calls": kept})


def tokens_of(usage: "CompletionUsage | None") -> Tokens:
    """None, which some servers send, counts as nothing."""
    if usage is None:
        return Tokens()
    sent, answered = usage.prompt_tokens_details, usage.completion_tokens_details
    read = (sent.cached_tokens if sent else None) or 0
    written = (sent.cache_write_tokens if sent else None) or 0
    return Tokens(
        uncached_input=max(usage.prompt_tokens - read - written, 0),
        cache_read=read,
        cache_write_5m=written,
        output=usage.completion_tokens,
        reasoning=(answered.reasoning_tokens if answered else None) or 0,
    )


def _turn(past: Past) -> list[Json]:
    if past.memo is None:
        return [{"role": "user", "content": [_text(f"Done before:\n{past.told}"), _seen(past)]}]
    calls = cast(list[Json], past.memo["tool_calls"])
    own = {"role": "assistant", "content": past.memo["content"] or None, "tool_calls": calls}
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": result.text}
        for call, result in zip(calls, past.results, strict=True)
    ]
    taken = [_image(picture) for result in past.results for picture in result.pictures]
    return [own, *results, {"role": "user", "content": [*taken, _seen(past)]}]


def _seen(past: Past) -> Json:
    if past.screen is None:
        return _text(LEFT_OUT)
    return _text(UNCHANGED) if past.is_unchanged else _image(past.screen)


def _part(part: Part) -> Json:
    return _text(part) if isinstance(part, str) else _image(part)


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _image(picture: Picture) -> Json:
    return {"type": "image_url", "image_url": {"url": picture.url}}
