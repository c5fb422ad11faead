"""What a run has cost."""

from uuid import UUID

import pytest
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import TERMINAL, RunStatus
from cyberdesk_server.domain.steps import Step, StepState, ToolCall
from cyberdesk_server.executor.usage import usage_metadata
from cyberdesk_server.testing.rows import a_step as a_step_of

EXTRACTION = ToolCall("screenshot", {"extract_prompt": "Read the clock"})


def a_step(turn: int, **fields: object) -> Step:
    return a_step_of(RunId(UUID(int=0)), turn, **{"state": StepState.DONE, **fields})


def agentic(usage: JsonObject) -> object:
    return usage["total_agentic_steps"]


def test_the_calls_of_a_turn_cost_one_step() -> None:
    assert agentic(usage_metadata([a_step(1), a_step(1), a_step(2)], RunStatus.SUCCESS)) == 2


def test_an_extraction_costs_one_step_more_once_it_was_asked_for() -> None:
    asked = a_step(1, call=EXTRACTION)
    not_yet = a_step(2, call=EXTRACTION, state=StepState.STARTED)

    assert agentic(usage_metadata([asked, not_yet], RunStatus.SUCCESS)) == 3


def test_a_replayed_step_is_counted_apart() -> None:
    usage = usage_metadata([a_step(1, is_cached=True), a_step(2)], RunStatus.SUCCESS)

    assert (usage["total_agentic_steps"], usage["total_cached_steps"]) == (1, 1)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_everything_is_billed_but_an_error_of_ours(status: RunStatus) -> None:
    usage = usage_metadata([a_step(1, is_cached=True), a_step(2)], status)

    billed = (usage["total_agentic_steps_billed"], usage["total_cached_steps_billed"])
    assert billed == ((0, 0) if status is RunStatus.ERROR else (1, 1))
