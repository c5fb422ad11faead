"""Why does a run wait? In one plain sentence, told from what keeps machines from taking it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId, SessionId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.domain.runs import Demand, Run


class Obstacle(Enum):
    """What keeps a machine from taking a run; of several the first counts. The value is said of many."""

    NOT_CONNECTED = "not connected"
    NOT_AVAILABLE = "not available"
    BUSY = "busy"
    RESERVED = "reserved by a session"


@dataclass(frozen=True, slots=True)
class Waiter:
    """A run that waits, as far as it decides for what."""

    id: RunId
    organization_id: OrganizationId
    demand: Demand
    machine_id: MachineId | None = None
    session_id: SessionId | None = None

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls(run.id, run.organization_id, run.demand, run.machine_id, run.session_id)


ABOUT_TO_START = "a machine is free; the run starts when a worker has taken those before it"


def obstacle(machine: Machine, run: Waiter) -> Obstacle | None:
    """What keeps this machine from taking the run; None when nothing does."""
    if machine.status is not MachineStatus.CONNECTED or machine.connection_id is None:
        return Obstacle.NOT_CONNECTED
    if not machine.is_available:
        return Obstacle.NOT_AVAILABLE
    if machine.held_by_run_id is not None:
        return Obstacle.BUSY
    if machine.reserved_session_id not in (None, run.session_id):
        return Obstacle.RESERVED
    return None


def waits_for_run(before: RunId) -> str:
    """The run is not the next of its session."""
    return f"run {before} of its session comes first"


def waits_for_machine(machine: Machine, run: Waiter) -> str:
    """The run can use this machine only."""
    called = f"machine {machine.name or machine.id}"
    match obstacle(machine, run):
        case Obstacle.NOT_CONNECTED:
            return f"{called} is not connected"
        case Obstacle.NOT_AVAILABLE:
            return f"{called} takes no runs: it is set to be not available"
        case Obstacle.BUSY:
            return f"{called} is busy with run {machine.held_by_run_id}"
        case Obstacle.RESERVED:
            return f"{called} is reserved by session {machine.reserved_session_id}"
        case None:
            return ABOUT_TO_START


def waits_for_one_of(counts: Mapping[Obstacle | None, int], pool_names: Sequence[str]) -> str:
    """The run can use any machine that is in all of these pools; of any kind, without pools.

    `counts` says how many such machines there are, by what keeps them from taking it.
    """
    if counts.get(None):
        return ABOUT_TO_START
    where = _in_pools(pool_names)
    kept = [f"{counts[each]} {each.value}" for each in Obstacle if counts.get(each)]
    if not kept:
        return f"there is no machine{where}"
    return f"no machine{where} is free: {', '.join(kept)}"


def _in_pools(names: Sequence[str]) -> str:
    match names:
        case []:
            return ""
        case [name]:
            return f" in pool {name}"
        case [*first, last]:
            return f" in all of the pools {', '.join(first)} and {last}"
        case _:
            raise AssertionError(names)
