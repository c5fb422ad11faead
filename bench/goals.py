"""How a measurement is told: one line per goal.

goal NAME VALUE TARGET met|short
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Goal:
    """A value that must not be exceeded; the name ends in its unit."""

    name: str
    at_most: float

    def tell(self, value: float) -> None:
        _tell_goal(self.name, value, self.at_most, is_met=value <= self.at_most)


@dataclass(frozen=True, slots=True)
class Floor:
    """A value that must be reached; the name ends in its unit."""

    name: str
    at_least: float

    def tell(self, value: float) -> None:
        _tell_goal(self.name, value, self.at_least, is_met=value >= self.at_least)


def tell(name: str, value: float) -> None:
    """A measurement without a goal."""
    print(f"figure {name} {value:.2f}", flush=True)


def tell_distribution(name: str, milliseconds: Sequence[float]) -> None:
    """Where half and where 95 % of the samples lie, for the reader of a goal."""
    p95 = quantiles(milliseconds, n=20)[-1]
    tell(f"{name}_p50_ms", median(milliseconds))
    tell(f"{name}_p95_ms", p95)


def _tell_goal(name: str, value: float, target: float, *, is_met: bool) -> None:
    print(f"goal {name} {value:.2f} {target:g} {'met' if is_met else 'short'}", flush=True)
