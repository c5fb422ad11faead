"""Approved trajectories in the loop: done again without a model while they fit, and never else."""

from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.actions import Action, ActionResult, Click, PressKeys, TypeText
from cyberdesk_server.domain.geometry import Box, Point, Size
from cyberdesk_server.domain.ids import StepId, TrajectoryId
from cyberdesk_server.domain.recordings import prompt_digest
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, StepState, ToolCall, Turn
from cyberdesk_server.domain.trajectories import dimensions
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.ports import DesktopRefused
from cyberdesk_server.store.trajectories import add
from cyberdesk_server.testing.ports import ScriptedDesktop, turns
from cyberdesk_server.testing.replays import CLICK, F3, READ, TYPE, a_screen, never_asked, record, replay

Stage = Any


async def test_an_approved_recording_is_done_again_with_the_values_of_the_run(stage: Stage) -> None:
    workflow, _ = await record(stage, Turn((CLICK, TYPE)), Turn((F3,)))

    ending = await replay(stage, workflow, never_asked(), a_screen("Santos"))

    assert (ending.status, ending.error) == (RunStatus.SUCCESS, ())
    assert stage.desktop.performed == [Click(Point(95, 254)), TypeText("Santos"), PressKeys("F3")]
    assert ending.usage_metadata["total_cached_steps"] == 3
    assert ending.usage_metadata["total_agentic_steps"] == 0


async def test_each_replayed_step_says_what_the_guard_said(stage: Stage) -> None:
    workflow, trajectory = await record(stage, Turn((CLICK, TYPE)), Turn((F3,)))

    await replay(stage, workflow, never_asked(), a_screen("Santos"))

    history = await stage.history()
    assert [step.is_cached for step in history] == [True] * 3
    assert [step.detection.step for step in history] == [0, 0, 2]
    assert {step.detection.trajectory_id for step in history} == {trajectory.id}
    assert all(step.detection.is_hit and step.detection.reason for step in history)


async def test_what_is_read_is_read_anew(stage: Stage) -> None:
    workflow, _ = await record(stage, Turn((READ,)))
    model = never_asked()
    model.read = lambda *_: Observation("Santos", {"name": "Santos"})

    ending = await replay(stage, workflow, model, a_screen("Santos"))

    assert ending.output_data == {"name": "Santos"}
    assert ending.usage_metadata["total_cached_steps"] == 1
    assert ending.usage_metadata["total_agentic_steps"] == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"is_approved": False}, id="not approved"),
        pytest.param({"prompt_digest": prompt_digest("Click another")}, id="for another prompt"),
        pytest.param({"prompt_digest": None}, id="for a prompt nobody knows"),
    ],
)
async def test_a_trajectory_that_is_not_for_this_run_is_never_replayed(
    stage: Stage, changes: dict[str, Any]
) -> None:
    workflow, trajectory = await record(stage, Turn((CLICK,)))
    await stage.change_trajectory(replace(trajectory, **changes))
    model = turns(Turn((F3,)))

    await replay(stage, workflow, model, a_screen())

    assert stage.desktop.performed == [PressKeys("F3")]
    assert [step.detection for step in await stage.history()] == [None]


async def test_a_trajectory_of_another_display_is_never_replayed_and_the_history_says_so(
    stage: Stage,
) -> None:
    workflow, trajectory = await record(stage, Turn((CLICK,)))
    await stage.change_trajectory(replace(trajectory, dimensions=dimensions(Size(800, 600))))

    await replay(stage, workflow, turns(Turn((F3,))), a_screen())

    [step] = await stage.history()
    assert stage.desktop.performed == [PressKeys("F3")]
    assert (step.is_cached, step.detection.is_hit) == (False, False)
    assert step.detection.reason == "it was recorded on a display of 800x600, this one is 400x300"


async def test_a_miss_asks_the_model_and_the_next_step_is_replayed_again(stage: Stage) -> None:
    workflow, _ = await record(stage, Turn((CLICK,)), Turn((F3,)))
    greyed = a_screen(save="Sovo")

    def react(action: Action) -> ActionResult:
        stage.desktop.screen = a_screen()
        return ActionResult()

    stage.desktop.react = react
    model = turns(Turn((CLICK,)))

    ending = await replay(stage, workflow, model, greyed)

    first, second = await stage.history()
    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [Click(Point(95, 254)), PressKeys("F3")]
    assert (first.is_cached, first.detection.is_hit) == (False, False)
    assert "does not look as it did" in first.detection.reason
    assert (second.is_cached, second.detection.is_hit) == (True, True)
    assert ending.usage_metadata["total_agentic_steps"] == 1
    assert len(model.questions) == 1


