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
        outcome = "met" if value <= self.at_most else "short"
        print(f"goal {self.name} {value:.2f} {self.at_most:g} {outcome}", flush=True)


def tell(name: str, value: float) -> None:
    """A measurement without a goal."""
    print(f"figure {name} {value:.2f}", flush=True)


def tell_distribution(name: str, milliseconds: Sequence[float]) -> None:
    """Where half and where 95 % of the samples lie, for the reader of a goal."""
    p95 = quantiles(milliseconds, n=20)[-1]
    tell(f"{name}_p50_ms", median(milliseconds))
    tell(f"{name}_p95_ms", p95)
