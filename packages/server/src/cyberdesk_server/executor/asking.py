"""Asks a model, and asks again when it failed in a way that may pass."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import ModelError

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 1.0


async def persistently(ask: Callable[[], Coroutine[Any, Any, T]], parts: ExecutorParts, watch: Watch) -> T:
    """The model's answer.

    Raises the last `ModelError` after `Limits.max_model_attempts`, or at once when trying again makes no
    sense.
    """
    pause_seconds = FIRST_PAUSE_SECONDS
    for attempts_left in reversed(range(parts.limits.max_model_attempts)):
        try:
            return await watch.unless_stopped(_in_time(ask, parts.limits.model_answer_seconds))
        except ModelError as error:
            if not (error.is_retryable and attempts_left):
                raise
        await watch.sleep(pause_seconds)
        pause_seconds *= 2
    raise AssertionError("the last attempt either answered or raised")


async def _in_time(ask: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
    try:
        async with asyncio.timeout(seconds) as deadline:
            return await ask()
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise ModelError(f"the model did not answer within {seconds:g} seconds", is_retryable=True) from error
