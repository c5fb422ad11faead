"""What the author of a trajectory says of a step decides whether it is compared, and how."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cyberdesk_server.domain.actions import Click
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import ToolCall, Turn
from cyberdesk_server.domain.usage import LlmCost
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.ports import Comparison, ModelError
from cyberdesk_server.store import llm_costs
from cyberdesk_server.testing.ports import FunctionModel, turns
from cyberdesk_server.testing.replays import (
    CLICK,
    a_screen,
    never_asked,
    record,
    replay,
)

Stage = Any


async def test_a_step_whose_author_says_so_is_not_compared(stage: Stage) -> None:
    workflow, trajectory = await record(stage, Turn((CLICK,)))
    [step] = trajectory.trajectory_data
    await stage.change_trajectory(
        replace(trajectory, trajectory_data=({**step, "skip_cache_detection": True},))
    )

    await replay(stage, workflow, never_asked(), a_screen(save="Sovo"))

    assert stage.desktop.performed == [Click(Point(95, 254))]


@dataclass
class Comparing(FunctionModel):
    answer: Callable[[], Comparison] = lambda: Comparison(True, "the author's words hold")
    asked: list[str] | None = None

    async def compare(
        self, instructions: str, call: ToolCall, recorded: Screenshot, current: Screenshot
    ) -> Comparison:
        self.asked = [*(self.asked or []), instructions]
        assert recorded.png != current.png
        return self.answer()


def fails() -> Comparison:
    raise ModelError("overloaded")


@pytest.mark.parametrize(
    ("answer", "is_done"),
    [
        (lambda: Comparison(True, "it is there"), True),
        (lambda: Comparison(False, "it is not"), False),
        (fails, False),
    ],
)
async def test_the_authors_own_words_are_judged_by_the_model(
    stage: Stage, answer: Callable[[], Comparison], is_done: bool
) -> None:
    workflow, trajectory = await record(stage, Turn((CLICK,)))
    await stage.change_trajectory(with_words(trajectory, "a button at the bottom"))
    model = Comparing(turns(Turn()).decide, answer=answer)

    await replay(stage, workflow, model, a_screen(save="Sovo"))

    assert model.asked == ["a button at the bottom"]
    assert bool(stage.desktop.performed) == is_done


async def test_a_run_that_has_cost_too_much_has_no_screens_compared(stage: Stage) -> None:
    workflow, trajectory = await record(stage, Turn((CLICK,)))
    await stage.change_trajectory(with_words(trajectory, "a button at the bottom"))
    model = Comparing(turns(Turn()).decide)
    stage.limits = replace(stage.limits, cost_limit_usd=0.1)
    stage.desktop.screen = a_screen(save="Sovo")
    run = await stage.another_run(workflow, inputs={"name": "Santos"})
    async with stage.database.transaction() as conn:
        cost = LlmCost("main_agent", "anthropic", "claude", "messages", "organization", 1, cost_usd=0.5)
        await llm_costs.add(conn, run.id, cost)

    ending = await execute(await stage.claim(), stage.parts(model))

    assert ending.error == ("language models have cost $0.5000, more than the run's cost_limit_usd of $0.1",)
    assert model.asked is None


async def test_a_screen_as_it_was_recorded_needs_no_words(stage: Stage) -> None:
    workflow, trajectory = await record(stage, Turn((CLICK,)))
    await stage.change_trajectory(with_words(trajectory, "a button"))
    model = Comparing(never_asked().decide, answer=fails)

    await replay(stage, workflow, model, a_screen("Doe"))

    assert model.asked is None
    assert stage.desktop.performed == [Click(Point(95, 254))]


def with_words(trajectory: Any, words: str) -> Any:
    [step] = trajectory.trajectory_data
    snapshot = {**step["pre_check_snapshot"], "custom_cache_detection_instructions": words}
    return replace(trajectory, trajectory_data=({**step, "pre_check_snapshot": snapshot},))
