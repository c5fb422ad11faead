"""Asking a model again when it failed in a way that may pass."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from cyberdesk_server.executor.asking import persistently
from cyberdesk_server.executor.parts import Limits
from cyberdesk_server.executor.signals import RunFails, RunStopped
from cyberdesk_server.executor.watch import watching
from cyberdesk_server.ports import ModelError
from cyberdesk_server.testing.ports import turns

Stage = Any

OVERLOADED = ModelError("overloaded", is_retryable=True)
WRONG_KEY = ModelError("wrong key", is_retryable=False)
FOREVER = 3600


@dataclass
class Asked:
    """A model that fails in these ways before it answers, and what that took."""

    failures: list[ModelError]
    questions: int = 0

    async def __call__(self) -> str:
        self.questions += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


async def ask(stage: Stage, question: Callable[[], Coroutine[Any, Any, str]], **limits: Any) -> str:
    await stage.a_waiting_run()
    claim = await stage.claim()
    parts = stage.parts(turns(), limits=Limits(**limits))
    async with watching(claim, parts) as watch:
        return await persistently(question, parts, watch)


def seconds_since(stage: Stage, begun: Any) -> float:
    return float((stage.clock.now() - begun).total_seconds())


async def test_an_answer_is_asked_for_once(stage: Stage) -> None:
    asked = Asked([])

    assert await ask(stage, asked) == "answer"

    assert asked.questions == 1


async def test_a_failure_that_may_pass_is_followed_by_pauses_that_double(stage: Stage) -> None:
    asked, begun = Asked([OVERLOADED] * 3), stage.clock.now()

    assert await ask(stage, asked, max_model_attempts=4) == "answer"

    assert asked.questions == 4
    assert seconds_since(stage, begun) == 1 + 2 + 4


async def test_the_last_failure_is_raised_without_another_pause(stage: Stage) -> None:
    asked, begun = Asked([OVERLOADED] * 9), stage.clock.now()

    with pytest.raises(ModelError, match="overloaded"):
        await ask(stage, asked, max_model_attempts=3)

    assert asked.questions == 3
    assert seconds_since(stage, begun) == 1 + 2


async def test_a_failure_that_will_not_pass_is_raised_at_once(stage: Stage) -> None:
    asked, begun = Asked([OVERLOADED, WRONG_KEY]), stage.clock.now()

    with pytest.raises(ModelError, match="wrong key"):
        await ask(stage, asked, max_model_attempts=4)

    assert asked.questions == 2
    assert seconds_since(stage, begun) == 1


async def test_a_model_that_does_not_answer_in_time_is_asked_again(stage: Stage) -> None:
    questions = []

    async def answer_the_second_time() -> str:
        questions.append(len(questions))
        if len(questions) == 1:
            await asyncio.sleep(FOREVER)
        return "answer"

    assert await ask(stage, answer_the_second_time, model_answer_seconds=0.01) == "answer"

    assert len(questions) == 2


async def test_a_model_that_never_answers_in_time_fails_with_the_limit(stage: Stage) -> None:
    async def never() -> str:
        await asyncio.sleep(FOREVER)
        return "too late"

    with pytest.raises(ModelError, match=r"did not answer within 0\.01 seconds"):
        await ask(stage, never, model_answer_seconds=0.01, max_model_attempts=2)


async def test_a_timeout_of_the_models_own_is_not_taken_for_ours(stage: Stage) -> None:
    async def fail() -> str:
        raise TimeoutError("the model's own")

    with pytest.raises(TimeoutError, match="the model's own"):
        await ask(stage, fail)


async def test_a_run_that_is_cancelled_waits_for_no_answer(stage: Stage) -> None:
    async def cancel_and_think() -> str:
        await stage.cancel()
        await asyncio.sleep(FOREVER)
        return "too late"

    async with asyncio.timeout(5):
        with pytest.raises(RunStopped):
            await ask(stage, cancel_and_think)


async def test_pauses_end_at_the_runs_time_limit(stage: Stage) -> None:
    begun = stage.clock.now()

    with pytest.raises(RunFails, match="longer than its limit"):
        await ask(stage, Asked([OVERLOADED] * 9), max_model_attempts=9, run_time_limit_seconds=5.0)

    assert seconds_since(stage, begun) == 5
