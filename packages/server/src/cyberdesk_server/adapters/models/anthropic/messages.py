"""A question as a request of Anthropic's Messages API, and its answer read.

    system            the rules: the first place a cache ends
    user              the task, its pictures, the screen
    assistant, user   for each turn: its own blocks as they came, then a result for each of its calls and,
                      in the last one, the screen after it

A cache ends behind the rules, behind the last screen that was left out (while all are there: behind the
task), and behind the last two messages. The next question begins with all of that, and one that leaves more
screens out with all but the last two. One that cuts long results begins with what comes before them.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from cyberdesk_server.adapters.models.anthropic.actions import (
    FAMILY,
    NOT_OFFERED,
    REPLACED,
    TOOLSET,
    our_call,
    pointer_after,
)
from cyberdesk_server.adapters.models.conversation import Answer, Part, Past, Picture, Question, Tokens
from cyberdesk_server.adapters.models.words import LEFT_OUT, UNCHANGED
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.ports import ModelError

if TYPE_CHECKING:
    from anthropic.types import (
        ContentBlockParam,
        Message,
        MessageParam,
        TextBlockParam,
        ToolResultBlockParam,
        ToolUnionParam,
        Usage,
    )
    from anthropic.types.tool_result_block_param import Content

TASK_END = -2
"""In the first message: the screen is behind it."""

Block = dict[str, Any]
"""A content block as JSON."""


def messages(question: Question) -> "list[MessageParam]":
    """The conversation."""
    said: list[MessageParam] = [{"role": "user", "content": [_block(part) for part in question.opening]}]
    last_left_out = None
    for past in question.past:
        if past.memo is None:
            heard: list[Any] = [_text(f"Done before:\n{past.told}"), *_seen(past)]
        else:
            blocks = _own_blocks(past.memo)
            said.append({"role": "assistant", "content": cast("list[ContentBlockParam]", blocks)})
            heard = list(_results(blocks, past))
        if past.screen is None:
            last_left_out = len(said)
        said.append({"role": "user", "content": heard})
    if question.screen_size is not None:  # a single question is never repeated
        _mark_ends(said, last_left_out)
    return said


def system(question: Question) -> "list[TextBlockParam]":
    """The rules. With the tools, which come before them, they are the same for every question of a run."""
    return [{"type": "text", "text": question.system, "cache_control": {"type": "ephemeral"}}]


def tools(question: Question) -> "list[ToolUnionParam]":
    """The provider's own computer tools, and those of ours they have no counterpart for."""
    drives = question.screen_size is not None
    offered: list[ToolUnionParam] = []
    if drives:
        configs = {name: {"enabled": False} for name in NOT_OFFERED}
        offered.append(cast("ToolUnionParam", {"type": TOOLSET, "configs": configs}))
    offered += [
        {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
        for tool in question.tools
        if not (drives and tool.name in REPLACED)
    ]
    return offered


def answer_of(message: "Message", question: Question) -> Answer:
    """What the model said. `ModelError` when it refused, was cut off, or ran out of room."""
    _refuse_unfinished(message)
    blocks: list[Block] = [block.to_dict(mode="json") for block in message.content]
    calls: list[ToolCall] = []
    for block in blocks:
        if block["type"] == "tool_use":
            calls.append(_call(block, question, calls))
    text = "\n".join(str(block["text"]) for block in blocks if block["type"] == "text").strip()
    kept = [block for block in blocks if not _is_empty(block)]
    return Answer(text, tuple(calls), {"blocks": kept, "thoughts": [_digest(block) for block in kept]})


def tokens_of(usage: "Usage") -> Tokens:
    written = usage.cache_creation
    for_an_hour = written.ephemeral_1h_input_tokens if written else 0
    details = usage.output_tokens_details
    return Tokens(
        uncached_input=usage.input_tokens,
        cache_read=usage.cache_read_input_tokens or 0,
        cache_write_5m=(usage.cache_creation_input_tokens or 0) - for_an_hour,
        cache_write_1h=for_an_hour,
        output=usage.output_tokens,
        reasoning=details.thinking_tokens if details else 0,
    )


def _mark_ends(said: "list[MessageParam]", last_left_out: int | None) -> None:
    heard = [place for place, message in enumerate(said) if message["role"] == "user"]
    marks = {
        (0, TASK_END) if last_left_out is None else (last_left_out, -1),
        *((end, -1) for end in heard[-2:]),
    }
    for place, block in marks:
        cast(list[Block], said[place]["content"])[block]["cache_control"] = {"type": "ephemeral"}


def _refuse_unfinished(message: "Message") -> None:
    match message.stop_reason:
        case "refusal":
            details = message.stop_details
            why = (details.explanation or details.category) if details else None
            raise ModelError(f"{message.model} refused to go on" + (f": {why}" if why else ""))
        case "max_tokens":
            raise ModelError(
                f"the answer of {message.model} was cut off: its configuration's max_tokens are too few"
            )
        case "model_context_window_exceeded":
            raise ModelError(f"the run has become too long for {message.model}")


def _call(block: Block, question: Question, before: Sequence[ToolCall]) -> ToolCall:
    if block.get("toolset_name") != FAMILY:
        return ToolCall(block["name"], block["input"])
    return our_call(block["name"], block["input"], pointer_after(before) or _pointer(question))


def _pointer(question: Question) -> Any:
    """Where the turns so far left the pointer, as far as they were this model's own."""
    calls: list[ToolCall] = []
    for past in question.past:
        for block in _uses(past.memo["blocks"]) if past.memo else ():
            calls.append(our_call(block["name"], block["input"], pointer_after(calls)))
    return pointer_after(calls)


def _own_blocks(memo: JsonObject) -> list[Block]:
    """The blocks as the model gave them.

    A thought is signed. When it told a secret that stood on the screen, the journal has masked it: it is not
    what was signed any more, and is left away.
    """
    blocks, thoughts = cast(list[Block], memo["blocks"]), cast(list[str], memo["thoughts"])
    return [block for block, digest in zip(blocks, thoughts, strict=True) if _digest(block) == digest]


def _digest(block: Block) -> str:
    """Of a thought; every other block has the same."""
    return sha256(str(block.get("thinking", "")).encode()).hexdigest()


def _uses(blocks: Any) -> list[Block]:
    return [block for block in blocks if block["type"] == "tool_use"]


def _results(blocks: Sequence[Block], past: Past) -> "Iterator[ToolResultBlockParam]":
    uses = _uses(blocks)
    for position, (use, result) in enumerate(zip(uses, past.results, strict=True), start=1):
        content: list[Content] = [_text(result.text), *(_picture(one) for one in result.pictures)]
        if position == len(uses):
            content += _seen(past)
        block: ToolResultBlockParam = {"type": "tool_result", "tool_use_id": use["id"], "content": content}
        if result.is_error:
            block["is_error"] = True
        if use.get("toolset_name"):
            block["toolset_name"] = use["toolset_name"]
        yield block


def _seen(past: Past) -> "list[Content]":
    if past.screen is None:
        return [_text(LEFT_OUT)]
    return [_text(UNCHANGED)] if past.is_unchanged else [_picture(past.screen)]


def _block(part: Part) -> Any:
    return _text(part) if isinstance(part, str) else _picture(part)


def _text(text: str) -> Any:
    return {"type": "text", "text": text}


def _picture(picture: Picture) -> Any:
    source = {"type": "base64", "media_type": picture.media_type, "data": picture.base64}
    return {"type": "image", "source": source}


def _is_empty(block: Block) -> bool:
    """True for a text the API gives and does not take back."""
    return block["type"] == "text" and not block["text"].strip()
