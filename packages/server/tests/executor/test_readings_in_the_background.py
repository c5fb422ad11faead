"""Readings that go on while the run does."""

import asyncio
from typing import Any

import pytest
from cyberdesk_server.domain.actions import Click
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.history import message_history
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import BEING_READ, Observation, StepState, ToolCall, Turn
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.ports import ModelError
from cyberdesk_server.testing.ports import FunctionModel, turns

Stage = Any

CLICK = ToolCall("click", {"x": 3, "y": 4})


def a_look(prompt: str, process_async: Any = None, **more: Any) -> ToolCall:
    given = {} if process_async is None else {"process_async": process_async}
    return ToolCall("screenshot", {"extract_prompt": prompt, **given, **more})


class SlowReader(FunctionModel):
    """Reads what it is asked for once it is let go."""

    def __init__(self, *script: Turn, fails: str = "") -> None:
        super().__init__(turns(*script).decide)
        self.asked: list[str] = []
        self.most_at_once = self.at_once = 0
        self.free = asyncio.Event()
        self.fails = fails
        self.pictures: list[Screenshot] = []
        self.moved = asyncio.Condition()

    async def extract(self, instruction: str, task: Task, screenshot: Screenshot) -> Observation:
        self.asked.append(instruction)
        await self._has_moved()
        self.pictures.append(screenshot)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.free.wait()
        self.at_once -= 1
        if instruction == self.fails:
            raise ModelError("it is too dark")
        return Observation(f"{instruction}!", {instruction: "read"}, {instruction: "kept"})

    async def next_turn(self, *asked: Any) -> Turn:
        turn = await super().next_turn(*asked)
        await self._has_moved()
        return turn

    async def _has_moved(self) -> None:
        async with self.moved:
            self.moved.notify_all()

    async def is_at(self, *, reads: int, questions: int = 0) -> None:
        """Returns once it was asked so often."""
        async with asyncio.timeout(10), self.moved:
            await self.moved.wait_for(lambda: len(self.asked) >= reads and len(self.questions) >= questions)

    async def conclude(self, *_: Any) -> Any:
        self.at_the_end = list(self.asked), self.at_once
        return await super().conclude(*_)


async def test_run_goes_on_until_the_output_is_built(stage: Stage) -> None:
    model = SlowReader(Turn((a_look("a", "run"),)), Turn((a_look("b", "run"),)), Turn((CLICK,)))
    running = asyncio.create_task(stage.execute(model))
    await model.is_at(reads=2, questions=4)

    before = [step.result for step in await stage.history()][:2]
    model.free.set()
    ending = await running

    assert before == [{"text": BEING_READ, "is_being_read": True}] * 2
    assert (ending.status, ending.output_data) == (RunStatus.SUCCESS, {"a": "read", "b": "read"})
    assert model.at_the_end == (["a", "b"], 0)
    assert ending.usage_metadata["total_agentic_steps"] == 5


async def test_a_batch_is_read_side_by_side_before_the_next_turn(stage: Stage) -> None:
    looks = Turn((a_look("a", "batch"), CLICK, a_look("b", True)))
    model = SlowReader(looks, Turn((ToolCall("type", {"text": "{{a}}{{b}}"}),)))
    running = asyncio.create_task(stage.execute(model))
    await model.is_at(reads=2)

    questions = len(model.questions)
    model.free.set()
    await running

    assert questions == 1
    assert model.most_at_once == 2
    _, history, values = model.questions[1]
    assert values == {"a": "kept", "b": "kept"}
    assert [(step.result or {}).get("text") for step in history] == ["a!", None, "b!"]
    assert stage.desktop.performed[-1].text == "keptkept"


@pytest.mark.parametrize("process_async", [None, "batch", "wait", False])
async def test_a_lone_look_is_waited_for(stage: Stage, process_async: Any) -> None:
    model = SlowReader(Turn((a_look("a", process_async),)))
    model.free.set()

    await stage.execute(model)

    (look,) = await stage.history()
    assert look.result == {"text": "a!", "output": {"a": "read"}, "runtime_values": {"a": "kept"}}


async def test_the_picture_of_the_look_is_read_and_not_a_later_one(stage: Stage) -> None:
    seen = stage.desktop.screen
    model = SlowReader(Turn((a_look("a", "run", zoom_bounding_box=[0, 0, 8, 6]),)), Turn((CLICK,)))
    model.free.set()

    await stage.execute(model)

    assert model.pictures[0].size == (8, 6)
    assert seen.size != (8, 6)


async def test_one_that_fails_in_a_batch_is_told_to_the_model(stage: Stage) -> None:
    model = SlowReader(Turn((a_look("a", "batch"), a_look("b", "batch"))), Turn((CLICK,)), fails="b")
    model.free.set()

    ending = await stage.execute(model)

    assert ending.status is RunStatus.SUCCESS
    _, history, _ = model.questions[1]
    assert [(step.state, step.error) for step in history] == [
        (StepState.DONE, None),
        (StepState.FAILED, "it is too dark"),
    ]


async def test_one_that_fails_at_the_end_is_told_to_the_caller(stage: Stage) -> None:
    """Nobody is left who could do something about it; what was read is kept."""
    model = SlowReader(Turn((a_look("a", "run"), a_look("b", "run"))), Turn((CLICK,)), fails="b")
    model.free.set()

    ending = await stage.execute(model)

    assert (ending.status, ending.output_data) == (RunStatus.ERROR, {"a": "read"})
    assert ending.error == ("step 2 could not be read: it is too dark",)


async def test_another_worker_reads_the_stored_picture(stage: Stage) -> None:
    model = SlowReader(Turn((a_look("a", "run"),)), Turn((CLICK,)))
    running = asyncio.create_task(stage.execute(model))
    await model.is_at(reads=1, questions=3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    looks = stage.desktop.looks
    model.free.set()

    ending = await stage.take_over(model)

    assert (ending.status, ending.output_data) == (RunStatus.SUCCESS, {"a": "read"})
    assert model.asked == ["a", "a"]
    assert model.pictures[0] == model.pictures[1]
    assert stage.desktop.performed == [Click(Point(3, 4))]
    assert stage.desktop.looks > looks, "the next turn is decided on the screen as it is"


async def test_a_cancelled_run_reads_no_more(stage: Stage) -> None:
    model = SlowReader(Turn((a_look("a", "run"),)))
    running = asyncio.create_task(stage.execute(model))
    await model.is_at(reads=1)

    await stage.cancel()

    assert (await running).status is RunStatus.CANCELLED
    assert model.at_once == 1, "it was interrupted, and nobody waited for it"


async def test_a_history_that_was_shown_stays_as_it_was(stage: Stage) -> None:
    """Whoever polls it sees each message once: what comes later is a message of its own."""
    model = SlowReader(Turn((a_look("a", "run"),)), Turn((CLICK,)))
    running = asyncio.create_task(stage.execute(model))
    await model.is_at(reads=1, questions=3)
    stage.clock.advance(1)
    before = message_history("prompt", await stage.history())
    model.free.set()
    await running

    after = message_history("prompt", await stage.history())

    assert after[: len(before)] == before
    (late,) = after[len(before) :]
    assert late["content"][0]["tool_result"] == "a!"  # type: ignore[index, call-overload]
