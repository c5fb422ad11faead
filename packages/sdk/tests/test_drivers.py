"""The two drivers perform a flow alike: its actions in order, what they raise at the `yield`, and its end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cyberdesk._drivers import perform, perform_async
from cyberdesk._flow import Answer, Request, blocked, clock, paused, sent

ANSWER = Answer(200, {}, b"")


def perform_blocking(flow, outcomes):
    def send(request):
        return next_of(outcomes)

    return perform(flow, send)


def perform_awaiting(flow, outcomes):
    async def send(request):
        return next_of(outcomes)

    return asyncio.run(perform_async(flow, send))


def next_of(outcomes):
    outcome = outcomes.pop(0)
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


@pytest.fixture(params=[perform_blocking, perform_awaiting], ids=["blocking", "async"])
def driver(request):
    return request.param


def test_a_flow_receives_the_answers_to_its_actions(driver):
    def flow():
        before = yield from clock()
        outcome = yield from sent(Request("GET", "/"))
        yield from paused(0.001)
        length = yield from blocked(lambda: len("four"))
        after = yield from clock()
        return outcome, length, after.seconds - before.seconds >= 0.001, before.utc <= after.utc

    assert driver(flow(), [ANSWER]) == (ANSWER, 4, True, True)


def test_a_flow_without_actions_has_a_result_too(driver):
    def flow():
        return 7
        yield

    assert driver(flow(), []) == 7


def test_what_an_action_raises_is_raised_where_it_was_asked_for(driver):
    def flow():
        try:
            yield from sent(Request("GET", "/"))
        except LookupError as error:
            again = yield from sent(Request("GET", str(error)))
            return again

    assert driver(flow(), [LookupError("no"), ANSWER]) == ANSWER


def test_what_a_flow_does_not_answer_goes_to_the_caller(driver):
    def flow():
        yield from blocked(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        driver(flow(), [])


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_flow_is_closed(driver, interruption):
    closed = []

    def flow():
        try:
            yield from sent(Request("GET", "/"))
        finally:
            closed.append(True)

    with pytest.raises(interruption):
        driver(flow(), [interruption()])

    assert closed == [True]


async def test_a_cancelled_flow_is_closed():
    closed, waiting = [], asyncio.Event()

    def flow():
        try:
            yield from sent(Request("GET", "/"))
        finally:
            closed.append(True)

    async def send(request):
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(perform_async(flow(), send))
    await waiting.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert (task.cancelled(), closed) == (True, [True])


async def test_files_are_not_read_on_the_event_loop():
    def flow():
        return (yield from blocked(threading.current_thread))

    async def send(request):
        raise AssertionError

    assert await perform_async(flow(), send) is not threading.current_thread()
