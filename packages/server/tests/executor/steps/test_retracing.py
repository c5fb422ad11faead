"""Whether a recorded turn is what the steps ask for next: decided by place and values, not by pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from cyberdesk_server.domain.ids import OrganizationId, TrajectoryId, WorkflowId
from cyberdesk_server.domain.recordings import RecordedTurn, turns_of
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Step, ToolCall
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.domain.trajectories import Trajectory, recorded
from cyberdesk_server.executor.steps.model import StepsModel
from cyberdesk_server.ports import Retrace, Retracer
from cyberdesk_server.testing.prompts import a_task, follow
from cyberdesk_server.testing.rows import NOON
from cyberdesk_server.testing.screens import Canvas

MODEL = StepsModel()


def a_screen(*texts: str) -> Screenshot:
    canvas = Canvas(640, 480)
    for row, text in enumerate(texts):
        canvas.text(40, 40 + 40 * row, text)
    canvas.field(240, 36, "")
    return canvas.screenshot()


SCREEN = a_screen("Name", "Save", "Next")


async def the_recording(
    prompt: str, *, screen: Screenshot = SCREEN, **inputs: Any
) -> tuple[RecordedTurn, ...]:
    """What a run of this prompt leaves behind."""
    return turns_of(a_trajectory(await a_run(prompt, screen=screen, **inputs)))


async def a_run(prompt: str, *, screen: Screenshot = SCREEN, **inputs: Any) -> list[Step]:
    done = await follow(a_task(prompt, inputs), lambda _: screen)
    assert done.error is None
    return [replace(step, screen="supabase://seen") for step in done.history]


def a_trajectory(journal: Sequence[Step]) -> Trajectory:
    return Trajectory(
        TrajectoryId(UUID(int=7)),
        OrganizationId("org"),
        WorkflowId(uuid4()),
        recorded(journal),
        {},
        NOON,
        NOON,
    )


def retrace(
    task: Task,
    history: Sequence[Step],
    turn: RecordedTurn | None,
    values: Mapping[str, Any] | None = None,
) -> Retrace:
    return MODEL.retrace(task, history, values or {}, turn)


def test_the_steps_model_knows_its_way() -> None:
    assert isinstance(MODEL, Retracer)


async def test_another_run_of_the_same_steps_is_retraced_turn_by_turn() -> None:
    prompt = 'Type {name} into "Name"\nClick "Save"\nPress F3'
    turns = await the_recording(prompt, name="Doe")
    task = a_task(prompt, {"name": "Santos"})
    history = await a_run(prompt, name="Santos")

    for number in range(len(turns) + 1):
        so_far = [step for step in history if step.turn <= number]
        fitting = [turn for turn in turns if retrace(task, so_far, turn) is Retrace.SURELY]
        assert fitting == list(turns[number : number + 1])
    assert retrace(task, history, None) is Retrace.SURELY


LOOP = 'For each item in {items}:\n  - Type {item} into "Name"\n  - Click "Save"\nClick "Next"'


@pytest.mark.parametrize("count", range(4))
async def test_a_loop_has_as_many_rounds_as_there_are_items_now(count: int) -> None:
    turns = await the_recording(LOOP, items=["a", "b"])
    items = [f"item {number}" for number in range(count)]
    task, history = a_task(LOOP, {"items": items}), await a_run(LOOP, items=items)

    clicked = []
    for number in range(max(step.turn for step in history)):
        so_far = [step for step in history if step.turn <= number]
        clicked += [turn.calls for turn in turns if retrace(task, so_far, turn) is not Retrace.NEVER][:1]

    in_common = min(count, 2)
    assert len(clicked) == 2 * in_common + 1
    assert clicked[-1] == turns[-1].calls


async def test_conditions_on_values_go_by_the_values_of_this_run() -> None:
    prompt = 'If {sex} is "Male":\n  - Click "Save"\nClick "Next"'
    save, following = await the_recording(prompt, sex="Male")
    task = a_task(prompt, {"sex": "Female"})

    assert retrace(task, [], save) is Retrace.NEVER
    assert retrace(task, [], following) is Retrace.SURELY


async def test_conditions_on_the_screen_need_a_look() -> None:
    prompt = 'If "Allergy" is visible:\n  - Click "Save"\nClick "Next"'
    [following] = await the_recording(prompt)
    task = a_task(prompt)

    assert retrace(task, [], following) is Retrace.ON_A_LOOK
    assert await MODEL.retrace_on(task, [], {}, following, SCREEN)
    assert not await MODEL.retrace_on(task, [], {}, following, a_screen("Name", "Save", "Next", "Allergy"))


async def test_a_wait_that_was_not_needed_is_looked_at() -> None:
    prompt = 'Wait until "Save" appears\nClick "Next"'
    [following] = await the_recording(prompt)
    task = a_task(prompt)

    assert retrace(task, [], following) is Retrace.ON_A_LOOK
    assert await MODEL.retrace_on(task, [], {}, following, SCREEN)
    assert not await MODEL.retrace_on(task, [], {}, following, a_screen("Name", "Next"))


async def test_what_is_pointed_at_by_a_value_is_never_retraced() -> None:
    """Another run has another time of day to click at; the recorded one is there as well."""
    prompt = "Click {time}"
    [turn] = await the_recording('Click "{time}"', time="Save")

    assert retrace(a_task('Click "{time}"', {"time": "Next"}), [], turn) is Retrace.NEVER
    assert retrace(a_task(prompt, {"time": "Next"}), [], turn) is Retrace.NEVER


async def test_a_value_that_is_missing_clears_no_field() -> None:
    prompt = 'Replace the text in "Name" with {middle}'
    [turn] = await the_recording(prompt, middle="Q")

    assert retrace(a_task(prompt, {"middle": "R"}), [], turn) is Retrace.SURELY
    assert retrace(a_task(prompt, {"middle": "__EMPTY__"}), [], turn) is Retrace.NEVER


async def test_a_reading_by_a_runtime_value_is_another_one_with_another_value() -> None:
    prompt = 'Remember {order} as {{order}}\nRead the text right of "{{order}}" as found'
    screen = a_screen("Save       yes", "Next       no")
    _, reading = await the_recording(prompt, screen=screen, order="Save")
    history = (await a_run(prompt, screen=screen, order="Next"))[:1]
    task = a_task(prompt, {"order": "Next"})

    assert retrace(task, history, reading, {"order": "Next"}) is Retrace.NEVER
    assert retrace(task, history, reading, {"order": "Save"}) is Retrace.SURELY


@pytest.mark.parametrize(
    "memo", [None, "", "of another model", "[1]", '{"a": 1}', "[9999,[],0,1]", "[1,[0],0,1]"]
)
async def test_a_recording_of_another_model_is_never_retraced(memo: str | None) -> None:
    turn = RecordedTurn(TrajectoryId(uuid4()), 0, (ToolCall("key", {"keys": "F3"}),), None, memo=memo)

    assert retrace(a_task("Press F3"), [], turn) is Retrace.NEVER


async def test_after_a_failed_turn_the_model_decides() -> None:
    prompt = "Press F3\nPress F4"
    _, second = await the_recording(prompt)
    history = await follow(a_task(prompt), lambda _: SCREEN, fails=lambda call: "no")

    assert retrace(a_task(prompt), history.history, second) is Retrace.NEVER
