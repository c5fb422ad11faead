"""Whole runs of `steps` with focused actions and readings in the background: real screens, read by OCR."""

from dataclasses import replace
from typing import Any

import pytest
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import course
from cyberdesk_server.executor.steps.model import StepsModel
from cyberdesk_server.testing.screens import Canvas

Stage = Any

PROMPT = """
Read the text right of "Balance" as balance in the background
Use focused_action:
    If "Overdue" is visible, press F5
    Read the text right of "Order" as order and as {{order}}
Type {{order}}
"""


def a_screen(order: str, *, is_overdue: bool) -> Screenshot:
    canvas = Canvas(640, 400)
    canvas.text(20, 40, "Balance")
    canvas.text(120, 40, "120.50")
    canvas.text(20, 90, "Order")
    canvas.text(120, 90, order)
    if is_overdue:
        canvas.text(20, 200, "Overdue")
    return canvas.screenshot()


@pytest.mark.slow
async def test_what_differs_between_runs_is_looked_for_in_a_replay_too(stage: Stage) -> None:
    stage.desktop.screen = a_screen("A-17", is_overdue=False)
    await stage.a_waiting_run(main_prompt=PROMPT)
    claim = await stage.claim()
    first = await stage.carry_out(claim, StepsModel())
    (trajectory,) = await stage.trajectories_of(claim.workflow)
    await stage.change_trajectory(replace(trajectory, is_approved=True))
    stage.desktop.screen = a_screen("B-42", is_overdue=True)
    await stage.another_run(claim.workflow, inputs={})

    second = await stage.carry_out(await stage.claim(), StepsModel())

    assert (first.status, first.error, first.output_data) == (
        RunStatus.SUCCESS,
        (),
        {"balance": "120.50", "order": "A-17"},
    )
    assert (second.status, second.output_data) == (RunStatus.SUCCESS, {"balance": "120.50", "order": "B-42"})
    assert [getattr(action, "keys", None) or action.text for action in stage.desktop.performed] == [
        "A-17",
        "f5",
        "B-42",
    ]
    own = course(await stage.history())
    assert [step.call.tool for step in own] == ["screenshot", "focused_action", "type"]
    assert [step["func_name"] for step in trajectory.trajectory_data] == [step.call.tool for step in own]
