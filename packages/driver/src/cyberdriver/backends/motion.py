"""The way a drag takes: which pixels, and when."""

from __future__ import annotations

from dataclasses import dataclass

from cyberdriver.backends.base import Point

STEPS_PER_SECOND = 60
FEWEST_STEPS = 8
"""Programs see a drag only when the pointer moves while the button is down; even a jump makes some steps."""


@dataclass(frozen=True, slots=True)
class Step:
    """The pointer is at `to`, this long after the button went down."""

    to: Point
    after_seconds: float


def drag_path(start: Point, end: Point, duration_seconds: float) -> list[Step]:
    """Steps at an even pace on the straight line, the last one at the end, after the whole duration."""
    count = max(FEWEST_STEPS, round(duration_seconds * STEPS_PER_SECOND))
    shares = [done / count for done in range(1, count + 1)]
    return [
        Step(
            Point(_between(start.x, end.x, share), _between(start.y, end.y, share)), duration_seconds * share
        )
        for share in shares
    ]


def _between(start: int, end: int, share: float) -> int:
    return end if share == 1 else round(start + (end - start) * share)
