"""How long a decision of the scheduler takes, whatever waits and whatever machines are there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.store import claims
from cyberdesk_server.store.claims import CheckClaim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import claim_next
from cyberdesk_server.usecases.endings import finish

from bench.goals import Goal, tell
from bench.scheduler_load import Crowd, Group, Mix

RUNS = (1_000, 100_000, 1_000_000)
MACHINES = (10, 1_000, 10_000)
ROUNDS = 24
"""Of which the first quarter warms up; each has one decision in a group, or two."""

LEASE_SECONDS = 600
P99_MS = 50
TIMES_THE_SMALLEST = 2


@dataclass(frozen=True, slots=True)
class Decisions:
    """What decisions took in a crowd of this size, in milliseconds."""

    runs: int
    machines: int
    by_mix: dict[Mix, list[float]] = field(default_factory=dict)

    @property
    def p50(self) -> float:
        return median(self._all)

    @property
    def p99(self) -> float:
        return quantiles(self._all, n=100)[-1]

    @property
    def _all(self) -> list[float]:
        return [each for some in self.by_mix.values() for each in some]


async def measure(name: str, database: Database) -> Sequence[Decisions]:
    """Measured at each size, the smallest first."""
    found: list[Decisions] = []
    crowd = Crowd(database, MACHINES)
    await crowd.come()
    for runs in RUNS:
        await crowd.grow(runs)
        await _catch_up(name, database, crowd, runs)
        for machines in MACHINES:
            some = Decisions(runs, machines)
            for group in crowd.groups:
                if group.machines == machines:
                    some.by_mix[group.mix] = await _decide_often(database, crowd, group)
            found.append(some)
            size = f"scheduler_{name}_{runs}_runs_{machines}_machines"
            tell(f"{size}_p50_ms", some.p50)
            tell(f"{size}_p99_ms", some.p99)
        tell(f"scheduler_{name}_{runs}_runs_resident_mb", _resident_megabytes())
    for mix, taken in found[-1].by_mix.items():
        tell(f"scheduler_{name}_largest_{mix}_p50_ms", median(taken))
        tell(f"scheduler_{name}_largest_{mix}_most_ms", max(taken))
    Goal(f"scheduler_{name}_decision_p99_ms", P99_MS).tell(max(each.p99 for each in found))
    times = found[-1].p50 / found[0].p50
    Goal(f"scheduler_{name}_decision_times_the_smallest_p50", TIMES_THE_SMALLEST).tell(times)
    return found


async def _catch_up(name: str, database: Database, crowd: Crowd, runs: int) -> None:
    """The decisions after everything has changed at once."""
    group = next(group for group in crowd.groups if group.mix is Mix.ELSEWHERE)
    taken, is_all = [], False
    while not is_all:
        began = perf_counter()
        async with database.transaction() as conn:
            claimed = await claims.claim(conn, **_asks(group), at_most=1)
        taken.append(1000 * (perf_counter() - began))
        assert not claimed.claims
        is_all = claimed.is_all
    tell(f"scheduler_{name}_{runs}_runs_all_at_once_ms", sum(taken))
    tell(f"scheduler_{name}_{runs}_runs_all_at_once_longest_decision_ms", max(taken))


async def _decide_often(database: Database, crowd: Crowd, group: Group) -> list[float]:
    taken: list[float] = []
    for number in range(ROUNDS):
        if group.mix in (Mix.ELSEWHERE, Mix.POOLS):
            if number % 2:
                await crowd.one_more_run(group, number)
            else:
                await crowd.change_a_machine(group, number)
            milliseconds, claim = await _decide(database, group)
            assert claim is None
        else:
            milliseconds, claim = await _decide(database, group)
            assert claim is not None
            if group.mix is Mix.BUSY:
                await crowd.one_more_run(group, number)
                in_vain, second = await _decide(database, group)
                assert second is None
                taken.append(in_vain)
            await _end(database, claim)
        taken.append(milliseconds)
    return taken[len(taken) // 4 :]


async def _decide(database: Database, group: Group) -> tuple[float, CheckClaim | None]:
    began = perf_counter()
    async with database.transaction() as conn:
        claim = await claim_next(conn, **_asks(group))
    return 1000 * (perf_counter() - began), claim


def _asks(group: Group) -> dict[str, Any]:
    return {"server_id": group.server_id, "now": datetime.now(UTC), "lease_seconds": LEASE_SECONDS}


async def _end(database: Database, claim: CheckClaim) -> None:
    async with database.transaction() as conn:
        await finish(conn, {claim.held: Ending(RunStatus.SUCCESS)}, now=datetime.now(UTC))


def _resident_megabytes() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("the kernel does not tell how much memory is resident")
