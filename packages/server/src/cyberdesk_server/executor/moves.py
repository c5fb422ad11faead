"""What comes next in a run, told from its journal alone.

The loop asks this after every step, and so does a worker that takes the run over: there is no other way to
go on. All calls of a turn are written at once, before the first of them is carried out, so nothing a model
has decided is ever lost or decided twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import CLEAN_UP, Step, StepState, course

TASK_FAILED = "declare_task_failed"
TASK_SUCCEEDED = "declare_task_succeeded"


@dataclass(frozen=True, slots=True)
class AskModel:
    """Every call so far is over."""

    turn: int
    """The number of the turn to ask for, from 1."""


@dataclass(frozen=True, slots=True)
class CarryOut:
    """This call is the next of its turn."""

    step: Step
    rest: tuple[Step, ...]
    """The calls of the turn after it, which are dropped when it fails."""


@dataclass(frozen=True, slots=True)
class End:
    """The model declared how the run ends."""

    status: RunStatus
    reason: str | None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A call broke the run off, and its worker was lost before it could end the run."""

    reason: str


Move = AskModel | CarryOut | End | GiveUp


def next_move(history: Sequence[Step], within: StepId | None = None) -> Move:
    """What a run with this journal does now: in its own course, or in that of a step made of steps.

    What is done when a post-run check has failed begins anew: how the run ended before says nothing of it.
    """
    history = _since_cleaning(history)
    declared = next((step for step in history if is_declaration(step)), None)
    if declared is not None:
        status = RunStatus.TASK_FAILED if declared.call.tool == TASK_FAILED else RunStatus.SUCCESS
        reason = (declared.result or {}).get("text")
        return End(status, str(reason) if reason else None)
    broken = next((step for step in history if step.state is StepState.BROKEN), None)
    if broken is not None:
        return GiveUp(broken.error or "the run cannot go on")
    own = course(history, within)
    waiting = [step for step in own if step.state is StepState.STARTED]
    if waiting:
        return CarryOut(waiting[0], tuple(waiting[1:]))
    return AskModel(turn=own[-1].turn + 1 if own else 1)


def _since_cleaning(history: Sequence[Step]) -> Sequence[Step]:
    began = next((place for place, step in enumerate(history) if step.call.tool == CLEAN_UP), 0)
    return history[began:]


def is_declaration(step: Step) -> bool:
    """True for a call by which the run was declared over."""
    return step.state is StepState.DONE and step.call.tool in (TASK_FAILED, TASK_SUCCEEDED)


def failures_in_a_row(history: Sequence[Step]) -> int:
    """How many of the latest turns of one course failed, one after another."""
    failed = {step.turn for step in history if step.state is StepState.FAILED}
    turn = last = history[-1].turn if history else 0
    while turn in failed:
        turn -= 1
    return last - turn


def asked_turns(history: Sequence[Step]) -> int:
    """How many turns a model was asked for; the others were replayed."""
    return len({(step.within, step.turn) for step in history if not step.is_cached})


def runtime_values(history: Sequence[Step]) -> dict[str, JsonValue]:
    """The values of `{{name}}` after these steps; a later step overrules an earlier one."""
    values: dict[str, JsonValue] = {}
    for step in history:
        written = (step.result or {}).get("runtime_values")
        if isinstance(written, Mapping):
            values.update(written)
    return values
