"""A trajectory on trial is compared with what a model does, and nothing of it is ever done."""

from dataclasses import replace
from typing import Any

import pytest
from cyberdesk_server.domain.actions import PressKeys
from cyberdesk_server.domain.recordings import prompt_digest
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import ToolCall, Turn
from cyberdesk_server.domain.trajectories import Misfit, Trajectory, Trial
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.testing.ports import FunctionModel, ScriptedDesktop, turns
from cyberdesk_server.testing.replays import SAVE, SIZE, kept
from cyberdesk_server.testing.screens import Canvas

Stage = Any

CLICK = Turn((ToolCall("click", {"x": 95, "y": 254}, target=SAVE),))
F3 = Turn((ToolCall("key", {"keys": "F3"}),))
ESCAPE = Turn((ToolCall("key", {"keys": "Escape"}),))


def a_screen(name: str = "", *, save: str = "Save") -> Screenshot:
    canvas = Canvas(*SIZE)
    canvas.field(20, 60, name)
    canvas.button(SAVE.left, SAVE.top, save)
    return canvas.screenshot()


async def on_trial(stage: Stage) -> tuple[Any, Trajectory]:
    """The workflow, and a recording of a click and F3 that waits for its trial."""
    stage.desktop.screen = a_screen("Doe")
    await stage.a_waiting_run()
    claim = await stage.claim()
    await stage.finish(claim, await execute(claim, stage.parts(turns(CLICK, F3))))
    trajectory = await kept(stage, claim, is_on_trial=True)
    stage.desktop = ScriptedDesktop()
    return claim.workflow, trajectory


async def carried_out(stage: Stage, workflow: Any, model: FunctionModel, screen: Screenshot) -> Any:
    stage.desktop.screen = screen
    await stage.another_run(workflow, inputs={})
    return await execute(await stage.claim(), stage.parts(model))


async def test_what_fits_is_told_and_the_model_does_all_of_it(stage: Stage) -> None:
    workflow, trajectory = await on_trial(stage)
    model = turns(CLICK, F3)

    ending = await carried_out(stage, workflow, model, a_screen("Santos"))

    assert ending.status is RunStatus.SUCCESS
    assert ending.trials == {trajectory.id: Trial(2, (), has_ended_as_recorded=True)}
    assert [step.is_cached for step in await stage.history()] == [False, False]
    assert len(model.questions) >= 2


async def test_what_does_not_fit_is_told_with_its_reason(stage: Stage) -> None:
    workflow, trajectory = await on_trial(stage)

    ending = await carried_out(stage, workflow, turns(CLICK, F3), a_screen(save="Void"))

    trial = ending.trials[trajectory.id]
    assert (trial.compared, trial.has_ended_as_recorded) == (2, True)
    assert trial.misfits[0] == Misfit(0, "what is expected at 40, 240 to 150, 268 does not look as it did")


async def test_a_run_that_goes_another_way_has_not_ended_as_recorded(stage: Stage) -> None:
    workflow, trajectory = await on_trial(stage)

    ending = await carried_out(stage, workflow, turns(ESCAPE, F3), a_screen("Santos"))

    assert stage.desktop.performed == [PressKeys("Escape"), PressKeys("F3")]
    assert ending.trials == {trajectory.id: Trial(1, (), has_ended_as_recorded=False)}


@pytest.mark.parametrize(
    "changes", [{"is_on_trial": False}, {"prompt_digest": prompt_digest("Click another")}]
)
async def test_others_are_not_compared(stage: Stage, changes: dict[str, Any]) -> None:
    workflow, trajectory = await on_trial(stage)
    await stage.change_trajectory(replace(trajectory, **changes))

    ending = await carried_out(stage, workflow, turns(ESCAPE), a_screen("Santos"))

    assert ending.trials == {}
