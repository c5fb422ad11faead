"""A question as a request of OpenAI's Responses API, and its answer read.

    instructions      the rules
    user              the task, its pictures, the screen
    for each turn     its own items as they came, the results of its calls, and the screen after it

Nothing is kept at OpenAI: every question carries the whole conversation, reasoning in encrypted form. A turn
whose screen is not shown any more is told in words, for the computer tool takes no result without a picture.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from cyberdesk_server.adapters.models.conversation import (
    Answer,
    Part,
    Past,
    Picture,
    Question,
    Result,
    Tokens,
)
from cyberdesk_server.adapters.models.openai.actions import REPLACED, our_calls
from cyberdesk_server.adapters.models.openai.arguments import parsed
from cyberdesk_server.adapters.models.words import UNCHANGED
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.ports import ModelError

if TYPE_CHECKING:
    from openai.types.responses import Response, ResponseInputItemParam, ResponseUsage, ToolParam

Item = dict[str, Any]
"""An item of input or output as JSON."""


def items(question: Question) -> "list[ResponseInputItemParam]":
    """The conversation."""
    said: list[Item] = [_message("user", *(_part(part, question) for part in question.opening))]
    for past in question.past:
        said += _retold(past, question) if past.memo is None or past.screen is None else _own(past, question)
    return cast("list[ResponseInputItemParam]", said)


def tools(question: Question) -> "list[ToolParam]":
    """The provider's own computer tool, and those of ours it has no counterpart for."""
    drives = question.screen_size is not None
    offered: list[ToolParam] = [{"type": "computer"}] if drives else []
    offered += [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
            "strict": False,  # strict schemas have no optional members
        }
        for tool in question.tools
        if not (drives and tool.name in REPLACED)
    ]
    return offered


def answer_of(response: "Response") -> Answer:
    """What the model said.

    `ModelError` when it refused, failed, was cut off, or asks for a person to look at what it is about to do:
    nobody watches a run.
    """
    _refuse_unfinished(response)
    output: list[Item] = [item.to_dict(mode="json") for item in response.output]
    calls, counts, words = list[ToolCall](), list[int](), list[str]()
    for item in output:
        match item:
            case {"type": "message"}:
                words += _words(item, response.model)
            case {"type": "computer_call" | "function_call"}:
                asked = _calls(item, response.model)
                calls += asked
                counts.append(len(asked))
    return Answer("\n".join(words).strip(), tuple(calls), {"items": output, "counts": counts})


def tokens_of(usage: "ResponseUsage") -> Tokens:
    details = usage.input_tokens_details
    read = (details.cached_tokens or 0) if details else 0
    written = getattr(details, "cache_write_tokens", None) or 0
    return Tokens(
        uncached_input=max(usage.input_tokens - read - written, 0),
        cache_read=read,
        cache_write_5m=written,
        output=usage.output_tokens,
        reasoning=usage.output_tokens_details.reasoning_tokens if usage.output_tokens_details else 0,
    )


def _refuse_unfinished(response: "Response") -> None:
    reason = response.incomplete_details.reason if response.incomplete_details else None
    if response.status == "incomplete" and reason == "content_filter":
        raise ModelError(f"{response.model} refused to go on: its content filter stopped it")
    if response.status == "incomplete":
        limit = "max_tokens are too few" if reason == "max_output_tokens" else f"{reason}"
        raise ModelError(f"the answer of {response.model} was cut off: its configuration's {limit}")
    if response.error is not None:
        passes = response.error.code in ("server_error", "rate_limit_exceeded")
        raise ModelError(f"{response.model} failed: {response.error.message}", is_retryable=passes)


def _words(message: Item, model: str) -> Iterator[str]:
    for piece in message["content"]:
        if piece["type"] == "refusal":
            raise ModelError(f"{model} refused to go on: {piece['refusal']}")
        yield str(piece.get("text", ""))


def _calls(item: Item, model: str) -> tuple[ToolCall, ...]:
    if item["type"] == "function_call":
        return (ToolCall(item["name"], parsed(item["arguments"])),)
    for check in item.get("pending_safety_checks") or ():
        why = check.get("message") or check.get("code") or check["id"]
        raise ModelError(f"{model} wants a person to confirm what it does next: {why}")
    actions = item.get("actions") or [item.get("action") or {"type": "screenshot"}]
    return tuple(call for action in actions for call in our_calls(action))


def _own(past: Past, question: Question) -> Iterator[Item]:
    assert past.memo is not None
    assert past.screen is not None
    own, counts = cast(list[Item], past.memo["items"]), iter(cast(list[int], past.memo["counts"]))
    yield from own
    results = iter(past.results)
    is_seen = False
    for item in own:
        if item["type"] not in ("computer_call", "function_call"):
            continue
        came = [next(results) for _ in range(next(counts))]
        if item["type"] == "function_call":
            output = _output(came, question)
            yield {"type": "function_call_output", "call_id": item["call_id"], "output": output}
            continue
        screenshot = {"type": "computer_screenshot", "image_url": past.screen.url}
        yield {"type": "computer_call_output", "call_id": item["call_id"], "output": screenshot}
        failed = [result.text for result in came if result.is_error]
        if failed:
            yield _message("user", _text("\n".join(failed)))
        zoomed = [picture for result in came for picture in result.pictures]
        if zoomed:
            yield _message("user", *(_image(picture, question) for picture in zoomed))
        is_seen = True
    if not is_seen:
        unchanged = _text(UNCHANGED)
        yield _message("user", unchanged if past.is_unchanged else _image(past.screen, question))


def _retold(past: Past, question: Question) -> Iterator[Item]:
    yield _message("user", _text(f"Done before:\n{past.told}"))
    if past.screen is not None:
        yield _message("user", _image(past.screen, question))


def _output(results: list[Result], question: Question) -> Any:
    text = "\n".join(result.text for result in results)
    pictures = [picture for result in results for picture in result.pictures]
    if not pictures:
        return text
    return [_text(text), *(_image(picture, question) for picture in pictures)]


def _message(role: str, *content: Item) -> Item:
    return {"type": "message", "role": role, "content": list(content)}


def _part(part: Part, question: Question) -> Item:
    return _text(part) if isinstance(part, str) else _image(part, question)


def _text(text: str) -> Item:
    return {"type": "input_text", "text": text}


def _image(picture: Picture, question: Question) -> Item:
    # A picture to act on must not be made smaller on the way: places would be wrong.
    detail = "original" if question.screen_size is not None else "auto"
    return {"type": "input_image", "image_url": picture.url, "detail": detail}
