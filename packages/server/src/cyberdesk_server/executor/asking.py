"""Asks a model, and asks again when it failed in a way that may pass."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from cyberdesk_server.executor.parts import CheckParts
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import ModelError, ModelUnavailable

T = TypeVar("T")

Ask = Callable[[], Coroutine[Any, Any, T]]

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
"""Between two attempts, whatever a provider asks for."""


async def persistently(ask: Ask[T], parts: CheckParts, watch: Watch) -> T:
    """The model's answer, as `patiently`, for as long as the run goes on and may cost something."""
    await watch.afford()
    return await patiently(
        lambda: watch.unless_stopped(ask()),
        attempts=parts.limits.max_model_attempts,
        timeout_seconds=parts.limits.model_answer_seconds,
        sleep=watch.sleep,
    )


async def patiently(
    ask: Ask[T],
    *,
    attempts: int,
    timeout_seconds: float,
    sleep: Callable[[float], Awaitable[None]],
    name: str = "the model",
) -> T:
    """The model's answer. `timeout_seconds` is for one attempt, `name` for what is said when it is up.

    The pauses double, or are as long as the provider asks for. Raises the last `ModelError` after so many
    attempts, or at once when trying again makes no sense.
    """
    pause_seconds = FIRST_PAUSE_SECONDS
    for attempts_left in reversed(range(attempts)):
        try:
            return await _in_time(ask, timeout_seconds, name)
        except ModelError as error:
            if not (error.is_retryable and attempts_left):
                raise
            asked_for = error.retry_after_seconds if isinstance(error, ModelUnavailable) else None
        await sleep(min(max(pause_seconds, asked_for or 0.0), LONGEST_PAUSE_SECONDS))
        pause_seconds *= 2
    raise AssertionError("the last attempt either answered or raised")


async def _in_time(ask: Ask[T], seconds: float, name: str) -> T:
    try:
        async with asyncio.timeout(seconds) as deadline:
            return await ask()
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise ModelUnavailable(
            f"{name} did not answer within {seconds:g} seconds", is_retryable=True
        ) from error
