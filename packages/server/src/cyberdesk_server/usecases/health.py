"""Whether the connected machines answer."""

import asyncio
from dataclasses import dataclass

from cyberdesk_server.domain.ids import OrganizationId, ServerId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.ports import Bus, Clock, DesktopError, DesktopRefused
from cyberdesk_server.questions import Driver, Question, expect_ok
from cyberdesk_server.store import machines
from cyberdesk_server.store.database import Database

CHECK_SECONDS = 10.0
"""How long a machine may take to answer, whatever it does besides."""

MAX_MACHINES = 10_000
"""How many are checked; the newest."""

AT_A_TIME = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """A machine that did not answer, or not well."""

    machine: Machine
    error: str
    status: int | None = None
    """The driver's, when it answered."""


@dataclass(frozen=True, slots=True)
class MachinesHealth:
    checked: int
    failures: tuple[Failure, ...]


async def check_machines(
    database: Database, bus: Bus, clock: Clock, server_id: ServerId, organization_id: OrganizationId
) -> MachinesHealth:
    """Ask every machine of the organization for the size of its screen, the cheapest question.

    Those that are connected to another server are left out: this one cannot ask them.
    """
    async with database.read() as conn:
        found, _ = await machines.find(
            conn, organization_id, status=MachineStatus.CONNECTED, limit=MAX_MACHINES
        )
    connected = [machine for machine in found if machine.server_id in (None, server_id)]
    turns = asyncio.Semaphore(AT_A_TIME)

    async def check(machine: Machine) -> Failure | None:
        async with turns:
            return await _failure(machine, Driver(bus, machine.id, machine.features, clock))

    failures = await asyncio.gather(*(check(machine) for machine in connected))
    return MachinesHealth(len(connected), tuple(failure for failure in failures if failure is not None))


async def _failure(machine: Machine, driver: Driver) -> Failure | None:
    question = Question("GET", "/computer/display/dimensions", answer_seconds=CHECK_SECONDS)
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            expect_ok(await driver.ask(question))
    except TimeoutError:
        return Failure(machine, f"the desktop did not answer within {CHECK_SECONDS:g} s")
    except DesktopRefused as error:
        return Failure(machine, str(error), error.status)
    except DesktopError as error:
        return Failure(machine, str(error))
    return None
