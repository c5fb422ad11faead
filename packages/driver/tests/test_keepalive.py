"""The pointer is nudged after a silence, and only then."""

from datetime import timedelta

import pytest
from cyberdriver.backends.base import DisplayLost, Point
from cyberdriver.keepalive import Keepalive, nudge
from cyberdriver.testing import FakeBackend


class EndOfTestError(Exception):
    pass


class Time:
    """A clock that only sleeping moves; ends the test after some sleeps."""

    def __init__(self, sleeps: int) -> None:
        self.seconds = 0.0
        self.sleeps = sleeps

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        if not self.sleeps:
            raise EndOfTestError
        self.sleeps -= 1
        self.seconds += seconds


async def nudges(time: Time, keepalive: Keepalive, fails: bool = False) -> list[float]:
    at: list[float] = []

    async def act() -> None:
        at.append(time.seconds)
        if fails:
            raise DisplayLost("mouse position", "gone")

    with pytest.raises(EndOfTestError):
        await keepalive.run(act)
    return at


def a_keepalive(time: Time, *, is_enabled: bool = True) -> Keepalive:
    return Keepalive(timedelta(minutes=3), is_enabled=is_enabled, monotonic_seconds=time, sleep=time.sleep)


async def test_a_silence_is_followed_by_a_nudge_again_and_again() -> None:
    time = Time(sleeps=3)

    assert await nudges(time, a_keepalive(time)) == [180.0, 360.0, 540.0]


async def test_a_request_starts_the_silence_anew() -> None:
    time = Time(sleeps=2)
    keepalive = a_keepalive(time)
    time.seconds = 100.0
    keepalive.touch()

    assert await nudges(time, keepalive) == [280.0, 460.0]


async def test_nothing_happens_while_it_is_disabled() -> None:
    time = Time(sleeps=3)
    keepalive = a_keepalive(time)
    keepalive.disable()

    assert await nudges(time, keepalive) == []


async def test_it_can_be_enabled_from_outside() -> None:
    time = Time(sleeps=1)
    keepalive = a_keepalive(time, is_enabled=False)
    keepalive.enable()

    assert keepalive.is_enabled
    assert await nudges(time, keepalive) == [180.0]


async def test_a_desktop_that_fails_is_nudged_again() -> None:
    time = Time(sleeps=2)

    assert await nudges(time, a_keepalive(time), fails=True) == [180.0, 360.0]


@pytest.mark.parametrize("start", [Point(0, 0), Point(500, 300)])
def test_the_pointer_is_back_where_it_was(start: Point) -> None:
    backend = FakeBackend()
    backend.move(start)

    nudge(backend)

    assert backend.pointer() == start
    assert len(backend.inputs) == 3
