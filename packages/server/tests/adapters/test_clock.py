"""Clocks: the real one and the one tests move by hand."""

from datetime import UTC

import pytest
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.ports import Clock
from cyberdesk_server.testing.ports import ManualClock


@pytest.fixture(params=[SystemClock, ManualClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


class TestClock:
    def test_times_are_in_utc(self, clock: Clock) -> None:
        assert clock.now().tzinfo is UTC

    async def test_time_passes_while_it_sleeps(self, clock: Clock) -> None:
        before = clock.now()

        await clock.sleep(0.01)

        assert (clock.now() - before).total_seconds() >= 0.009
