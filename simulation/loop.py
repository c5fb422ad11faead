"""An event loop without real time, threads or chance: one seed, one course of events.

Every process of the simulated site is a `Host`. What is ready on one host runs in the order in which it
became ready, as on a real event loop; which host comes next is drawn by lot. Time stands still while anybody
has something to do, and then leaps to the next timer.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

HOST: ContextVar["Host"] = ContextVar("host")
"""Where the code runs that asks. Tasks and callbacks inherit it from whoever makes them."""


class NothingLeftToDo(Exception):
    """Everybody waits for somebody else, and no timer is set."""


class Host:
    """One process: it can freeze and thaw, and die at any of its awaits."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready: deque[asyncio.Handle] = deque()
        self.is_frozen = False
        self.is_dead = False
        self.skew_seconds = 0.0
        """By how much its clock is ahead of everybody's time."""

        self.at_death: list[Callable[[], None]] = []
        """What the operating system does when the process is gone."""

        self._tasks: list[asyncio.Task[Any]] = []
        self._context = Context()
        self._context.run(HOST.set, self)

    def __repr__(self) -> str:
        return self.name

    @property
    def is_able(self) -> bool:
        return not (self.is_frozen or self.is_dead)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start this here, whoever asks for it."""
        return asyncio.get_running_loop().create_task(work, context=self._context.copy())

    def call_later(self, seconds: float, callback: Callable[..., object], *arguments: Any) -> None:
        """Have this called here."""
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, callback, *arguments, context=self._context)

    def die(self) -> None:
        """Nothing runs here any more: no `except`, no `finally`."""
        self.is_dead = True
        for clean_up in self.at_death:
            clean_up()

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold on to a task: one that is dropped would be closed, and run its `finally`."""
        self._tasks.append(task)

    def bury(self) -> list[asyncio.Task[Any]]:
        """What is left of the tasks, now that nothing they do matters; what is ready here runs again."""
        self.is_frozen = False
        left = [task for task in self._tasks if not task.done() and task is not asyncio.current_task()]
        self._tasks = []
        return left


class NumberedTask(asyncio.Task[T]):
    """A task whose place in a set is the same each time: a group cancels its tasks in that order."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], *, number: int, **options: Any) -> None:
        self._number = number
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self._number


class SimulatedLoop(asyncio.BaseEventLoop):
    """For one seed."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self.hosts: list[Host] = []
        """Those that live."""

        self._dead: list[Host] = []
        self.steps = 0
        self.trace = 0
        """A number made of every choice so far: equal for equal courses of events."""

        self.after_step: Callable[[Host], None] = lambda host: None
        """Called when a host has come to its next await. What it raises ends the simulation."""

        self._chance = chance
        self._now = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()
        self.outside = self.new_host("outside")
        self.set_task_factory(self._new_task)  # type: ignore[arg-type]

    def time(self) -> float:
        return self._now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._make_ready(handle)
        return handle

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._timers, (when, next(self._numbers), timer))
        return timer

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """There are no threads: the work is done at once and takes no time."""
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # whoever waits for it gets it
            done.set_exception(error)
        return done

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""

    def bury(self) -> None:
        """Let the tasks of all hosts come to an end, so that none is dropped half way."""
        self.after_step = lambda host: None
        self.set_exception_handler(lambda loop, context: None)
        self.run_until_complete(self._bury())
        self.run_until_complete(self.shutdown_asyncgens())

    async def _bury(self) -> None:
        for host in tuple(self.hosts):
            host.die()
        self.hosts, self._dead = self._dead, []
        left = [task for host in self.hosts for task in host.bury()]
        for task in left:
            task.cancel()
        while left:
            await asyncio.wait(left)
            left = [task for host in self.hosts for task in host.bury()]  # an end may need a task of its own

    def new_host(self, name: str) -> Host:
        """A host on which nothing runs yet."""
        host = Host(name)
        host.at_death.append(lambda: self._remove(host))
        self.hosts.append(host)
        return host

    def _remove(self, host: Host) -> None:
        self.hosts.remove(host)
        self._dead.append(host)

    def _new_task(
        self, _: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], **options: Any
    ) -> asyncio.Task[T]:
        task = NumberedTask(coroutine, number=next(self._numbers), loop=self, **options)
        context = options.get("context")
        host = HOST.get(self.outside) if context is None else context.get(HOST, self.outside)
        host.keep(task)
        return task

    def _make_ready(self, handle: asyncio.Handle) -> None:
        handle._context.get(HOST, self.outside).ready.append(handle)  # type: ignore[attr-defined]

    def _run_once(self) -> None:
        while not (able := [host for host in self.hosts if host.ready and not host.is_frozen]):
            self._leap()
        chosen = self._chance.randrange(len(able)) if len(able) > 1 else 0
        host = able[chosen]
        handle = host.ready.popleft()
        if handle.cancelled():
            return
        self.steps += 1
        self.trace = hash((self.trace, chosen, self._now))
        handle._run()
        self.after_step(host)

    def _leap(self) -> None:
        if not self._timers:
            raise NothingLeftToDo
        self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            _, _, timer = heappop(self._timers)
            if not timer.cancelled():
                self._make_ready(timer)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are dropped when their time comes."""