async def test_the_model_that_goes_another_way_is_left_alone(stage: Stage) -> None:
    workflow, _ = await record(stage, Turn((CLICK,)), Turn((F3,)))
    model = turns(Turn((ToolCall("key", {"keys": "Escape"}),)), Turn((TYPE,)))

    await replay(stage, workflow, model, a_screen(save="Sovo"))

    assert stage.desktop.performed == [PressKeys("Escape"), TypeText("Santos")]


async def test_a_click_goes_where_the_thing_has_moved_to(stage: Stage) -> None:
    workflow, _ = await record(stage, Turn((CLICK,)))

    await replay(stage, workflow, never_asked(), a_screen(at=90))

    [step] = await stage.history()
    assert stage.desktop.performed == [Click(Point(185, 254))]
    assert step.call.target == Box(130, 240, 240, 268)


async def test_a_screen_that_comes_late_is_waited_for(stage: Stage) -> None:
    workflow, _ = await record(stage, Turn((CLICK,)))

    class Slow(ScriptedDesktop):
        async def screenshot(self) -> Screenshot:
            await super().screenshot()
            return a_screen() if self.looks > 9 else a_screen(save="Wait")

    stage.desktop = Slow()

    await replay(stage, workflow, never_asked(), a_screen())

    assert stage.desktop.performed == [Click(Point(95, 254))]


async def test_the_main_one_goes_first_and_then_the_newest(stage: Stage) -> None:
    workflow, first = await record(stage, Turn((F3,)))
    later = replace(first, id=TrajectoryId(uuid4()), created_at=first.created_at.replace(hour=13))
    pressed = {"func_name": "key", "kwargs": {"keys": "F4"}, "skip_cache_detection": True}
    async with stage.database.transaction() as conn:
        await add(conn, replace(later, trajectory_data=(pressed,)))

    await replay(stage, workflow, never_asked(), a_screen())
    await stage.change_trajectory(replace(first, is_main=True))
    await replay(stage, workflow, never_asked(), a_screen("Doe"))

    assert stage.desktop.performed == [PressKeys("F4"), PressKeys("F3")]


async def test_values_that_a_model_wrote_down_are_never_replayed(stage: Stage) -> None:
    wrote = ToolCall("upsert_runtime_values", {"values": {"order": "77"}})
    workflow, _ = await record(stage, Turn((wrote,)), Turn((F3,)))
    anew = ToolCall("upsert_runtime_values", {"values": {"order": "78"}})
    model = turns(Turn((anew,)))

    await replay(stage, workflow, model, a_screen("Doe"))

    assert [step.is_cached for step in await stage.history()] == [False, True]
    assert stage.desktop.performed == [PressKeys("F3")]


async def test_a_replayed_step_that_fails_is_the_models(stage: Stage) -> None:
    workflow, _ = await record(stage, Turn((F3,)))

    def refuse(action: Action) -> ActionResult:
        if action == PressKeys("F3"):
            raise DesktopRefused(400, "no such key")
        return ActionResult()

    stage.desktop.react = refuse
    model = turns(Turn((ToolCall("key", {"keys": "F4"}),)))

    ending = await replay(stage, workflow, model, a_screen("Doe"))

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [PressKeys("F4")]
    assert [step.state for step in await stage.history()] == [StepState.FAILED, StepState.DONE]


async def test_a_worker_that_takes_over_goes_on_in_the_replay(stage: Stage) -> None:
    """Invariant 5: what was replayed in part happens once, the rest is replayed by the next worker."""
    workflow, _ = await record(stage, Turn((CLICK, TYPE)), Turn((F3,)))

    class Killed(BaseException):
        pass

    class Dying(ScriptedDesktop):
        async def perform(
            self, action: Action, action_id: StepId, *, is_repeat: bool = False
        ) -> ActionResult:
            result = await super().perform(action, action_id, is_repeat=is_repeat)
            if isinstance(action, TypeText) and not is_repeat:
                raise Killed
            return result

    stage.desktop = Dying(screen=a_screen("Santos"))
    await stage.another_run(workflow, inputs={"name": "Santos"})
    with suppress(Killed):
        await execute(await stage.claim(), stage.parts(never_asked()))

    ending = await stage.take_over(never_asked())

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [Click(Point(95, 254)), TypeText("Santos"), PressKeys("F3")]
