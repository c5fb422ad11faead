"""The message history of a run: a view of its journal.

Messages only ever get appended while a run goes on, so a reader who polls sees each of them once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.steps import Detection, Step, StepState

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
    when it has ended, the result and the pictures it took. A run without steps has no messages yet.
    """
    return list(_messages(task_prompt, steps))


def _messages(task_prompt: str, steps: Sequence[Step]) -> Iterator[Message]:
    turn = 0
    for step in steps:
        if turn == 0:
            yield _message("user", [_text(task_prompt)], step.started_at, step)
        if step.turn != turn and step.screen is not None:
            yield _message("user", [_image(step.screen)], step.started_at, step)
        turn = step.turn
        thought = [_text(step.thought)] if step.thought else []
        yield _message("assistant", [*thought, _tool_use(step)], step.started_at, step)
        if step.state is StepState.STARTED:
            return  # the later calls of its turn are in the journal already, and have not begun
        shown = [_image(address) for address in step.images]
        yield _message("user", [_tool_result(step), *shown], step.finished_at or step.started_at, step)


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
    return {
        "type": "tool_result",
        "tool_use_id": str(step.id),
        "tool_result": _result_text(step.result or {}),
        "error": step.error,
    }


def _result_text(result: JsonObject) -> str:
    text = result.get("text")
    if isinstance(text, str):
        return text
    told = {name: value for name, value in result.items() if value not in (None, {}, [])}
    return json.dumps(told, ensure_ascii=False) if told else ""
