"""The models of a run in their order: the main agent, then its fallbacks.

Each is asked again while its failure may pass, as often and as long as its configuration says. When its
provider still gives no answer, the next one takes over for the rest of the run, and the history says so. What
a model itself says, a refusal too, is its answer: nobody takes over from that.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

import structlog

from cyberdesk_server.domain.check_verdicts import Judgement, Question
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.recordings import RecordedTurn
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Step, ToolCall, Turn
from cyberdesk_server.domain.tasks import Refusal, Task
from cyberdesk_server.executor.asking import LONGEST_PAUSE_SECONDS, patiently
from cyberdesk_server.ports import (
    Clock,
    Comparer,
    Comparison,
    Model,
    ModelError,
    ModelUnavailable,
    Retrace,
    Retracer,
)

T = TypeVar("T")

log = structlog.get_logger(__name__)

Prepare = Callable[[], Awaitable[None]]


async def _nothing_to_prepare() -> None:
    return


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model, and how patiently it is asked."""

    name: str
    """Of its configuration."""

    model: Model
    attempts: int
    """At least 1."""

    timeout_seconds: float
    """Of one attempt."""

    prepare: Prepare = _nothing_to_prepare
    """Awaited before the first attempt, outside of its time: loading a library is no fault of a provider."""

    @property
    def longest_seconds(self) -> float:
        """Until it has answered or failed for good."""
        return self.attempts * (self.timeout_seconds + LONGEST_PAUSE_SECONDS)


NOBODY: Mapping[UUID, Candidate] = MappingProxyType({})


class ModelsInOrder:
    """A `ports.Model` that asks the first of its candidates which gives answers."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        clock: Clock,
        refusals: Sequence[Refusal] = (),
        *,
        comparer: Candidate | None = None,
        judges: Mapping[UUID, Candidate] = NOBODY,
    ) -> None:
        """With `refusals` it can do no task, and needs no candidates.

        `comparer` and `judges`, by their configurations, do what they are named for in the place of those who
        drive the run.
        """
        self._candidates = candidates
        self._clock = clock
        self._refusals = refusals
        self._comparer = comparer
        self._judges = judges
        self._position = 0

    @property
    def longest_seconds(self) -> float:
        """Until one has answered or all have failed."""
        others = [*self._judges.values(), *([self._comparer] if self._comparer else [])]
        return max(
            sum(candidate.longest_seconds for candidate in self._candidates),
            *(other.longest_seconds for other in others),
            0.0,
        )

    def check(self, task: Task) -> Sequence[Refusal]:
        return self._refusals or self._current.model.check(task)

    def has_finished(self, task: Task, history: Sequence[Step]) -> bool:
        return self._current.model.has_finished(task, history)

    async def next_turn(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        screenshot: Screenshot,
    ) -> Turn:
        before = self._position
        turn, failures = await self._first_answer(
            lambda model: model.next_turn(task, history, runtime_values, screenshot)
        )
        if self._position == before:
            return turn
        said = f"({'; '.join(failures)}. {self._current.name} takes over.)"
        return replace(turn, thought="\n".join([said, *([turn.thought] if turn.thought else [])]))

    async def extract(self, instruction: str, task: Task, screenshot: Screenshot) -> Observation:
        observation, _ = await self._first_answer(lambda model: model.extract(instruction, task, screenshot))
        return observation

    async def judge(self, question: Question) -> Judgement:
        if self._refusals:
            raise ModelError("; ".join(map(str, self._refusals)))
        judge = self._judges.get(question.model) if question.model else None
        return await self._answer_of(judge, lambda model: model.judge(question))

    async def compare(
        self, instructions: str, call: ToolCall, recorded: Screenshot, current: Screenshot
    ) -> Comparison:
        """Raises `ModelError` when a model that acts cannot compare screens."""

        async def ask(model: Model) -> Comparison:
            if not isinstance(model, Comparer):
                raise ModelError("the model cannot compare screens")
            return await model.compare(instructions, call, recorded, current)

        return await self._answer_of(self._comparer, ask)

    async def conclude(
        self, task: Task, history: Sequence[Step], runtime_values: Mapping[str, JsonValue]
    ) -> JsonObject | None:
        output, _ = await self._first_answer(lambda model: model.conclude(task, history, runtime_values))
        return output

    @property
    def _current(self) -> Candidate:
        return self._candidates[self._position]

    async def _answer_of(self, other: Candidate | None, ask: Callable[[Model], Coroutine[Any, Any, T]]) -> T:
        """The answer of that model; without one, of those who drive the run."""
        if other is not None:
            return await self._patiently(other, ask)
        answer, _ = await self._first_answer(ask)
        return answer

    async def _patiently(self, candidate: Candidate, ask: Callable[[Model], Coroutine[Any, Any, T]]) -> T:
        await candidate.prepare()
        return await patiently(
            partial(ask, candidate.model),
            attempts=candidate.attempts,
            timeout_seconds=candidate.timeout_seconds,
            sleep=self._clock.sleep,
            name=candidate.name,
        )

    async def _first_answer(self, ask: Callable[[Model], Coroutine[Any, Any, T]]) -> tuple[T, Sequence[str]]:
        """The answer, and why those who were asked before gave none."""
        failures: list[str] = []
        while True:
            try:
                return await self._patiently(self._current, ask), failures
            except ModelUnavailable as error:
                failures.append(str(error))
                if self._position + 1 == len(self._candidates):
                    # Everybody was asked often enough: the executor need not begin anew.
                    raise ModelUnavailable("; ".join(failures)) from error
                self._position += 1
                log.warning("a model was given up", reason=str(error), next=self._current.name)


class ModelsOnTheirWay(ModelsInOrder):
    """The same for a first model that knows its way (`ports.Retracer`): nobody ever takes over from it."""

    def retrace(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        recorded: RecordedTurn | None,
    ) -> Retrace:
        return self._way.retrace(task, history, runtime_values, recorded)

    async def retrace_on(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        recorded: RecordedTurn | None,
        screenshot: Screenshot,
    ) -> bool:
        return await self._way.retrace_on(task, history, runtime_values, recorded, screenshot)

    @property
    def _way(self) -> Retracer:
        model = self._current.model
        assert isinstance(model, Retracer)
        return model
