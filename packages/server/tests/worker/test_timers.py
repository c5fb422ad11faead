"""Chores by the clock."""

import asyncio
from datetime import datetime, timedelta

from cyberdesk_server.testing.ports import ManualClock
from cyberdesk_server.worker.timers import Chore, keep_doing


class ClockUntil(ManualClock):
    """A clock that is heard no more once it has gone on that far: `asyncio.CancelledError`."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._end = self.now() + timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.now() >= self._end:
            raise asyncio.CancelledError


async def test_a_chore_is_done_at_once_and_then_at_its_pace() -> None:
    clock, times = ClockUntil(150), list[datetime]()
    start = clock.now()

    async def do() -> None:
        times.append(clock.now())

    await keep_doing(clock, [Chore("x", 60, do)])

    assert [(time - start).total_seconds() for time in times] == [0, 60, 120]


async def test_a_chore_that_fails_is_tried_again_and_stops_no_other() -> None:
    clock, done = ClockUntil(300), list[str]()

    async def fail() -> None:
        done.append("failed")
        raise RuntimeError("x")

    async def do() -> None:
        done.append("done")

    await keep_doing(clock, [Chore("bad", 60, fail), Chore("good", 60, do)])

    assert done.count("failed") >= 2
    assert done.count("done") >= 2
