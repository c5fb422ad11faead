"""Keeping a session awake: when the server is silent for long the pointer moves one pixel and back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from cyberdriver.backends.base import Backend, DesktopError, Point

logger = logging.getLogger(__name__)


def nudge(backend: Backend) -> None:
    """Moves the pointer by one pixel and back. Raises what the backend raises."""
    at = backend.pointer()
    backend.move(Point(at.x - 1 if at.x else at.x + 1, at.y))
    backend.move(at)


class Keepalive:
    """Counts idle time, acts at its end. `touch`, `enable` and `disable` may be called from any thread."""

    def __init__(
        self,
        idle: timedelta,
        *,
        is_enabled: bool,
        monotonic_seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._idle_seconds = idle.total_seconds()
        self._is_enabled = is_enabled
        self._monotonic_seconds = monotonic_seconds
        self._sleep = sleep
        self._last_seconds = monotonic_seconds()

    @property
    def is_enabled(self) -> bool:
        return self._is_enabled

    def touch(self) -> None:
        """Something happened: the idle time starts anew."""
        self._last_seconds = self._monotonic_seconds()

    def enable(self) -> None:
        self.touch()
        self._is_enabled = True

    def disable(self) -> None:
        self._is_enabled = False

    async def run(self, act: Callable[[], Awaitable[None]]) -> None:
        """Calls `act` whenever the idle time is over, for ever. A desktop that fails is tried again later."""
        while True:
            left_seconds = self._last_seconds + self._idle_seconds - self._monotonic_seconds()
            if left_seconds > 0:
                await self._sleep(left_seconds)
                continue
            self.touch()
            if self._is_enabled:
                try:
                    await act()
                except DesktopError as error:
                    logger.warning("keepalive: %s", error)
