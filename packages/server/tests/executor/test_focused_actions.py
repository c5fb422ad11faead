"""A focused action has a course of its own, which is part of one step of the run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from cyberdesk_server.domain.actions import Action, ActionResult, Click, TypeText
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.history import message_history
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Step, StepState, ToolCall, Turn, course
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.domain.trajectories import recorded
from cyberdesk_server.executor.steps.model import StepsModel
from cyberdesk_server.executor.tools.focused import MOST_TURNS, WITHHELD
from cyberdesk_server.ports import DesktopUnreachable
from cyberdesk_server.testing.ports import FunctionModel, a_call

Stage = Any


def click(x: int) -> ToolCall:
    return a_call("click", x=x, y=1)


FOCUS = a_call("focused_action", instruction="Open the newest order of {patient}")


def with_focus(*outer: Turn, inner: Sequence[Turn], answer: str | None = "it is open") -> FunctionModel:
    """A model that takes these turns, and in a focused action those; then it says the answer."""

    def decide(
        task: Task, history: Sequence[Step], values: Mapping[str, JsonValue], screenshot: Screenshot
    ) -> Turn:
        script = inner if task.is_focused else outer
        position = int(history[-1].memo or 0) if history else 0
        if position == len(script):
            return Turn(thought=answer) if task.is_focused else Turn()
        return replace(script[position], memo=str(position + 1))

    return FunctionModel(decide)


async def test_its_steps_are_parts_of_one_step(stage: Stage) -> None:
    model = with_focus(
        Turn((FOCUS, click(2))), inner=[Turn((click(10), click(11)), "I see two."), Turn((click(12),))]
    )

    ending = await stage.execute(model, inputs={"patient": "Ann"})

    assert ending.status is RunStatus.SUCCESS
    assert [action.at.x for action in stage.desktop.performed] == [10, 11, 12, 2]
    history = await stage.history()
    focus, behind = course(history)
    assert (focus.call, behind.call) == (FOCUS, click(2))
    assert focus.result == {"text": "it is open"}
    assert [step.call for step in history] == [FOCUS, click(10), click(11), click(12), click(2)]
    assert [step.turn for step in course(history, focus.id)] == [1, 1, 2]


async def test_it_knows_its_instruction_and_the_values_so_far_and_nothing_else(stage: Stage) -> None:
    kept = a_call("upsert_runtime_values", values={"order_id": "A-17"})
    model = with_focus(Turn((kept, FOCUS)), inner=[Turn((click(10),))])

    await stage.execute(model, inputs={"patient": "Ann"})

    task, history, values = next(asked for asked in model.questions if asked[0].is_focused)
    assert task.prompt == "Open the newest order of {patient}"
    assert task.inputs == {"patient": "Ann"}
    assert (task.known, values) == ({"order_id": "A-17"}, {"order_id": "A-17"})
    assert history == ()
    assert not WITHHELD & {spec.name for spec in task.tools}


async def test_values_it_keeps_are_there_at_once_and_afterwards(stage: Stage) -> None:
    kept = a_call("upsert_runtime_values", values={"order": {"id": "A-17"}})
    typed = a_call("type", text="{{order.id}}")
    model = with_focus(Turn((FOCUS, typed)), inner=[Turn((kept, typed))])

    await stage.execute(model)

    assert stage.desktop.performed == [TypeText("A-17"), TypeText("A-17")]
    assert course(await stage.history())[0].result == {
        "text": "it is open",
        "runtime_values": {"order": {"id": "A-17"}},
    }


async def test_only_the_whole_of_it_is_recorded(stage: Stage) -> None:
    await stage.execute(with_focus(Turn((FOCUS,)), Turn((click(2),)), inner=[Turn((click(10),))]))

    steps = recorded(await stage.history())

    assert [(step["func_name"], step["kwargs"]) for step in steps] == [
        ("focused_action", FOCUS.arguments),
        ("click", click(2).arguments),
    ]


async def test_a_recorded_one_is_done_live(stage: Stage) -> None:
    first = with_focus(Turn((FOCUS,)), Turn((click(2),)), inner=[Turn((click(10),))])
    await stage.a_waiting_run(inputs={"patient": "Ann"})
    claim = await stage.claim()
    await stage.carry_out(claim, first)
    (trajectory,) = await stage.trajectories_of(claim.workflow)
    await stage.change_trajectory(replace(trajectory, is_approved=True))
    await stage.another_run(claim.workflow, inputs={"patient": "Bob"})

    again = with_focus(inner=[Turn((click(20),)), Turn((click(21),))])
    ending = await stage.carry_out(await stage.claim(), again)

    assert ending.status is RunStatus.SUCCESS
    assert [action.at.x for action in stage.desktop.performed] == [10, 2, 20, 21, 2]
    assert [task.is_focused for task, _, _ in again.questions] == [True, True, True]
    assert [step.is_cached for step in await stage.history()] == [True, False, False, True]
    usage = ending.usage_metadata
    assert (usage["total_agentic_steps"], usage["total_cached_steps"]) == (1, 2)
    assert len(await stage.trajectories_of(claim.workflow)) == 1, "a replay of everything is not kept again"


async def test_it_costs_one_step_however_many_turns_it_takes(stage: Stage) -> None:
    model = with_focus(Turn((FOCUS,)), inner=[Turn((click(10),)), Turn((click(11),))])

    ending = await stage.execute(model)

    assert ending.usage_metadata["total_agentic_steps"] == 2, "the turn that wanted it, and itself"


@pytest.mark.parametrize(
    ("tool", "arguments", "status"),
    [
        ("declare_task_failed", {"reason": "no such order"}, RunStatus.TASK_FAILED),
        ("declare_task_succeeded", {"text": "it is paid"}, RunStatus.SUCCESS),
    ],
)
async def test_what_it_declares_ends_the_run(
    stage: Stage, tool: str, arguments: dict[str, Any], status: RunStatus
) -> None:
    model = with_focus(Turn((FOCUS, click(2))), inner=[Turn((a_call(tool, **arguments), click(10)))])

    ending = await stage.execute(model)

    assert ending.status is status
    assert stage.desktop.performed == []


async def test_a_recording_that_was_declared_over_inside_is_no_way_to_the_end(stage: Stage) -> None:
    """Another run, in which the focused action finds no reason to end, goes on with the model."""
    over = Turn((a_call("declare_task_succeeded", text="it is paid already"),))
    await stage.a_waiting_run()
    claim = await stage.claim()
    await stage.carry_out(claim, with_focus(Turn((FOCUS,)), inner=[over]))
    (trajectory,) = await stage.trajectories_of(claim.workflow)
    await stage.change_trajectory(replace(trajectory, is_approved=True))

    async def again(model: FunctionModel) -> RunStatus:
        await stage.another_run(claim.workflow, inputs={})
        ending = await stage.carry_out(await stage.claim(), model)
        status: RunStatus = ending.status
        return status

    assert await again(with_focus(inner=[over])) is RunStatus.SUCCESS
    assert stage.desktop.performed == []
    assert await again(with_focus(Turn((click(2),)), inner=[])) is RunStatus.SUCCESS
    assert stage.desktop.performed == [Click(Point(2, 1))]


async def test_one_that_leads_nowhere_is_told_to_the_model(stage: Stage) -> None:
    endless = [Turn((click(number),)) for number in range(MOST_TURNS + 5)]
    model = with_focus(Turn((FOCUS, click(2))), Turn((click(3),)), inner=endless)

    ending = await stage.execute(model)

    assert ending.status is RunStatus.SUCCESS
    focus, not_done, _ = course(await stage.history())
    assert (focus.state, focus.error) == (StepState.FAILED, f"it took more than {MOST_TURNS} turns")
    assert not_done.state is StepState.FAILED
    assert stage.desktop.performed[-1] == Click(Point(3, 1))


@pytest.mark.parametrize("tool", sorted(WITHHELD))
async def test_it_has_no_course_inside_it_but_its_own(stage: Stage, tool: str) -> None:
    wanted = a_call(tool, instruction="again", text="[1]")
    model = with_focus(Turn((FOCUS,)), inner=[Turn((wanted,))])

    await stage.execute(model)

    (refused,) = [step for step in await stage.history() if step.within]
    assert f"there is no tool {tool}" in str(refused.error)


@pytest.mark.parametrize("tool", ["clean_up", "next_loop_item"])
async def test_a_model_cannot_ask_for_what_the_server_does_by_itself(stage: Stage, tool: str) -> None:
    """The journal tells by its name what the server has done."""
    await stage.execute(with_focus(Turn((a_call(tool, prompt="?", index=0),)), inner=[]))

    (refused,) = await stage.history()
    assert (refused.call.tool, refused.state) == (f"{tool} (of the server)", StepState.FAILED)


async def test_its_turns_count_for_the_limit_of_the_run(stage: Stage) -> None:
    stage.limits = replace(stage.limits, max_turns=3)
    model = with_focus(Turn((FOCUS,)), inner=[Turn((click(10),)), Turn((click(11),)), Turn((click(12),))])

    ending = await stage.execute(model)

    assert ending.error == ("the run took more than its limit of 3 turns",)
    assert [step.state for step in course(await stage.history())] == [StepState.BROKEN]


def breaking(at_x: int) -> Callable[[Action], ActionResult]:
    def react(action: Action) -> ActionResult:
        if action == Click(Point(at_x, 1)):
            raise DesktopUnreachable("cable")
        return ActionResult()

    return react


async def test_another_worker_goes_on_inside_it(stage: Stage) -> None:
    """What was done is not done again; what was on its way is asked for by the same id."""
    model = with_focus(Turn((FOCUS, click(2))), inner=[Turn((click(10), click(11))), Turn((click(12),))])
    lost = KeyError("the worker is gone")

    def die(action: Action) -> ActionResult:
        if action == Click(Point(11, 1)):
            raise lost
        return ActionResult()

    stage.desktop.react = die
    with pytest.raises(KeyError):
        await stage.execute(model, inputs={"patient": "Ann"})
    stage.desktop.react = lambda _: ActionResult()

    ending = await stage.take_over(model)

    assert ending.status is RunStatus.SUCCESS
    assert [action.at.x for action in stage.desktop.performed] == [10, 11, 12, 2]


async def test_a_desktop_that_is_gone_ends_the_run_from_inside(stage: Stage) -> None:
    stage.desktop.react = breaking(11)

    ending = await stage.execute(with_focus(Turn((FOCUS,)), inner=[Turn((click(11),))]))

    assert ending.status is RunStatus.ERROR
    assert [step.state for step in await stage.history()] == [StepState.BROKEN, StepState.BROKEN]


async def test_the_history_tells_what_it_was_made_of_between_its_call_and_its_result(stage: Stage) -> None:
    await stage.execute(with_focus(Turn((FOCUS, click(2))), inner=[Turn((click(10),), "There.")]))

    told = [
        (block.get("tool_name") or block.get("tool_result") or block.get("text"), message["role"])
        for message in message_history("The prompt", await stage.history())
        for block in message["content"]  # type: ignore[union-attr]
        if block["type"] != "image"  # type: ignore[index, call-overload]
    ]

    assert told == [
        ("The prompt", "user"),
        ("focused_action", "assistant"),
        ("There.", "assistant"),
        ("click", "assistant"),
        (None, "user"),
        ("it is open", "user"),
        ("click", "assistant"),
        (None, "user"),
    ]


async def test_steps_carries_out_an_instruction_written_as_steps(stage: Stage) -> None:
    """By the model itself: a language model beside it could write such an instruction as well."""
    instruction = 'Remember "{patient}-1" as {{case}}\nType {{case}}'
    model = with_focus(Turn((a_call("focused_action", instruction=instruction),)), inner=[])
    steps = StepsModel()

    class Both(FunctionModel):
        async def next_turn(self, task: Task, *rest: Any) -> Turn:
            asked = steps if task.is_focused else super()
            return await asked.next_turn(task, *rest)

        def has_finished(self, task: Task, history: Sequence[Step]) -> bool:
            return task.is_focused and steps.has_finished(task, history)

    ending = await stage.execute(Both(model.decide), inputs={"patient": "Ann"})

    assert ending.status is RunStatus.SUCCESS
    assert stage.desktop.performed == [TypeText("Ann-1")]


async def test_what_it_reads_is_in_the_output(stage: Stage) -> None:
    model = with_focus(
        Turn((FOCUS,)), inner=[Turn((a_call("screenshot", extract_prompt="the total"),))], answer=None
    )
    model.read = lambda *_: Observation("12 $", {"total": "12 $"})

    ending = await stage.execute(model)

    assert ending.output_data == {"total": "12 $"}
    assert course(await stage.history())[0].result == {"text": "12 $"}
