"""What happened in a run? Its message history, as the API gives it, turned into steps that a page can show.

The history is a list of messages `{role, content, timestamp}`; the blocks of `content` are texts, images
(`image_url: "supabase://…"`), calls of tools (`tool_use`) and their answers (`tool_result`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where on its screen a step aimed, in pixels: a box, or a point when both its sides are 0."""

    left: int
    top: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One tool call, or words without one."""

    words: str = ""
    """What the model said before it acted."""
    tool: str = ""
    """Empty for words alone."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[str, ...] = ()
    """What the tool answered: what it read, or why it failed."""
    has_failed: bool = False
    screen: str | None = None
    """Address of the screenshot that was on the desk when the step was decided."""
    marks: tuple[Mark, ...] = ()
    is_cached: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took, when both ends are known."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def title(self) -> str:
        """One line for a list: the words if there are any, what it was to read, otherwise the call."""
        return self.words or str(self.arguments.get("extract_prompt", "")) or self.call

    @property
    def call(self) -> str:
        """The call as it would be written: `click(x=120, y=48)`."""
        if not self.tool:
            return ""
        return (
            f"{self.tool}({', '.join(f'{name}={_short(value)}' for name, value in self.arguments.items())})"
        )


@dataclass(frozen=True, slots=True)
class Story:
    """One run, ready to be shown."""

    run_id: str
    status: str
    workflow: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    output: Any = None
    errors: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    steps: tuple[Step, ...] = ()

    @property
    def seconds(self) -> float | None:
        """How long the run took, when both ends are known."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()

    @property
    def screens(self) -> tuple[str, ...]:
        """The address of every screenshot the steps show, each once, in the order of the steps."""
        return tuple(dict.fromkeys(step.screen for step in self.steps if step.screen))


def steps_of(history: Iterable[Block]) -> tuple[Step, ...]:
    """The steps of a message history, in order. What the history leaves out stays empty."""
    reader = _Reader()
    for message in history:
        reader.read(message)
    return reader.finished()


def marks_of(target: object, arguments: Mapping[str, Any]) -> tuple[Mark, ...]:
    """Where a call aims: the target's box when it is known, else the points among its arguments."""
    match target:
        case [int() as left, int() as top, int() as right, int() as bottom]:
            return (Mark(left, top, right - left, bottom - top),)
    points = (("x", "y"), ("start_x", "start_y"), ("to_x", "to_y"))
    return tuple(
        Mark(arguments[x], arguments[y])
        for x, y in points
        if isinstance(arguments.get(x), int) and isinstance(arguments.get(y), int)
    )


class _Reader:
    """Walks through the messages; a call is open until its answer or the next call comes."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._index_by_call_id: dict[str, int] = {}
        self._words: list[str] = []
        self._screen: str | None = None
        self._now: datetime | None = None

    def read(self, message: Block) -> None:
        self._now = moment(message.get("timestamp")) or self._now
        is_cached = message.get("step_kind") == "cached"
        for block in _blocks(message.get("content")):
            match block.get("type"):
                case "text" if message.get("role") == "assistant":
                    self._words.append(str(block.get("text", "")).strip())
                case "image":
                    self._screen = _address(block)
                case "tool_use":
                    self._begin(block, is_cached=is_cached)
                case "tool_result":
                    self._answer(block)

    def finished(self) -> tuple[Step, ...]:
        if any(self._words):
            self._steps.append(
                Step(words=self._spoken(), screen=self._screen, started_at=self._now, ended_at=self._now)
            )
        return tuple(self._steps)

    def _begin(self, block: Block, *, is_cached: bool) -> None:
        arguments = dict(_mapping(block.get("tool_input")))
        target = arguments.pop("target", None)
        self._index_by_call_id[str(block.get("tool_use_id"))] = len(self._steps)
        self._steps.append(
            Step(
                words=self._spoken(),
                tool=str(block.get("tool_name", "")),
                arguments=arguments,
                screen=self._screen,
                marks=marks_of(target, arguments),
                is_cached=is_cached,
                started_at=self._now,
            )
        )

    def _answer(self, block: Block) -> None:
        index = self._index_by_call_id.get(str(block.get("tool_use_id")))
        if index is None:
            return
        told = (block.get("tool_result"), block.get("error"))
        self._steps[index] = replace(
            self._steps[index],
            answers=tuple(str(text).strip() for text in told if text),
            has_failed=bool(block.get("error")),
            ended_at=self._now,
        )

    def _spoken(self) -> str:
        words, self._words = "\n".join(filter(None, self._words)), []
        return words


def moment(value: object) -> datetime | None:
    """A time as the history and the SDK give it (ISO text or a `datetime`); None for anything else."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _blocks(content: object) -> Iterator[Block]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, Sequence):
        yield from (block for block in content if isinstance(block, Mapping))


def _address(image: Block) -> str | None:
    address = image.get("image_url")
    return address if isinstance(address, str) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
