"""Approved trajectories in the loop: done again without a model while they fit, and never else."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
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
from cyberdesk_server.domain.trajectories import dimensions, recorded
from cyberdesk_server.domain.usage import LlmCost
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.ports import Comparison, DesktopRefused, ModelError
from cyberdesk_server.store import llm_costs, runs
from cyberdesk_server.store.trajectories import add
from cyberdesk_server.testing.ports import FunctionModel, ScriptedDesktop, turns
from cyberdesk_server.testing.rows import a_trajectory
from cyberdesk_server.testing.screens import Canvas
from cyberdesk_server.usecases import trajectories

Stage = Any

SIZE = Size(400, 300)
SAVE = Box(40, 240, 150, 268)


def a_screen(name: str = "", *, page: str = "Patient", save: str = "Save", at: int = 0) -> Screenshot:
    canvas = Canvas(*SIZE)
    canvas.text(20, 16, page, is_bold=True)
    canvas.field(20, 60, name)
    canvas.button(SAVE.left + at, SAVE.top, save)
    return canvas.screenshot()


CLICK = ToolCall("click", {"x": 95, "y": 254}, target=SAVE)
TYPE = ToolCall("type", {"text": "{name}"})
READ = ToolCall("screenshot", {"extract_prompt": "the name"})
F3 = ToolCall("key", {"keys": "F3"})


def reads_doe(*_: Any) -> Observation:
    return Observation("Doe", {"name": "Doe"})


async def record(
    stage: Stage,
    *script: Turn,
    screen: Screenshot | None = None,
    read: Callable[..., Observation] = reads_doe,
    **inputs: Any,
) -> Any:
    """A run of this script that ends well, and its trajectory, approved."""
    stage.desktop.screen = screen or a_screen("Doe")
    await stage.a_waiting_run(inputs=inputs or {"name": "Doe"})
    claim = await stage.claim()
    model = turns(*script)
    model.read = read
    ending = await execute(claim, stage.parts(model))
    assert ending.status is RunStatus.SUCCESS
    await stage.finish(claim, ending)
    stage.desktop = ScriptedDesktop()
    async with stage.database.transaction() as conn:
        trajectory = await a_trajectory(
            conn,
            claim.workflow,
            trajectory_data=recorded(await stage.history()),
            dimensions=dimensions(SIZE),
            prompt_digest=prompt_digest(claim.prompt),
            is_approved=True,
            has_been_approved=True,
        )
    return claim.workflow, trajectory


async def replay(stage: Stage, workflow: Any, model: FunctionModel, screen: Screenshot, **inputs: Any) -> Any:
    """Another run of the same workflow, on a desktop that shows this."""
    stage.desktop.screen = screen
    await stage.another_run(workflow, inputs=inputs or {"name": "Santos"})
    claim = await stage.claim()
    ending = await execute(claim, stage.parts(model))
    await stage.finish(claim, ending)
    return ending


def never_asked() -> FunctionModel:
    def decide(*_: Any) -> Turn:
        raise ModelError("the model was asked")

    return FunctionModel(decide)


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


@dataclass
class Listing(ScriptedDesktop):
    """A search that goes on showing what was found before, for so many looks after it was asked."""

    loads_looks: int = 0
    found: str = "Santos, Fatima"
    asked_at: int | None = None

    async def screenshot(self) -> Screenshot:
        await super().screenshot()
        is_loaded = self.asked_at is not None and self.looks - self.asked_at > self.loads_looks
        return a_screen(page=self.found if is_loaded else "Doe, John")

    async def perform(self, action: Action, action_id: StepId, *, is_repeat: bool = False) -> ActionResult:
        self.asked_at = self.asked_at or self.looks
        return await super().perform(action, action_id, is_repeat=is_repeat)


async def a_search(stage: Stage) -> Any:
    """Recorded: F3 searches, and what is found is saved."""
    stage.desktop = Listing(found="Keller, Ada Maria")
    workflow, _ = await record(stage, Turn((F3,)), Turn((CLICK,)))
    return workflow


async def test_what_was_found_before_is_not_taken_for_what_is_found_now(stage: Stage) -> None:
    workflow = await a_search(stage)
    stage.desktop = Listing(loads_looks=40)

    await replay(stage, workflow, never_asked(), a_screen())

    assert stage.desktop.performed == [PressKeys("F3"), Click(Point(95, 254))]
    assert stage.desktop.looks > 40


async def test_a_screen_that_does_not_change_as_it_did_is_for_the_model(stage: Stage) -> None:
    workflow = await a_search(stage)
    stage.desktop = Listing(loads_looks=10**6)

    ending = await replay(stage, workflow, turns(Turn()), a_screen())

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [PressKeys("F3")]


async def test_a_clock_that_ticked_over_a_reading_is_not_waited_for(stage: Stage) -> None:
    """Nothing that is read changes the screen."""

    class Ticking(ScriptedDesktop):
        async def screenshot(self) -> Screenshot:
            await super().screenshot()
            return a_screen("Doe", page="12:00:01" if self.has_been_read else "12:00:00")

        has_been_read = False

    def read(*_: Any) -> Observation:
        stage.desktop.has_been_read = True
        return Observation("Doe", {"name": "Doe"})

    stage.desktop = Ticking()
    workflow, trajectory = await record(stage, Turn((READ,)), Turn((CLICK,)), read=read)
    before, after = (step["pre_check_snapshot"]["screenshot"] for step in trajectory.trajectory_data)
    model = never_asked()
    model.read = reads_doe

    ending = await replay(stage, workflow, model, a_screen("Santos", page="17:45:30"))

    assert before != after
    assert ending.status is RunStatus.SUCCESS
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


async def test_a_run_that_went_well_is_kept_once_for_somebody_to_approve(stage: Stage) -> None:
    stage.desktop.screen = a_screen()
    run = await stage.a_waiting_run(inputs={"name": "Doe"})
    claim = await stage.claim()
    ending = await execute(claim, stage.parts(turns(Turn((CLICK, TYPE)))))
    await stage.finish(claim, ending)

    for _ in range(2):
        async with stage.database.transaction() as conn:
            await trajectories.record(conn, run, claim.prompt, ending.display, now=stage.clock.now())

    [kept] = await stage.trajectories_of(claim.workflow)
    assert (kept.is_approved, kept.is_generated, kept.run_id) == (False, True, run.id)
    assert kept.dimensions == {"width": 400, "height": 300}
    assert kept.prompt_digest == prompt_digest(claim.prompt)
    assert kept.trajectory_data[0]["pre_check_snapshot"]["target"] == SAVE.edges


async def test_a_run_that_was_replayed_as_a_whole_leaves_nothing_behind(stage: Stage) -> None:
    workflow, first = await record(stage, Turn((CLICK,)))
    ending = await replay(stage, workflow, never_asked(), a_screen("Santos"))

    async with stage.database.transaction() as conn:
        run = await runs.get(conn, workflow.organization_id, stage.run_id)
        assert run is not None
        await trajectories.record(conn, run, workflow.main_prompt, ending.display, now=stage.clock.now())

    assert [one.id for one in await stage.trajectories_of(workflow)] == [first.id]


async def test_runs_that_all_differ_leave_a_limited_number_of_recordings(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trajectories, "MOST_UNAPPROVED", 2)
    workflow, _ = await record(stage, Turn((CLICK,)))
    for key in ("F1", "F2", "F4"):
        model = turns(Turn((ToolCall("key", {"keys": key}),)))
        ending = await replay(stage, workflow, model, a_screen(save="Sovo"))
        async with stage.database.transaction() as conn:
            run = await runs.get(conn, workflow.organization_id, stage.run_id)
            assert run is not None
            await trajectories.record(conn, run, workflow.main_prompt, ending.display, now=stage.clock.now())

    assert len([one for one in await stage.trajectories_of(workflow) if not one.is_approved]) == 2


async def test_what_moves_by_itself_is_recorded_and_not_waited_for_again(stage: Stage) -> None:
    class Moving(ScriptedDesktop):
        """With a bar that never stands still."""

        async def screenshot(self) -> Screenshot:
            await super().screenshot()
            canvas = Canvas(*SIZE)
            canvas.button(SAVE.left, SAVE.top, "Save")
            canvas.rectangle(Box(0, 0, 20 + self.looks % 60, 20), fill="#ff0000")
            return canvas.screenshot()

    stage.desktop = Moving()
    workflow, trajectory = await record(stage, Turn((CLICK,)))
    stage.desktop = Moving(looks=25)

    await replay(stage, workflow, never_asked(), a_screen())

    [recorded_step], [step] = trajectory.trajectory_data, await stage.history()
    boxes = recorded_step["pre_check_snapshot"]["volatile"]
    assert boxes
    assert all(bottom <= 32 for _, _, _, bottom in boxes)
    assert [box.edges for box in step.volatile] == boxes
    assert stage.desktop.looks < 25 + 40
