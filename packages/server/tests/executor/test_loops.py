"""A loop: the first round by hand, the others by replaying it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from cyberdesk_server.domain.actions import Action, ActionResult, Click, PressKeys, TypeText
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Step, StepState, Turn, course
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools.loops import MOST_ITEMS, items_of
from cyberdesk_server.ports import DesktopRefused
from cyberdesk_server.testing.ports import FunctionModel, a_call, a_screenshot

Stage = Any


START = a_call("start_loop", text="{patients}")
SEARCH = Turn((a_call("click", x=5, y=5), a_call("type", text="{{loop_item.name}}")))
ENTER = Turn((a_call("key", keys="enter"),))
END = Turn((a_call("end_loop_iteration", text="{{loop_item.name}}: {{found}}"),))
PATIENTS = [{"name": "Ann"}, {"name": "Bob"}, {"name": "Cy"}]


def looping(*script: Turn, repairs: Sequence[Turn] = (), repaired: str = "by hand") -> FunctionModel:
    """A model that takes these turns, and those in a focused action."""

    def decide(
        task: Task, history: Sequence[Step], values: Mapping[str, JsonValue], screenshot: Screenshot
    ) -> Turn:
        turns = repairs if task.is_focused else script
        position = int(history[-1].memo or 0) if history and history[-1].memo else 0
        if position == len(turns):
            return Turn(thought=repaired) if task.is_focused else Turn()
        return replace(turns[position], memo=str(position + 1))

    return FunctionModel(decide)


def typed(stage: Stage) -> list[str]:
    return [action.text for action in stage.desktop.performed if isinstance(action, TypeText)]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ('["a", {"b": 1}]', ["a", {"b": 1}]),
        ("3", [0, 1, 2]),
        (" 1 ", [0]),
        ("[]", []),
        ("0", []),
        ("-2", []),
        ("null", []),
        ("", []),
        ("__EMPTY__", []),
    ],
)
def test_what_is_looped_over(text: str, items: list[JsonValue]) -> None:
    assert items_of(text) == items


@pytest.mark.parametrize("text", ["Ann, Bob", "true", '{"a": 1}', "1.5", str(MOST_ITEMS + 1), "[" * 100_000])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ToolFailed, match="`text`"):
        items_of(text)


async def test_the_other_rounds_are_replayed_with_their_items(stage: Stage) -> None:
    model = looping(Turn((START,)), SEARCH, ENTER, END)

    ending = await stage.execute(model, inputs={"patients": PATIENTS})

    assert ending.status is RunStatus.SUCCESS
    one_round = [Click(Point(5, 5)), TypeText, PressKeys("enter")]
    assert len(stage.desktop.performed) == 3 * len(one_round)
    assert typed(stage) == ["Ann", "Bob", "Cy"]
    assert len(model.questions) == 5, "four turns and the end: none for the other rounds"
    end = course(await stage.history())[-1]
    assert end.result is not None
    assert end.result["text"] == "3 of 3 rounds are done"
    assert end.result["results"] == ["Ann: __EMPTY__", "Bob: __EMPTY__", "Cy: __EMPTY__"]
    usage = ending.usage_metadata
    assert (usage["total_agentic_steps"], usage["total_cached_steps"]) == (4, 6)


async def test_what_a_round_reads_is_in_its_result(stage: Stage) -> None:
    read = Turn((a_call("screenshot", extract_prompt="how many are found, as {{found}}"),))
    model = looping(Turn((START,)), SEARCH, read, END)
    model.read = lambda *_: Observation("…", runtime_values={"found": len(typed(stage))})

    ending = await stage.execute(model, inputs={"patients": PATIENTS})

    assert ending.status is RunStatus.SUCCESS
    end = course(await stage.history())[-1]
    assert end.result is not None
    assert end.result["results"] == ["Ann: 1", "Bob: 2", "Cy: 3"]


async def test_with_nothing_to_loop_over_there_is_no_loop(stage: Stage) -> None:
    ending = await stage.execute(looping(Turn((START,)), END), inputs={"patients": []})

    start, end = await stage.history()
    assert ending.status is RunStatus.SUCCESS
    assert "there is nothing to loop over" in start.result["text"]
    assert "runtime_values" not in start.result
    assert "there is no loop" in end.error


async def test_what_stands_behind_its_start_depends_on_it(stage: Stage) -> None:
    """With nothing to loop over, the calls behind it in the same turn would be done for no item."""
    behind = a_call("click", x=9, y=9)

    await stage.execute(looping(Turn((START, behind))), inputs={"patients": []})

    start, not_done = await stage.history()
    assert start.error == "start_loop is the last call of its turn: what comes next depends on it"
    assert not_done.state is StepState.FAILED
    assert stage.desktop.performed == []


async def test_a_loop_in_a_loop_is_refused(stage: Stage) -> None:
    await stage.execute(looping(Turn((START,)), Turn((START,)), END), inputs={"patients": PATIENTS})

    assert "there is a loop already" in (await stage.history())[1].error


def dialogs_in(stage: Stage, *rounds: int) -> None:
    """In these rounds something else is on the screen once the name was typed, until `escape` is pressed."""

    def react(action: Action) -> ActionResult:
        if isinstance(action, TypeText) and len(typed(stage)) + 1 in rounds:
            stage.desktop.screen = a_screenshot("dialog", size=stage.desktop.screen.size)
            stage.desktop.screen = replace(stage.desktop.screen, png=BLACK.png, digest=BLACK.digest)
        if action == PressKeys("escape"):
            stage.desktop.screen = a_screenshot()
        return ActionResult()

    stage.desktop.react = react


def _black() -> Screenshot:
    import cv2
    import numpy as np

    _, encoded = cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))
    return Screenshot(encoded.tobytes(), a_screenshot().size, "b" * 64)


BLACK = _black()


async def test_a_round_that_does_not_fit_is_ended_by_hand(stage: Stage) -> None:
    dialogs_in(stage, 2)
    by_hand = [Turn((a_call("key", keys="escape"),)), Turn((a_call("key", keys="enter"),))]
    model = looping(Turn((START,)), SEARCH, ENTER, END, repairs=by_hand)

    ending = await stage.execute(model, inputs={"patients": PATIENTS})

    assert ending.status is RunStatus.SUCCESS
    assert typed(stage) == ["Ann", "Bob", "Cy"]
    keys = [action.keys for action in stage.desktop.performed if isinstance(action, PressKeys)]
    assert keys == ["enter", "escape", "enter", "enter"]
    task = next(task for task, _, _ in model.questions if task.is_focused)
    assert task.known["loop_item"] == {"name": "Bob"}
    assert "Done of them in this round: 2." in task.prompt
    end = course(await stage.history())[-1]
    assert end.result["text"] == "3 of 3 rounds are done"
    assert ending.usage_metadata["total_agentic_steps"] == 6, "four turns, one decision to repair, the repair"


async def test_a_round_that_cannot_be_ended_ends_the_loop_with_what_there_is(stage: Stage) -> None:
    dialogs_in(stage, 3)
    endless = [Turn((a_call("key", keys="tab"),))] * 50
    model = looping(Turn((START,)), SEARCH, ENTER, END, Turn((a_call("click", x=9, y=9),)), repairs=endless)

    ending = await stage.execute(model, inputs={"patients": [*PATIENTS, {"name": "Di"}]})

    assert ending.status is RunStatus.SUCCESS
    assert typed(stage) == ["Ann", "Bob", "Cy"]
    end = course(await stage.history())[-2]
    assert end.state is StepState.DONE
    assert end.result["text"].startswith("2 of 4 rounds are done; the loop ended early: it took more than")
    assert end.result["results"] == ["Ann: __EMPTY__", "Bob: __EMPTY__"]


async def test_a_step_that_fails_in_a_later_round_is_repaired_too(stage: Stage) -> None:
    def refuse_bob(action: Action) -> ActionResult:
        if action == TypeText("Bob"):
            raise DesktopRefused(400, "no such key")
        return ActionResult()

    stage.desktop.react = refuse_bob
    model = looping(Turn((START,)), SEARCH, ENTER, END, repairs=[ENTER])

    ending = await stage.execute(model, inputs={"patients": PATIENTS})

    assert ending.status is RunStatus.SUCCESS
    assert typed(stage) == ["Ann", "Cy"]
    task = next(task for task, _, _ in model.questions if task.is_focused)
    assert "Why: type failed: the desktop answered 400: no such key" in task.prompt


async def test_another_worker_goes_on_in_the_middle_of_a_round(stage: Stage) -> None:
    model = looping(Turn((START,)), SEARCH, ENTER, END)
    stage.desktop.react = dying = _Dying(at=TypeText("Bob"))
    with pytest.raises(KeyError):
        await stage.execute(model, inputs={"patients": PATIENTS})
    dying.at = None

    ending = await stage.take_over(model)

    assert ending.status is RunStatus.SUCCESS
    assert typed(stage) == ["Ann", "Bob", "Cy"]
    assert len(stage.desktop.performed) == 9


class _Dying:
    """Lets the worker die before this action."""

    def __init__(self, at: Action | None) -> None:
        self.at = at

    def __call__(self, action: Action) -> ActionResult:
        if action == self.at:
            raise KeyError("the worker is gone")
        return ActionResult()


@pytest.mark.parametrize("names", [["Ann", "Bob", "Cy", "Di"], ["Eve"], []])
async def test_a_recorded_loop_goes_over_the_items_of_the_run(stage: Stage, names: list[str]) -> None:
    behind = Turn((a_call("click", x=9, y=9),))
    await stage.a_waiting_run(inputs={"patients": PATIENTS})
    claim = await stage.claim()
    await stage.carry_out(claim, looping(Turn((START,)), SEARCH, ENTER, END, behind))
    (trajectory,) = await stage.trajectories_of(claim.workflow)
    assert [step["func_name"] for step in trajectory.trajectory_data] == [
        "start_loop",
        "click",
        "type",
        "key",
        "end_loop_iteration",
        "click",
    ]
    await stage.change_trajectory(replace(trajectory, is_approved=True))
    stage.desktop.performed.clear()
    await stage.another_run(claim.workflow, inputs={"patients": [{"name": name} for name in names]})
    again = looping()

    ending = await stage.carry_out(await stage.claim(), again)

    assert ending.status is RunStatus.SUCCESS
    assert typed(stage) == names
    assert stage.desktop.performed[-1] == Click(Point(9, 9))
    assert again.questions == []


async def test_a_loop_that_had_nothing_to_do_when_it_was_recorded_is_left_to_the_model(stage: Stage) -> None:
    behind = Turn((a_call("click", x=9, y=9),))
    await stage.a_waiting_run(inputs={"patients": []})
    claim = await stage.claim()
    await stage.carry_out(claim, looping(Turn((START,)), behind))
    (trajectory,) = await stage.trajectories_of(claim.workflow)
    await stage.change_trajectory(replace(trajectory, is_approved=True))
    await stage.another_run(claim.workflow, inputs={"patients": PATIENTS[:1]})

    again = looping(SEARCH, END)
    await stage.carry_out(await stage.claim(), again)

    assert typed(stage) == ["Ann"]
