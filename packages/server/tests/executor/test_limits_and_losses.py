"""The limits of a run, and what it may lose on its way: the desktop, the model, or its caller."""

import asyncio
from dataclasses import replace
from typing import Any

from cyberdesk_server.domain.actions import Action, ActionResult, Click
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.limits import RunLimits
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.steps import StepState, Turn
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.parts import Limits
from cyberdesk_server.ports import DesktopUnreachable, ModelError, OutcomeUnknown
from cyberdesk_server.store import runs
from cyberdesk_server.testing.ports import FunctionModel, ScriptedDesktop, a_call, a_turn, turns

Stage = Any
CLICK = a_call("click", x=3, y=4)


async def test_a_run_that_only_fails_is_given_up(stage: Stage) -> None:
    stage.limits = Limits(max_failures_in_a_row=3)

    ending = await stage.execute(turns(*[a_turn(a_call("teleport"))] * 9))

    assert ending.status is RunStatus.ERROR
    assert "3 turns failed in a row" in ending.error[0]
    assert len(await stage.history()) == 3


async def test_a_run_has_a_limit_of_turns(stage: Stage) -> None:
    stage.limits = Limits(max_turns=4)

    ending = await stage.execute(turns(*[a_turn(CLICK)] * 9))

    assert ending.status is RunStatus.ERROR
    assert "4 turns" in ending.error[0]
    assert len(stage.desktop.performed) == 4


async def test_a_run_has_a_limit_of_time(stage: Stage) -> None:
    stage.limits = Limits(run_time_limit_seconds=100)

    ending = await stage.execute(turns(a_turn(a_call("wait", seconds=600), CLICK)))

    assert ending.status is RunStatus.ERROR
    assert "longer than its limit of 100 seconds" in ending.error[0]
    assert stage.desktop.performed == []


async def test_a_runs_own_limits_go_before_its_workflows_and_those_before_the_servers(stage: Stage) -> None:
    stage.limits = Limits(max_turns=5)
    usual = await stage.execute(turns(*[a_turn(CLICK)] * 9))
    workflows = await stage.execute(turns(*[a_turn(CLICK)] * 9), max_turns=3)
    await stage.a_waiting_run(max_turns=3)
    claim = await stage.claim()
    claim = replace(claim, run=replace(claim.run, max_turns=2))
    own = await execute(claim, stage.parts(turns(*[a_turn(CLICK)] * 9)))

    assert [ending.error[0].partition(" of ")[2] for ending in (usual, workflows, own)] == [
        "5 turns",
        "3 turns",
        "2 turns",
    ]


async def test_time_counts_from_the_start_of_the_run_whoever_works_on_it(stage: Stage) -> None:
    await stage.a_waiting_run(run_time_limit_seconds=100)
    await stage.claim()
    stage.clock.advance(50)

    ending = await stage.take_over(turns(a_turn(CLICK)))

    assert ending.error == ("the run took longer than its limit of 100 seconds",)
    assert stage.desktop.performed == []


async def test_a_limit_is_cut_down_to_what_the_server_allows_now(stage: Stage) -> None:
    stage.limits = Limits(most=RunLimits(max_turns=2, run_time_limit_seconds=50))

    by_turns = await stage.execute(turns(*[a_turn(CLICK)] * 9), max_turns=100)
    by_time = await stage.execute(turns(a_turn(a_call("wait", seconds=600))), run_time_limit_seconds=100)

    assert "2 turns" in by_turns.error[0]
    assert "longer than its limit of 50 seconds" in by_time.error[0]


async def test_a_desktop_that_comes_back_is_asked_again_by_the_same_id(stage: Stage) -> None:
    losses = iter([True, True, False])

    class Flaky(ScriptedDesktop):
        async def perform(self, action: Any, action_id: Any, *, is_repeat: bool = False) -> ActionResult:
            result = await super().perform(action, action_id, is_repeat=is_repeat)
            if next(losses, False):
                raise DesktopUnreachable("the tunnel broke")
            return result

    stage.desktop = Flaky()

    ending = await stage.execute(turns(a_turn(CLICK)))

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [Click(Point(3, 4))]


