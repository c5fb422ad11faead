"""The way a drag takes: which pixels, and when."""

from __future__ import annotations

from dataclasses import dataclass

from cyberdriver.backends.base import Point

STEPS_PER_SECOND = 60
SHORTEST_SECONDS = 0.1
"""Programs see a drag only when the pointer moves while a button is down, and swallow steps made at once."""


@dataclass(frozen=True, slots=True)
class Step:
    """The pointer is at `to`, this long after the button went down."""

    to: Point
    after_seconds: float


def drag_path(start: Point, end: Point, duration_seconds: float) -> list[Step]:
    """Steps at an even pace on the straight line, the last one at the end; even a jump takes a moment."""
    seconds = max(duration_seconds, SHORTEST_SECONDS)
    count = round(seconds * STEPS_PER_SECOND)
    shares = [done / count for done in range(1, count + 1)]
    return [
        Step(Point(_between(start.x, end.x, share), _between(start.y, end.y, share)), seconds * share)
        for share in shares
    ]


def _between(start: int, end: int, share: float) -> int:
    return end if share == 1 else round(start + (end - start) * share)
