"""Sessions that nobody uses are released."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import OrganizationId, SessionId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.runs import ANY_MACHINE, Run, RunStatus, demand_of_session
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import machines, runs, sessions
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_machine, a_run, a_workflow, an_organization
from cyberdesk_server.usecases.sessions import release_idle

MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE


@dataclass
class Office:
    """One organization with a session that has reserved a machine at noon."""

    database: Database
    organization_id: OrganizationId
    workflow: Workflow
    machine: Machine
    session: Session

    async def run(self, **fields: Any) -> Run:
        """A run of the session, made at noon."""
        async with self.database.transaction() as conn:
            return await a_run(
                conn,
                self.workflow,
                session_id=self.session.id,
                demand=demand_of_session(self.session.id),
                **fields,
            )

    async def run_ended(self, *, at: timedelta) -> None:
        run = await self.run()
        async with self.database.transaction() as conn:
            await runs.end(conn, run.id, status=RunStatus.SUCCESS, changes={}, now=NOON + at)

    async def release_idle(self, *, at: timedelta) -> tuple[SessionId, ...]:
        return await release_idle(self.database, before=NOON + at - HOUR, now=NOON + at)

    async def reserved_for(self) -> object:
        async with self.database.read() as conn:
            found = await machines.get(conn, self.organization_id, self.machine.id)
        assert found is not None
        return found.reserved_session_id


@pytest.fixture
async def office(database: Database) -> Office:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        workflow = await a_workflow(conn, organization_id)
        machine = await a_machine(conn, organization_id)
        session = Session(SessionId(uuid4()), organization_id, ANY_MACHINE, NOON)
        await sessions.add(conn, session)
        await sessions.reserve(conn, {session.id: machine.id})
    return Office(database, organization_id, workflow, machine, session)


async def test_a_session_is_idle_from_the_end_of_its_last_run(office: Office) -> None:
    await office.run_ended(at=5 * MINUTE)
    await office.run_ended(at=30 * MINUTE)

    assert await office.release_idle(at=89 * MINUTE) == ()
    assert await office.reserved_for() == office.session.id
    assert await office.release_idle(at=90 * MINUTE) == (office.session.id,)
    assert await office.reserved_for() is None
    assert await office.release_idle(at=91 * MINUTE) == ()


async def test_a_session_in_which_no_run_ended_is_idle_from_its_start(office: Office) -> None:
    assert await office.release_idle(at=59 * MINUTE) == ()
    assert await office.release_idle(at=60 * MINUTE) == (office.session.id,)


async def test_a_session_with_a_run_that_waits_is_not_idle(office: Office) -> None:
    """Its machine may have been away for days."""
    await office.run()

    assert await office.release_idle(at=100 * HOUR) == ()


async def test_a_session_that_ended_stays_as_it_is(office: Office) -> None:
    async with office.database.transaction() as conn:
        await sessions.end(conn, [office.session.id], now=NOON)

    assert await office.release_idle(at=2 * HOUR) == ()


async def test_two_servers_release_a_session_once(office: Office) -> None:
    released = await asyncio.gather(*(office.release_idle(at=2 * HOUR) for _ in range(2)))

    assert sorted(released) == [(), (office.session.id,)]
