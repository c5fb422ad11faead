"""Follows a prompt on painted screens: the executor's loop without a desktop, a store and time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from cyberdesk_server.domain.ids import OrganizationId, RunId, StepId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import fill
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Step, StepState, ToolCall
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.reading.reader import ScreenReader
from cyberdesk_server.executor.steps.model import StepsModel
from cyberdesk_server.executor.tools import specs
from cyberdesk_server.ports import ModelError

Screen = Callable[[Sequence[ToolCall]], Screenshot]
"""What a desktop shows after these calls."""

_RUN = RunId(UUID(int=1))
_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_MOST_TURNS = 300


def a_task(
    prompt: str,
    inputs: JsonObject | None = None,
    *,
    secret_names: frozenset[str] = frozenset(),
    pictures: Mapping[str, bytes] | None = None,
    output_schema: str | None = None,
) -> Task:
    """A task with this prompt and what it needs."""
    return Task(
        _RUN,
        OrganizationId("org_test"),
        prompt,
        inputs or {},
        secret_names,
        output_schema=output_schema,
        pictures=pictures or {},
        tools=specs(None, includes_file_exports=True),
    )


@dataclass
class Followed:
    """What came of a prompt."""

    history: list[Step] = field(default_factory=list)
    output: JsonObject | None = None
    error: str | None = None
    """Why the model gave up, when it did."""

    runtime_values: dict[str, JsonValue] = field(default_factory=dict)

    @property
    def calls(self) -> list[ToolCall]:
        return [step.call for step in self.history]


async def follow(
    task: Task,
    screen: Screen,
    *,
    fails: Callable[[ToolCall], str | None] = lambda call: None,
    clipboard: str = "",
    new_worker_each_turn: bool = False,
) -> Followed:
    """Follow a task to its end.

    Every call works, except those that `fails` answers a reason for, and waits for texts that the screen does
    not show. With `new_worker_each_turn` nothing but the journal is carried from turn to turn.
    """
    model, reader, done = StepsModel(), ScreenReader(), Followed()
    assert not model.check(task), [str(refusal) for refusal in model.check(task)]
    try:
        for number in range(1, _MOST_TURNS):
            model = StepsModel() if new_worker_each_turn else model
            if model.has_finished(task, tuple(done.history)):
                return await _concluded(model, task, done)
            screenshot = screen(done.calls)
            turn = await model.next_turn(task, tuple(done.history), done.runtime_values, screenshot)
            for call in turn.calls:
                step = Step(
                    StepId(UUID(int=len(done.history))),
                    _RUN,
                    len(done.history) + 1,
                    number,
                    call,
                    _NOON,
                    memo=turn.memo,
                )
                error = fails(call)
                result: JsonObject = {}
                if error is None:
                    error, result = await _tool(call, task, done, model, reader, screen, clipboard)
                state = StepState.DONE if error is None else StepState.FAILED
                done.history.append(_finished(step, state, error, result))
                if error is not None:
                    break
            if not turn.calls or turn.calls[-1].tool.startswith("declare_"):
                return await _concluded(model, task, done)
    except ModelError as error:
        done.error = str(error)
        return done
    raise AssertionError(f"the prompt did not end after {_MOST_TURNS} turns")


async def _concluded(model: StepsModel, task: Task, done: Followed) -> Followed:
    done.output = await model.conclude(task, tuple(done.history), done.runtime_values)
    return done


def _finished(step: Step, state: StepState, error: str | None, result: JsonObject) -> Step:
    return replace(step, state=state, error=error, result=result, finished_at=_NOON)


async def _tool(
    call: ToolCall,
    task: Task,
    done: Followed,
    model: StepsModel,
    reader: ScreenReader,
    screen: Screen,
    clipboard: str,
) -> tuple[str | None, JsonObject]:
    """The error or the result of one call."""
    match call:
        case ToolCall("screenshot", {"extract_prompt": str() as sentence}):
            try:
                observation = await model.extract(sentence, task, screen(done.calls))
            except ModelError as error:
                return str(error), {}
            done.runtime_values.update(observation.runtime_values)
            return None, {"text": observation.text, "output": observation.output}
        case ToolCall("copy_to_clipboard", {**arguments}):
            if name := arguments.get("key_name"):
                done.runtime_values[str(name)] = clipboard
            output = arguments.get("output")
            return None, {"text": clipboard, "output": {str(output): clipboard} if output else {}}
        case ToolCall("upsert_runtime_values", {"values": Mapping() as values}):
            done.runtime_values.update(
                {name: fill(str(text), task.inputs, done.runtime_values) for name, text in values.items()}
            )
            return None, {}
        case ToolCall("wait", {"until_text": [*texts]} | {"until_gone": [*texts]}):
            wanted = [fill(str(text), task.inputs, done.runtime_values) for text in texts]
            shown = [await reader.is_visible(screen([*done.calls, call]), text) for text in wanted]
            is_over = not any(shown) if "until_gone" in call.arguments else any(shown)
            return (None if is_over else "its time was up"), {}
        case _:
            return None, {}
