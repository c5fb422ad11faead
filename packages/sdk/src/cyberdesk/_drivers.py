"""The two that perform flows: the only code of the SDK that waits.

What an action raises is raised at the `yield` that asked for it, so a flow can answer it; an interrupted flow
is closed.
"""

from __future__ import annotations

import datetime as dt
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from cyberdesk._flow import Action, Block, Flow, Outcome, Pause, ReadClock, Reading, Request, Send, Tell

T = TypeVar("T")


def perform(flow: Flow[T], send: Callable[[Request], Outcome]) -> T:
    """The result of the flow, each action done in this thread."""
    try:
        action = next(flow)
        while True:
            try:
                answer = _do(action, send)
            except Exception as error:
                action = flow.throw(error)
            else:
                action = flow.send(answer)
    except StopIteration as end:
        outcome: T = end.value
        return outcome
    finally:
        flow.close()


async def perform_async(flow: Flow[T], send: Callable[[Request], Awaitable[Outcome]]) -> T:
    """The result of the flow, each action awaited; files are read and written in a thread."""
    try:
        action = next(flow)
        while True:
            try:
                answer = await _do_async(action, send)
            except Exception as error:
                action = flow.throw(error)
            else:
                action = flow.send(answer)
    except StopIteration as end:
        outcome: T = end.value
        return outcome
    finally:
        flow.close()


def _do(action: Action, send: Callable[[Request], Outcome]) -> Any:
    match action:
        case Send(request):
            return send(request)
        case Pause(seconds):
            return time.sleep(seconds)
        case ReadClock():
            return _reading()
        case Block(call):
            return call()
        case Tell(listener, about):
            return _heard(listener(about))


async def _do_async(action: Action, send: Callable[[Request], Awaitable[Outcome]]) -> Any:
    import asyncio  # here, because blocking programs do without it and it takes long to load

    match action:
        case Send(request):
            return await send(request)
        case Pause(seconds):
            return await asyncio.sleep(seconds)
        case ReadClock():
            return _reading()
        case Block(call):
            return await asyncio.to_thread(call)
        case Tell(listener, about):
            heard = listener(about)
            return await heard if inspect.isawaitable(heard) else heard


def _reading() -> Reading:
    return Reading(time.monotonic(), dt.datetime.now(dt.timezone.utc))


def _heard(returned: object) -> None:
    """Nothing, unless the listener wants to be awaited, which nobody can here."""
    if inspect.iscoroutine(returned):
        returned.close()
        raise TypeError(f"{returned.__qualname__}: is asynchronous, and blocking calls cannot wait for it")
