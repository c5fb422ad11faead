"""What comes next in a run, told from its journal alone.

The loop asks this after every step, and so does a worker that takes the run over: there is no other way to go on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import Step, StepState

TASK_FAILED = "declare_task_failed"
TASK_SUCCEEDED = "declare_task_succeeded"


@dataclass(frozen=True, slots=True)
class AskModel:
    """Every call of the last turn is carried out, or one of them failed and ended the turn."""

    turn: int
    """The number of the turn to ask for, from 1."""


@dataclass(frozen=True, slots=True)
class AskAgain:
    """A worker was lost in the middle of this step: ask for it by the same id."""

    step: Step


@dataclass(frozen=True, slots=True)
class GoOn:
    """The turn has more calls."""

    after: Step


@dataclass(frozen=True, slots=True)
class End:
    """The model declared how the run ends."""

    status: RunStatus
    reason: str | None


Move = AskModel | AskAgain | GoOn | End


def next_move(history: Sequence[Step]) -> Move:
    """What a run with this journal does now."""
    if not history:
        return AskModel(turn=1)
    last = history[-1]
    if last.state is StepState.STARTED:
        return AskAgain(last)
    if last.state is StepState.FAILED:
        return AskModel(last.turn + 1)
    if last.call.tool in (TASK_FAILED, TASK_SUCCEEDED):
        reason = (last.result or {}).get("text")
        status = RunStatus.TASK_FAILED if last.call.tool == TASK_FAILED else RunStatus.SUCCESS
        return End(status, str(reason) if reason else None)
    return GoOn(last) if last.following else AskModel(last.turn + 1)


def failures_in_a_row(history: Sequence[Step]) -> int:
    """How many of the latest steps failed, one after another."""
    count = 0
    for step in reversed(history):
        if step.state is not StepState.FAILED:
            break
        count += 1
    return count


def runtime_values(history: Sequence[Step]) -> dict[str, JsonValue]:
    """The values of `{{name}}` after these steps; a later step overrules an earlier one."""
    values: dict[str, JsonValue] = {}
    for step in history:
        written = (step.result or {}).get("runtime_values")
        if isinstance(written, Mapping):
            values.update(written)
    return values
