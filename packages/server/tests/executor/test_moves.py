"""What comes next in a run is told from its journal alone."""

from typing import Any
from uuid import UUID

import pytest
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import Step, StepState, ToolCall
from cyberdesk_server.executor.moves import (
    AskModel,
    CarryOut,
    End,
    GiveUp,
    failures_in_a_row,
    next_move,
    runtime_values,
)
from cyberdesk_server.testing.rows import a_step as a_step_of

RUN = RunId(UUID(int=1))
DONE, FAILED, STARTED = StepState.DONE, StepState.FAILED, StepState.STARTED


def a_step(state: StepState, turn: int = 1, tool: str = "click", **fields: Any) -> Step:
    return a_step_of(RUN, turn=turn, state=state, call=ToolCall(tool), **fields)


def test_a_run_begins_with_a_question() -> None:
    assert next_move([]) == AskModel(turn=1)


def test_the_first_call_that_is_not_over_is_next() -> None:
    done, first, second = a_step(DONE), a_step(STARTED), a_step(STARTED)

    assert next_move([done, first, second]) == CarryOut(first, (second,))


@pytest.mark.parametrize("state", [DONE, FAILED])
def test_a_turn_that_is_over_is_followed_by_the_next_question(state: StepState) -> None:
    assert next_move([a_step(DONE, 1), a_step(state, 2)]) == AskModel(turn=3)


@pytest.mark.parametrize(
    ("tool", "status"),
    [("declare_task_failed", RunStatus.TASK_FAILED), ("declare_task_succeeded", RunStatus.SUCCESS)],
)
def test_a_declaration_ends_the_run_whatever_else_waits(tool: str, status: RunStatus) -> None:
    declared = a_step(DONE, tool=tool, result={"text": "so it is"})

    assert next_move([declared, a_step(STARTED)]) == End(status, "so it is")


def test_a_declaration_that_failed_declares_nothing() -> None:
    assert next_move([a_step(FAILED, tool="declare_task_failed")]) == AskModel(turn=2)


def test_a_call_that_broke_the_run_off_is_the_last_of_it() -> None:
    """Another worker must not ask a model, which might do again what may have happened."""
    broken = a_step(StepState.BROKEN, error="nobody can say whether it happened")

    assert next_move([a_step(DONE), broken, a_step(FAILED)]) == GiveUp("nobody can say whether it happened")


def test_only_the_latest_failures_count() -> None:
    history = [a_step(FAILED, 1), a_step(DONE, 2), a_step(DONE, 3), a_step(FAILED, 3), a_step(FAILED, 4)]

    assert failures_in_a_row(history) == 2
    assert failures_in_a_row(history[:2]) == 0
    assert failures_in_a_row([]) == 0


def test_a_later_runtime_value_overrules_an_earlier_one() -> None:
    history = [
        a_step(DONE, result={"runtime_values": {"a": 1, "b": 1}}),
        a_step(FAILED),
        a_step(DONE, result={"runtime_values": {"b": 2}}),
    ]

    assert runtime_values(history) == {"a": 1, "b": 2}
