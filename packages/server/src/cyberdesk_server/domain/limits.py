"""How long and how far a run may go: the run's own limits over its workflow's over the server's."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Protocol, TypeVar

N = TypeVar("N", int, float)


class Limited(Protocol):
    """A run, a workflow, a request: what has limits of its own. None leaves one to whoever is asked next."""

    @property
    def run_time_limit_seconds(self) -> int | None: ...
    @property
    def max_turns(self) -> int | None: ...
    @property
    def wait_time_limit_seconds(self) -> int | None: ...
    @property
    def cost_limit_usd(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Beyond one of these a run ends in `error`. None is no limit."""

    run_time_limit_seconds: float | None = None
    """From the run's start to its end, over all its workers."""

    max_turns: int | None = None
    """Questions to the model."""

    wait_time_limit_seconds: float | None = None
    """From when the run was made, or was the next of its session, to its start."""

    cost_limit_usd: float | None = None
    """What the calls of language models may cost, as far as their prices are known."""

    @classmethod
    def of(cls, one: Limited) -> "RunLimits":
        return cls(*_limits_of(one))

    def fields(self) -> dict[str, Any]:
        """As members of `Run`."""
        return dict(zip(LIMITS, _limits_of(self), strict=True))

    def or_else(self, others: "RunLimits") -> "RunLimits":
        """These limits, and where there is none that of `others`."""
        return RunLimits(
            _first(self.run_time_limit_seconds, others.run_time_limit_seconds),
            _first(self.max_turns, others.max_turns),
            _first(self.wait_time_limit_seconds, others.wait_time_limit_seconds),
            _first(self.cost_limit_usd, others.cost_limit_usd),
        )

    def at_most(self, most: "RunLimits") -> "RunLimits":
        """These limits, none of them above that of `most`."""
        return RunLimits(
            _smaller(self.run_time_limit_seconds, most.run_time_limit_seconds),
            _smaller(self.max_turns, most.max_turns),
            _smaller(self.wait_time_limit_seconds, most.wait_time_limit_seconds),
            _smaller(self.cost_limit_usd, most.cost_limit_usd),
        )

    def beyond(self, most: "RunLimits") -> Iterator[tuple[str, float]]:
        """The limits that are larger than may be asked for: which, and the most there is."""
        allowed = self.at_most(most)
        for name in LIMITS:
            if getattr(self, name) != getattr(allowed, name):
                yield name, getattr(allowed, name)


LIMITS = tuple(member.name for member in fields(RunLimits))
NO_LIMITS = RunLimits()
_limits_of = attrgetter(*LIMITS)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What the operator allows."""

    usual: RunLimits = RunLimits(run_time_limit_seconds=7200, max_turns=500)
    """For runs that have no limits of their own, nor has their workflow."""

    most: RunLimits = RunLimits(run_time_limit_seconds=86_400, max_turns=10_000)
    """What a run or a workflow may ask for."""


BUILT_IN_LIMITS = ServerLimits()


def _first(own: N | None, others: N | None) -> N | None:
    return others if own is None else own


def _smaller(asked: N | None, most: N | None) -> N | None:
    return asked if asked is None or most is None else min(asked, most)
