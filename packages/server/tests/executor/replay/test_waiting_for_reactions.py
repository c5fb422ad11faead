"""What a step did to the screen when it was recorded is waited for before the next one is done."""

from dataclasses import dataclass
from typing import Any

from cyberdesk_server.domain.actions import Action, ActionResult, Click, PressKeys
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Turn
from cyberdesk_server.testing.ports import ScriptedDesktop, turns
from cyberdesk_server.testing.replays import (
    CLICK,
    F3,
    READ,
    a_screen,
    never_asked,
    reads_doe,
    record,
    replay,
)

Stage = Any


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
