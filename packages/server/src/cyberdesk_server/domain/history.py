"""The message history of a run: a view of its journal.

Messages only ever get appended while a run goes on, so a reader who polls sees each of them once.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.steps import (
    BEING_READ,
    MADE_OF_STEPS,
    Detection,
    Step,
    StepState,
    course,
    is_read_later,
    read_later_at,
)

Message = Mapping[str, JsonValue]


def message_history(task_prompt: str, steps: Sequence[Step]) -> list[Message]:
    """What was said and done, as the contract's `run_message_history`.

    `{"role": "user" | "assistant", "content": [block, …], "timestamp": …, "step_kind": "agentic" | "cached"}`
    and, from the assistant where a recorded turn was compared with the screen,
    `"cache_detection": {"verdict": "hit" | "miss", "reason", "milliseconds", "trajectory_id", "step"}`;
    with the blocks

    - `{"type": "text", "text"}`
    - `{"type": "image", "image_url": "supabase://…"}`
    - `{"type": "tool_use", "tool_use_id", "tool_name", "tool_input"}`; `tool_input` are the arguments and,
      when it is known, `target`: left, top, right, bottom in real pixels
    - `{"type": "tool_result", "tool_use_id", "tool_result", "error"}`

    First the prompt; then for each step the screen its turn was decided on, the thought and the call, and,
    when it has ended, the result and the pictures it took. What a step was made of stands between its call
    and its result. A result that came later, because it was read in the background, is a message of its own.
    A run without steps has no messages yet.
    """
    if not steps:
        return []
    told = [_message("user", [_text(task_prompt)], steps[0].started_at, steps[0])]
    told += _course(None, steps)
    return _with_late_results(told, steps)


def _course(within: StepId | None, steps: Sequence[Step]) -> Iterator[Message]:
    turn = 0
    for step in course(steps, within):
        if step.turn != turn and step.screen is not None:
            yield _message("user", [_image(step.screen)], step.started_at, step)
        turn = step.turn
        thought = [_text(step.thought)] if step.thought else []
        yield _message("assistant", [*thought, _tool_use(step)], step.started_at, step)
        if step.call.tool in MADE_OF_STEPS:
            yield from _course(step.id, steps)
        if step.state is StepState.STARTED:
            return  # the later calls of its turn are in the journal already, and have not begun
        shown = [_image(address) for address in step.images]
        yield _message("user", [_tool_result(step), *shown], step.finished_at or step.started_at, step)


def _with_late_results(told: list[Message], steps: Sequence[Step]) -> list[Message]:
    """The messages, with each result that came later where it came."""
    late = [
        _message("user", [_late_result(step)], came_at, step)
        for step in steps
        if (came_at := read_later_at(step)) is not None
    ]
    for message in sorted(late, key=_when):
        told.insert(bisect_right(told, _when(message), key=_when), message)
    return told


def _when(message: Message) -> str:
    return str(message["timestamp"])


def _message(role: str, content: list[JsonObject], at: datetime, step: Step) -> Message:
    message: dict[str, JsonValue] = {
        "role": role,
        "content": content,
        "timestamp": at.isoformat(),
        "step_kind": "cached" if step.is_cached else "agentic",
    }
    if role == "assistant" and step.detection is not None:
        message["cache_detection"] = _told(step.detection)
    return message


def _told(detection: Detection) -> JsonObject:
    return {
        "verdict": "hit" if detection.is_hit else "miss",
        "reason": detection.reason,
        "milliseconds": detection.milliseconds,
        "trajectory_id": str(detection.trajectory_id),
        "step": detection.step,
    }


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": text}


def _image(address: str) -> JsonObject:
    return {"type": "image", "image_url": address}


def _tool_use(step: Step) -> JsonObject:
    tool_input = dict(step.call.arguments)
    if step.call.target is not None:
        tool_input["target"] = step.call.target.edges
    return {
        "type": "tool_use",
        "tool_use_id": str(step.id),
        "tool_name": step.call.tool,
        "tool_input": tool_input,
    }


def _tool_result(step: Step) -> JsonObject:
    if is_read_later(step):
        return _result(step, BEING_READ, None)
    return _result(step, _result_text(step.result or {}), step.error)


def _late_result(step: Step) -> JsonObject:
    return _result(step, _result_text(step.result or {}), step.error)


def _result(step: Step, text: str, error: str | None) -> JsonObject:
    return {"type": "tool_result", "tool_use_id": str(step.id), "tool_result": text, "error": error}


def _result_text(result: JsonObject) -> str:
    text = result.get("text")
    if isinstance(text, str):
        return text
    told = {name: value for name, value in result.items() if value not in (None, {}, [])}
    return json.dumps(told, ensure_ascii=False) if told else ""
