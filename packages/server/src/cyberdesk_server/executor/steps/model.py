"""The model `steps`: follows a prompt written as steps, one sentence a turn.

Everything it remembers between turns is a `Cursor` in the turn's memo; what comes next is a pure function of
the prompt, that cursor, the values read so far and the screen.

    next_turn
     +-- _after_failure     what the last turn could not do
     +-- Follower.turn      operations until one needs the desktop
          +-- calls.calls_of      a sentence as tool calls
          +-- Follower._waiting   a label that is not there yet
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from cyberdesk_server.domain.check_verdicts import Judgement, Question
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.recordings import RecordedTurn
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Step, StepState, Turn, is_read_later
from cyberdesk_server.domain.tasks import Refusal, Task
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.executor.steps.checks import refusals_of
from cyberdesk_server.executor.steps.course import Course
from cyberdesk_server.executor.steps.cursor import Cursor
from cyberdesk_server.executor.steps.language import Do, Script
from cyberdesk_server.executor.steps.outputs import fitted, nested
from cyberdesk_server.executor.steps.program import Jump, Program, program_of
from cyberdesk_server.executor.steps.readings import reading_of, with_things
from cyberdesk_server.executor.steps.script import script_of
from cyberdesk_server.executor.steps.targets import thing_with_texts
from cyberdesk_server.executor.steps.unreadable import NotReadable
from cyberdesk_server.executor.steps.values import Values
from cyberdesk_server.ports import ModelError, Retrace

if TYPE_CHECKING:
    from cyberdesk_server.executor.reading.sight import Sight

T = TypeVar("T")

DEFAULT_PATIENCE_SECONDS = 10.0
"""How long a label may take to appear before the run ends with an error."""


@lru_cache(maxsize=64)
def _script(prompt: str) -> Script:
    return script_of(prompt)


@lru_cache(maxsize=64)
def _program(prompt: str) -> Program:
    return program_of(_script(prompt))


class StepsModel:
    """A `ports.Model` that needs no key and no network."""

    def __init__(
        self, reader: ScreenReader | None = None, *, patience_seconds: float = DEFAULT_PATIENCE_SECONDS
    ) -> None:
        self._reader = reader or ScreenReader()
        self._patience_seconds = patience_seconds

    def check(self, task: Task) -> Sequence[Refusal]:
        """The lines that are no steps, and the values, pictures and names that are not right."""
        return refusals_of(_script(task.prompt), task)

    def has_finished(self, task: Task, history: Sequence[Step]) -> bool:
        """True behind the last sentence."""
        if not history or any(_has_failed(step) for step in _last_turn(history)):
            return False
        program = _program(task.prompt)
        position = Cursor.of(history[-1].memo).position
        while position < len(program) and isinstance(jump := program[position], Jump):
            position = jump.to
        return position >= len(program)

    async def next_turn(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        screenshot: Screenshot,
    ) -> Turn:
        """The tool calls of the next sentence. `ModelError` when what it talks about is not on the screen."""
        program = _program(task.prompt)
        history = _without_failed_replay(history)
        cursor = Cursor.of(history[-1].memo) if history else Cursor()
        last_turn = _last_turn(history)
        if any(_has_failed(step) for step in last_turn):
            cursor = _after_failure(program, cursor, last_turn)

        def follow(sight: "Sight") -> Turn:
            from cyberdesk_server.executor.steps.following import Follower

            course = Course(program, task.inputs, runtime_values)
            return Follower(course, task, sight, self._patience_seconds).turn(cursor, last_turn)

        return await self._look(screenshot, follow)

    def retrace(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        recorded: RecordedTurn | None,
    ) -> Retrace:
        """Whether the recorded turn was made for the place of the program the run is at."""
        from cyberdesk_server.executor.steps.retracing import retraced

        if any(_has_failed(step) for step in _last_turn(history)):
            return Retrace.NEVER
        cursor = Cursor.of(history[-1].memo) if history else Cursor()
        course = Course(_program(task.prompt), task.inputs, runtime_values)
        return retraced(course, cursor, _last_turn(history), recorded)

    async def retrace_on(
        self,
        task: Task,
        history: Sequence[Step],
        runtime_values: Mapping[str, JsonValue],
        recorded: RecordedTurn | None,
        screenshot: Screenshot,
    ) -> bool:
        """Whether the program gets there on this screen: its conditions and waits are looked at."""
        cursor = Cursor.of(history[-1].memo) if history else Cursor()
        course = Course(_program(task.prompt), task.inputs, runtime_values)

        def arrive(sight: "Sight") -> bool:
            from cyberdesk_server.executor.steps.following import Follower
            from cyberdesk_server.executor.steps.retracing import has_arrived

            follower = Follower(course, task, sight, self._patience_seconds)
            return has_arrived(follower.arrive(cursor, _last_turn(history)), recorded, len(course.program))

        return await self._look(screenshot, arrive)

    async def extract(self, instruction: str, task: Task, screenshot: Screenshot) -> Observation:
        """What a reading sentence asks for. `ModelError` when it is none, or when its label is not there."""
        try:
            reading = reading_of(instruction)
        except NotReadable as problem:
            reason = f": {problem}" if str(problem) else ""
            raise ModelError(f"the steps model cannot read {instruction!r} from a screen{reason}") from None
        values = Values(task.inputs, {}, {})
        asked = with_things(reading, lambda thing: thing_with_texts(thing, values.filled))

        def read(sight: "Sight") -> Observation:
            from cyberdesk_server.executor.steps.extract import read as read_from
            from cyberdesk_server.executor.steps.following import ground_of
            from cyberdesk_server.executor.steps.grounding import NotFound

            try:
                return read_from(asked, ground_of(sight, task))
            except NotFound as problem:
                raise ModelError(str(problem)) from None

        return await self._look(screenshot, read)

    async def judge(self, question: Question) -> Judgement:
        raise ModelError("the model steps follows written steps; it cannot judge what a prompt describes")

    async def conclude(
        self, task: Task, history: Sequence[Step], runtime_values: Mapping[str, JsonValue]
    ) -> JsonObject | None:
        """What the steps read, as one object. `OutputDoesNotFit` when the output schema asks for another."""
        read: list[tuple[str, JsonValue]] = []
        for step in history:
            output = (step.result or {}).get("output")
            if step.state is StepState.DONE and isinstance(output, Mapping):
                read += output.items()
        return fitted(nested(read), task.output_schema) if read else None

    async def _look(self, screenshot: Screenshot, work: Callable[["Sight"], T]) -> T:
        from cyberdesk_server.executor.reading.sight import UnreadablePicture

        try:
            return await self._reader.work(screenshot, work)
        except UnreadablePicture as problem:
            raise ModelError(f"the screenshot cannot be read: {problem}") from problem


def _without_failed_replay(history: Sequence[Step]) -> Sequence[Step]:
    """The history without a replayed turn whose first call failed: nothing of it was done."""
    last_turn = _last_turn(history)
    if last_turn and last_turn[0].is_cached and _has_failed(last_turn[0]):
        return history[: -len(last_turn)]
    return history


def _has_failed(step: Step) -> bool:
    """Not a reading in the background: the run's end is told of that."""
    return step.state is StepState.FAILED and not is_read_later(step)


def _last_turn(history: Sequence[Step]) -> list[Step]:
    return [step for step in history if step.turn == history[-1].turn]


def _after_failure(program: Program, cursor: Cursor, turn: Sequence[Step]) -> Cursor:
    """Where to go on after a turn whose tool calls did not all work.

    A wait for a label that is not there yet fails when its time is up, and the screen is looked at once more.
    An optional step is passed over. `ModelError` for everything else.
    """
    failed = next(number for number, step in enumerate(turn) if _has_failed(step))
    if cursor.waits:
        return cursor
    # Several operations in one turn are readings, one call each; one operation may be several calls.
    position = cursor.position - cursor.covered + (failed if cursor.covered > 1 else 0)
    operation = program[position]
    assert isinstance(operation, Do)
    if operation.is_optional:
        return Cursor(position + 1, cursor.items)
    line = operation.line
    raise ModelError(f"line {line.number} ({line.text}): {turn[failed].error}")
