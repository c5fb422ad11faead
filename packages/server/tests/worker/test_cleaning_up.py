"""When a post-run check has failed, what the workflow's author wants done then is done on the machine."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.actions import Click, PressKeys
from cyberdesk_server.domain.check_verdicts import Judgement
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.history import message_history
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Step, StepState, ToolCall, Turn, course
from cyberdesk_server.domain.tasks import Refusal, Task
from cyberdesk_server.store import steps, trajectories
from cyberdesk_server.testing.ports import FunctionModel
from cyberdesk_server.testing.rows import a_workflow
from cyberdesk_server.worker.job import INTERNAL_ERROR

Floor = Any

PROMPT = "Close everything of {patient}"
ESCAPE = Turn((ToolCall("key", {"keys": "escape"}),))
KEPT = ToolCall("upsert_runtime_values", {"values": {"case": "A-17"}})
MAIN = [Turn((ToolCall("click", {"x": 1, "y": 1}), KEPT)), Turn((ToolCall("declare_task_succeeded"),))]
FAILING: JsonObject = {"name": "Exported", "type": "run_attachment_exists", "file_names": ["a.pdf"]}
PASSING: JsonObject = {"name": "Schema", "type": "output_data_agentic_check", "check_prompt": "?"}


def cleaning(*script: Turn, answer: str = "all closed") -> FunctionModel:
    """A model that does the main part, and these turns when the prompt is that of cleaning up."""

    def decide(
        task: Task, history: Sequence[Step], values: Mapping[str, JsonValue], screenshot: Screenshot
    ) -> Turn:
        turns = script if task.prompt == PROMPT else MAIN
        position = int(history[-1].memo or 0) if history else 0
        if position == len(turns):
            return Turn(thought=answer)
        return replace(turns[position], memo=str(position + 1))

    model = FunctionModel(decide)
    model.verdict = lambda _: Judgement(True, "It is.")
    return model


async def a_run(floor: Floor, *checks: JsonObject, prompt: str | None = PROMPT) -> Run:
    async with floor.database.transaction() as conn:
        floor.workflow = await a_workflow(
            conn, floor.organization_id, post_run_check_failure_cleanup_prompt=prompt
        )
    snapshots = [{"id": str(uuid4()), "status": "pending", **check} for check in checks]
    run: Run = await floor.announced_run(post_run_checks=snapshots, input_values={"patient": "Ann"})
    return run


async def history(floor: Floor, run: Run) -> tuple[Step, ...]:
    async with floor.database.read() as conn:
        return await steps.history(conn, run.id)


async def carried_out(floor: Floor, model: FunctionModel, *checks: JsonObject, **more: Any) -> Run:
    floor.desk = await floor.machine()
    async with floor.working(floor.worker(model)):
        run = await a_run(floor, *checks, **more)
        ended: Run = await floor.until(run.id, lambda run: run.status.is_terminal)
    return ended


async def test_a_failed_check_is_followed_by_its_cleanup(floor: Floor) -> None:
    model = cleaning(ESCAPE, ESCAPE)

    ended = await carried_out(floor, model, PASSING, FAILING)

    assert ended.status is RunStatus.ERROR
    assert ended.error == ("post-run check Exported failed: there is no file a.pdf",)
    assert floor.desktop.performed == [Click(Point(1, 1)), PressKeys("escape"), PressKeys("escape")]
    task = next(task for task, _, _ in model.questions if task.prompt == PROMPT)
    assert task.inputs == {"patient": "Ann"}
    assert task.known == {"case": "A-17"}
    assert await floor.is_free(floor.desk)
    assert ended.usage_metadata is not None
    assert ended.usage_metadata["total_agentic_steps"] == 2 + 1 + 2, "the main part, a judgement, the cleanup"


async def test_checks_that_pass_leave_everything_as_it_is(floor: Floor) -> None:
    ended = await carried_out(floor, cleaning(ESCAPE), PASSING)

    assert (ended.status, ended.error) == (RunStatus.SUCCESS, None)
    assert floor.desktop.performed == [Click(Point(1, 1))]


@pytest.mark.parametrize("prompt", [None, "", "  "])
async def test_without_a_prompt_there_is_nothing_to_clean_up(floor: Floor, prompt: str | None) -> None:
    ended = await carried_out(floor, cleaning(ESCAPE), FAILING, prompt=prompt)

    assert ended.status is RunStatus.ERROR
    assert floor.desktop.performed == [Click(Point(1, 1))]


async def test_a_bug_of_ours_in_a_check_ends_the_run(floor: Floor) -> None:
    def broken(_: object) -> Judgement:
        raise RuntimeError("a bug")

    model = cleaning(ESCAPE)
    model.verdict = broken

    ended = await carried_out(floor, model, PASSING)

    assert (ended.status, ended.error, ended.attempt) == (RunStatus.ERROR, (INTERNAL_ERROR,), 1)
    assert await floor.is_free(floor.desk)


async def test_the_machine_is_kept_until_the_checks_are_over(floor: Floor) -> None:
    model = cleaning(ESCAPE)
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        asked.set()
        await may_answer.wait()

    model.before_judging = wait
    machine = await floor.machine()
    async with floor.working(floor.worker(model)):
        run = await a_run(floor, PASSING)
        await asked.wait()
        is_free_meanwhile = await floor.is_free(machine)
        may_answer.set()
        await floor.until(run.id, lambda run: run.status.is_terminal)

    assert not is_free_meanwhile
    assert await floor.is_free(machine)


async def test_the_history_shows_it_as_one_step_made_of_steps(floor: Floor) -> None:
    ended = await carried_out(floor, cleaning(ESCAPE), FAILING)

    told = await history(floor, ended)
    clean_up = course(told)[-1]
    assert clean_up.call == ToolCall("clean_up", {"prompt": PROMPT})
    assert clean_up.result == {"text": "all closed"}
    assert "post-run check Exported failed" in str(clean_up.thought)
    assert [step.call.tool for step in course(told, clean_up.id)] == ["key"]
    assert "clean_up" in str(message_history("", told))
    async with floor.database.read() as conn:
        kept, _ = await trajectories.find(
            conn, floor.organization_id, trajectories.Wanted(workflow_id=floor.workflow.id)
        )
    assert kept == ()


@pytest.mark.parametrize(
    ("turn", "says"),
    [
        (
            Turn((ToolCall("declare_task_failed", {"reason": "it hangs"}),)),
            "it hangs",
        ),
        (
            Turn((ToolCall("click", {"x": "?"}),)),
            "5 turns failed in a row; the last:",
        ),
    ],
)
async def test_one_that_does_not_work_is_one_reason_more(floor: Floor, turn: Turn, says: str) -> None:
    ended = await carried_out(floor, cleaning(*[turn] * 9), FAILING)

    assert ended.status is RunStatus.ERROR
    assert ended.error is not None
    assert len(ended.error) == 2
    assert ended.error[1].startswith(f"the cleanup did not work: {says}")


async def test_a_prompt_that_cannot_be_followed_is_told_before_the_first_action(floor: Floor) -> None:
    class Picky(FunctionModel):
        def check(self, task: Task) -> Sequence[Refusal]:
            return (Refusal("it is no step", 1),) if task.prompt == PROMPT else ()

    ended = await carried_out(floor, Picky(cleaning().decide), FAILING)

    assert ended.error == ("post_run_check_failure_cleanup_prompt: line 1: it is no step",)
    assert floor.desktop.performed == []


async def test_another_worker_goes_on_in_the_middle_of_it(floor: Floor) -> None:
    """The checks are not made again, and no action is done twice."""
    gone, reached = asyncio.Event(), asyncio.Event()
    model = cleaning(ESCAPE, Turn((ToolCall("key", {"keys": "f4"}),)))
    decide = model.decide

    async def hang_in_the_second() -> None:
        if PressKeys("escape") in floor.desktop.performed and not gone.is_set():
            reached.set()
            await asyncio.get_running_loop().create_future()

    model.before_answer = hang_in_the_second
    await floor.machine()
    first = floor.worker(model)
    working = asyncio.create_task(first.run())
    run = await a_run(floor, FAILING, PASSING)
    await reached.wait()
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    gone.set()
    await floor.expire_leases()
    second = FunctionModel(decide)

    async with floor.working(floor.worker(second)):
        ended: Run = await floor.until(run.id, lambda run: run.status.is_terminal)

    assert [check["status"] for check in ended.post_run_checks or ()] == ["failed", "success"]
    assert floor.desktop.performed == [Click(Point(1, 1)), PressKeys("escape"), PressKeys("f4")]
    assert {task.prompt for task, _, _ in second.questions} == {PROMPT}
    assert second.judged == []
    assert [step.state for step in await history(floor, ended)].count(StepState.DONE) == 6


async def test_a_run_that_is_cancelled_meanwhile_stops(floor: Floor) -> None:
    reached = asyncio.Event()
    model = cleaning(ESCAPE, ESCAPE)

    async def hang() -> None:
        if PressKeys("escape") in floor.desktop.performed:
            reached.set()
            await asyncio.get_running_loop().create_future()

    model.before_answer = hang
    machine = await floor.machine()
    async with floor.working(floor.worker(model)):
        run = await a_run(floor, FAILING)
        await reached.wait()
        await floor.cancel(run.id)
        await floor.until(run.id, lambda run: run.lease_expires_at is None)

    assert (await floor.now(run.id)).status is RunStatus.CANCELLED
    assert await floor.is_free(machine)
    assert floor.desktop.performed == [Click(Point(1, 1)), PressKeys("escape")]
