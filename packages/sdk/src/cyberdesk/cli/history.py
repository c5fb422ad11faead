"""What a run did, as lines that people read: its message history, one step after the other."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cyberdesk import RunResponse
from cyberdesk.cli.printing import duration
from cyberdesk.types import ChatMessage, MessageContentBlock

LONGEST_VALUE = 60
"""Characters of an argument or an answer that one line shows."""

_TITLE_COLUMN = 25
"""Where the words of a step begin: after its number, its time and how long it took."""


@dataclass(frozen=True)
class Step:
    """One call of a tool with what came of it, or words without a call."""

    words: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    answer: str = ""
    error: str = ""
    is_replayed: bool = False
    is_over: bool = False
    started_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None

    @property
    def call(self) -> str:
        """`click(x=120, y=48)`; "" for words without a call."""
        if not self.tool:
            return ""
        return (
            f"{self.tool}({', '.join(f'{name}={_short(value)}' for name, value in self.arguments.items())})"
        )

    @property
    def outcome(self) -> str:
        """` -> what it answered`, ` failed: why`, or nothing."""
        if self.error:
            return f" failed: {_short(self.error)}"
        return f" -> {_short(self.answer)}" if self.answer else ""

    def line(self, number: int) -> str:
        """The step on one line: number, time, length, what was done, what came of it."""
        at = f"{self.started_at.astimezone(dt.timezone.utc):%H:%M:%S}" if self.started_at else ""
        took = duration(self.started_at, self.ended_at)
        replayed = " (replayed)" if self.is_replayed else ""
        title = _one_line(self.words) or self.call
        return f"{number:>3}  {at:8}  {took:>8}  {title}{replayed}{self.outcome}"

    def lines(self, number: int) -> list[str]:
        """The same, and below it the call when words stand for it on the first line."""
        call = [f"{'':{_TITLE_COLUMN}}{self.call}"] if self.words and self.tool else []
        return [self.line(number), *call]


def steps_of(run: RunResponse) -> Sequence[Step]:
    """The steps of a run so far, oldest first. What the history leaves out stays empty."""
    messages = [ChatMessage.from_dict(message) for message in run.run_message_history or ()]
    return _read(messages)


def _read(messages: Iterable[ChatMessage]) -> Sequence[Step]:
    steps: list[Step] = []
    index_by_call: dict[str | None, int] = {}
    words: list[str] = []
    now: dt.datetime | None = None
    for message in messages:
        now = _moment(message.timestamp) or now
        for block in message.content:
            match block.type:
                case "text" if message.role == "assistant" and block.text:
                    words.append(block.text)
                case "tool_use":
                    index_by_call[block.tool_use_id] = len(steps)
                    steps.append(_begun(block, words, message, now))
                    words = []
                case "tool_result" if block.tool_use_id in index_by_call:
                    index = index_by_call[block.tool_use_id]
                    steps[index] = replace(
                        steps[index],
                        answer=block.tool_result or "",
                        error=block.error or "",
                        is_over=True,
                        ended_at=now,
                    )
    if words:
        steps.append(Step(words="\n".join(words), is_over=True, started_at=now, ended_at=now))
    return steps


def _begun(
    block: MessageContentBlock, words: list[str], message: ChatMessage, now: dt.datetime | None
) -> Step:
    arguments = {name: value for name, value in (block.tool_input or {}).items() if name != "target"}
    return Step(
        words="\n".join(words),
        tool=block.tool_name or "",
        arguments=arguments,
        is_replayed=message.get("step_kind") == "cached",
        started_at=now,
    )


def _moment(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    try:
        moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def _short(value: object) -> str:
    text = _one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(text.split())
