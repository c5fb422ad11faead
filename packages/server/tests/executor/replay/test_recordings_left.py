"""Which recordings runs leave behind, and what is in them."""

from typing import Any

import pytest
from cyberdesk_server.domain.geometry import Box
from cyberdesk_server.domain.recordings import prompt_digest
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import ToolCall, Turn
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.store import runs
from cyberdesk_server.testing.ports import ScriptedDesktop, turns
from cyberdesk_server.testing.replays import CLICK, SAVE, SIZE, TYPE, a_screen, never_asked, record, replay
from cyberdesk_server.testing.screens import Canvas
from cyberdesk_server.usecases import trajectories

Stage = Any


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
