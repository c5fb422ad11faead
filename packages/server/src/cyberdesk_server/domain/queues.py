"""Which waiting run is next, and on which machine, of what has been read so far.

Organizations stand in a `Line`, the one whose last claim is longest ago first. What waits in one, and the
machines it has for that, is its `Queue`. Both know when what is next may be among what was not read.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId
from cyberdesk_server.domain.runs import Demand, is_in_order

Rank = tuple[bool, datetime]
"""Without priority or with it, and the age: the smallest is the best."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A waiting run and the machine it is to get."""

    run_id: RunId
    machine_id: MachineId
    demand: Demand
    organization_id: OrganizationId


@dataclass(slots=True)
class Opening:
    """A demand, and the runs and machines there are for it.

    Of each it has as many as claims are to be made, if there are so many: then it never runs out of any.
    """

    demand: Demand
    promised: Rank
    """No run of this demand is better."""

    urgent: list[tuple[datetime, RunId]] = field(default_factory=list)
    """Those with priority, the oldest first."""

    usual: list[tuple[datetime, RunId]] = field(default_factory=list)
    machines: dict[MachineId, None] = field(default_factory=dict)
    """In the order in which they are given away."""

    @property
    def rank(self) -> Rank | None:
        """Of its best run; None when no run waits any more, or no machine is left for it."""
        if not self.machines or not (self.urgent or self.usual):
            return None
        runs = self._next()
        return runs is not self.urgent, runs[0][0]

    @property
    def best(self) -> RunId:
        return self._next()[0][1]

    def take(self) -> tuple[RunId, MachineId]:
        return self._next().pop(0)[1], next(iter(self.machines))

    def _next(self) -> list[tuple[datetime, RunId]]:
        if is_in_order(self.demand) and self.urgent and self.usual:
            return min(self.urgent, self.usual, key=lambda runs: runs[0][0])
        return self.urgent or self.usual


class Queue:
    """What waits in an organization and has a machine."""

    def __init__(self, organization_id: OrganizationId, openings: Sequence[Opening], *, is_all: bool) -> None:
        """`openings` by their promise, the best first; `is_all` is False when there may be more."""
        self._organization_id = organization_id
        self._openings = openings
        self._is_all = is_all

    @property
    def is_empty(self) -> bool:
        """No run is left that could start."""
        return self._is_all and not self._possible()

    @property
    def is_sure(self) -> bool:
        """What is next, or that nothing is, is known."""
        best = min(self._possible(), key=_by_rank, default=None)
        if best is None or best.rank is None:
            return self._is_all
        return self._is_all or best.rank <= self._openings[-1].promised

    def take(self) -> Pair | None:
        """The next run and its machine, which are gone from the queue then; None when that is not known or
        there is none."""
        possible = self._possible()
        if not possible or not self.is_sure:
            return None
        opening = min(possible, key=_by_rank)
        run_id, machine_id = opening.take()
        for each in self._openings:
            each.machines.pop(machine_id, None)
        return Pair(run_id, machine_id, opening.demand, self._organization_id)

    def _possible(self) -> list[Opening]:
        return [opening for opening in self._openings if opening.rank is not None]


def _by_rank(opening: Opening) -> tuple[Rank | None, str]:
    return opening.rank, str(opening.best)


@dataclass(frozen=True, slots=True)
class Standing:
    """An organization in the line."""

    organization_id: OrganizationId
    promised: int
    """The number of its last claim, or an earlier one."""

    last_claim: int


class Line:
    """Organizations in the order of their last claims."""

    def __init__(self, standings: Iterable[Standing], *, is_all: bool) -> None:
        """`standings` by their promise, the earliest first; `is_all` is False when there may be more."""
        self.standings = tuple(standings)
        self._is_all = is_all
        self._left = sorted(self.standings, key=lambda one: (one.last_claim, one.organization_id))
        self._served: list[OrganizationId] = []

    @property
    def is_empty(self) -> bool:
        """No organization is left."""
        return self._is_all and not self._left and not self._served

    def first(self) -> OrganizationId | None:
        """Which organization is next; None when that is not known or there is none."""
        if not self._left:
            return self._served[0] if self._is_all and self._served else None
        first, last = self._left[0], self.standings[-1]
        promised = last.promised, last.organization_id
        is_sure = self._is_all or (first.last_claim, first.organization_id) <= promised
        return first.organization_id if is_sure else None

    def serve(self) -> None:
        """A run of the first was claimed: the others come before it now."""
        self._served.append(self._pop())

    def leave(self) -> None:
        """The first has nothing left to start."""
        self._pop()

    def _pop(self) -> OrganizationId:
        return self._left.pop(0).organization_id if self._left else self._served.pop(0)
