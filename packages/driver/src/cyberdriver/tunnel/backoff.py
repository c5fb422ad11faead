"""How long to wait before the next attempt: 1, 2, 4, 8, 16 seconds, each up to 30 % longer."""

import random
from collections.abc import Callable

STEPS_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0)
JITTER = 0.3
HEALTHY_SECONDS = 10.0
"""A tunnel that stood this long was a success: the next drop begins with the first step again."""


class Backoff:
    """The waits of one series of failures. The jitter keeps many drivers from coming back at one moment."""

    def __init__(self, random_fraction: Callable[[], float] = random.random) -> None:
        """`random_fraction` gives numbers from 0 to 1."""
        self._random_fraction = random_fraction
        self._failures = 0

    def next_seconds(self) -> float:
        """The wait after one more failure."""
        step = STEPS_SECONDS[min(self._failures, len(STEPS_SECONDS) - 1)]
        self._failures += 1
        return step * (1 + JITTER * self._random_fraction())

    def ended_after(self, connected_seconds: float) -> None:
        """A tunnel ended that had stood this long."""
        if connected_seconds >= HEALTHY_SECONDS:
            self.reset()

    def reset(self) -> None:
        """The next wait is the first again."""
        self._failures = 0