async def test_a_desktop_that_comes_back_after_the_end_of_the_run_is_left_alone(stage: Stage) -> None:
    """Invariant 4: its machine may be another's by now. The news of the end got lost."""

    class Away(ScriptedDesktop):
        tries = 0

        async def perform(self, action: Any, action_id: Any, *, is_repeat: bool = False) -> ActionResult:
            self.tries += 1
            if self.tries > 1:
                return await super().perform(action, action_id, is_repeat=is_repeat)
            async with stage.database.transaction() as conn:
                now = stage.clock.now()
                await runs.end(conn, stage.run_id, status=RunStatus.CANCELLED, changes={}, now=now)
            raise DesktopUnreachable("no tunnel")

    stage.desktop = Away()

    ending = await stage.execute(turns(a_turn(CLICK)))

    assert (ending.status, stage.desktop.tries) == (RunStatus.CANCELLED, 1)


async def test_a_desktop_that_stays_away_ends_the_run_as_our_failure(stage: Stage) -> None:
    def unreachable(action: Action) -> ActionResult:
        raise DesktopUnreachable("no tunnel")

    stage.desktop.react = unreachable

    ending = await stage.execute(turns(a_turn(CLICK)))

    assert ending.status is RunStatus.ERROR
    assert ending.error == ("the desktop was unreachable for 30 seconds: no tunnel",)
    assert ending.usage_metadata["billing_outcome"] == "infra_failure"
    assert ending.usage_metadata["total_agentic_steps_billed"] == 0


async def test_after_an_action_nobody_knows_the_outcome_of_the_model_looks_and_decides(stage: Stage) -> None:
    def lost(action: Action) -> ActionResult:
        raise OutcomeUnknown("driver died")

    stage.desktop.react = lost
    model = turns(a_turn(CLICK, CLICK))

    ending = await stage.execute(model)

    [_, (_, history, _)] = model.questions
    assert "nobody can say whether it happened" in (history[0].error or "")
    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == []
    assert [step.state for step in await stage.history()] == [StepState.FAILED, StepState.FAILED]


async def test_a_model_that_gives_up_ends_the_run_and_leaves_the_screen_it_saw(stage: Stage) -> None:
    def decide(*_: Any) -> Turn:
        raise ModelError('there is no "Serch"; nearest: "Search"')

    ending = await stage.execute(FunctionModel(decide))

    assert ending.status is RunStatus.ERROR
    assert ending.error == ('there is no "Serch"; nearest: "Search"',)
    (step,) = await stage.history()
    assert step.screen is not None
    assert step.error == ending.error[0]


async def test_a_model_that_is_busy_is_asked_again(stage: Stage) -> None:
    answers = iter([ModelError("busy", is_retryable=True), Turn()])

    def decide(*_: Any) -> Turn:
        answer = next(answers)
        if isinstance(answer, ModelError):
            raise answer
        return answer

    assert (await stage.execute(FunctionModel(decide))).status is RunStatus.SUCCESS


async def test_a_cancelled_run_stops_before_its_next_action(stage: Stage) -> None:
    async def cancel_during_first_click() -> None:
        await stage.cancel()

    class Cancelling(ScriptedDesktop):
        async def perform(self, action: Any, action_id: Any, *, is_repeat: bool = False) -> ActionResult:
            await cancel_during_first_click()
            return await super().perform(action, action_id, is_repeat=is_repeat)

    stage.desktop = Cancelling()

    ending = await stage.execute(turns(a_turn(CLICK, CLICK), a_turn(CLICK)))

    assert ending.status is RunStatus.CANCELLED
    assert stage.desktop.performed == [Click(Point(3, 4))]
    assert [step.state for step in await stage.history()] == [StepState.DONE, StepState.FAILED]


async def test_cancelling_interrupts_a_wait(stage: Stage) -> None:
    class Patient(type(stage.clock)):  # type: ignore[misc]
        async def sleep(self, seconds: float) -> None:
            await super().sleep(min(seconds, 1))
            if seconds > 60:
                await stage.cancel()
                await asyncio.get_running_loop().create_future()

    stage.clock = Patient()

    ending = await stage.execute(turns(a_turn(a_call("wait", seconds=3000), CLICK)))

    assert ending.status is RunStatus.CANCELLED
    assert stage.desktop.performed == []


async def test_cancelling_interrupts_a_thinking_model(stage: Stage) -> None:
    async def think() -> None:
        await stage.cancel()
        await asyncio.get_running_loop().create_future()

    ending = await stage.execute(replace(turns(a_turn(CLICK)), before_answer=think))

    assert ending.status is RunStatus.CANCELLED
    assert stage.desktop.performed == []
