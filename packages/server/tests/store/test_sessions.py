"""Sessions and the runs in them, on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, SessionId
from cyberdesk_server.domain.refs import Outcome
from cyberdesk_server.domain.runs import (
    ANY_MACHINE,
    RunStatus,
    demand_of_machine,
    demand_of_session,
)
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.store import machines, runs, sessions
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_machine, a_run, a_workflow, an_organization
from sqlalchemy.ext.asyncio import AsyncConnection

SECOND = timedelta(seconds=1)


async def a_session(conn: AsyncConnection, organization_id: OrganizationId, **fields: Any) -> Session:
    """A session begun at noon, which any machine will do for."""
    usual: dict[str, Any] = {"demand": ANY_MACHINE, "created_at": NOON}
    session = Session(id=SessionId(uuid4()), organization_id=organization_id, **usual | fields)
    await sessions.add(conn, session)
    return session


async def test_a_session_is_its_organizations(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        session = await a_session(conn, await an_organization(conn))

        assert await sessions.get(conn, session.organization_id, session.id) == session
        assert await sessions.get(conn, OrganizationId("org_other"), session.id) is None


async def test_a_reserved_machine_is_named_by_its_session_and_by_the_runs_that_wait_in_it(
    database: Database,
) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        session = await a_session(conn, organization)
        waiting = await a_run(conn, workflow, session_id=session.id)
        ended = await a_run(conn, workflow, session_id=session.id, status=RunStatus.CANCELLED)
        outsider = await a_run(conn, workflow)

        await sessions.reserve(conn, {session.id: machine.id})

        reserved = replace(session, machine_id=machine.id)
        assert await sessions.get(conn, organization, session.id) == reserved
        assert await sessions.reserving(conn, machine.id) == (reserved,)
        assert await machines.get(conn, organization, machine.id) == replace(
            machine, reserved_session_id=session.id
        )
        named = [await runs.get(conn, organization, run.id) for run in (waiting, ended, outsider)]
        assert [run and run.machine_id for run in named] == [machine.id, None, None]


async def test_a_session_keeps_its_machine(database: Database) -> None:
    """Invariant 3."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        first, second = [await a_machine(conn, organization) for _ in range(2)]
        session, rival = [await a_session(conn, organization) for _ in range(2)]
        await sessions.reserve(conn, {session.id: first.id})

        await sessions.reserve(conn, {session.id: second.id})
        await sessions.reserve(conn, {rival.id: first.id})

        assert await sessions.reserving(conn, second.id) == ()
        kept = await machines.get(conn, organization, first.id)
        assert kept is not None
        assert kept.reserved_session_id == session.id


async def test_a_session_ends_once_and_frees_its_machine(database: Database) -> None:
    """Invariant 3."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine, other = [await a_machine(conn, organization) for _ in range(2)]
        session, neighbour = [await a_session(conn, organization) for _ in range(2)]
        await sessions.reserve(conn, {session.id: machine.id})
        await sessions.reserve(conn, {neighbour.id: other.id})

        assert await sessions.end(conn, [session.id], now=NOON + SECOND)
        assert not await sessions.end(conn, [session.id], now=NOON + 2 * SECOND)

        assert await sessions.get(conn, organization, session.id) == replace(
            session, machine_id=machine.id, ended_at=NOON + SECOND
        )
        assert await machines.get(conn, organization, machine.id) == machine
        assert await sessions.reserving(conn, machine.id) == ()
        assert len(await sessions.reserving(conn, other.id)) == 1


async def test_demanding_are_the_sessions_that_still_wait_for_a_machine(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        demand = demand_of_machine(machine.id)
        waiting, reserved, ended = [await a_session(conn, organization, demand=demand) for _ in range(3)]
        await a_session(conn, organization)
        await sessions.reserve(conn, {reserved.id: machine.id})
        await sessions.end(conn, [ended.id], now=NOON)

        assert await sessions.demanding(conn, demand, "pools:none") == (waiting,)
        assert await sessions.demanding(conn) == ()


async def test_unfinished_are_the_runs_that_wait_or_go_on_in_order(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        session = await a_session(conn, organization)
        young = await a_run(conn, workflow, session_id=session.id, created_at=NOON + SECOND)
        old = await a_run(conn, workflow, session_id=session.id)
        await a_run(conn, workflow, session_id=session.id, status=RunStatus.SUCCESS)
        await a_run(conn, workflow)
        await runs.update_fields(conn, old.id, {"status": RunStatus.RUNNING.value})

        assert await sessions.unfinished(conn, [session.id]) == {session.id: (old.id, young.id)}


async def test_one_waiting_run_gets_the_session_its_machine(database: Database) -> None:
    """Two would each get it one."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        session = await a_session(conn, organization)
        behind = {"session_id": session.id, "demand": demand_of_session(session.id)}
        ended = await a_run(conn, workflow, **behind, status=RunStatus.CANCELLED)
        before = await a_run(conn, workflow, session_id=session.id)
        waiting = await a_run(conn, workflow, **behind)

        for run in (ended, waiting):
            await sessions.demand_machine(conn, session, run.id)

        found = [await runs.get(conn, organization, run.id) for run in (ended, before, waiting)]
        of_session = demand_of_session(session.id)
        assert [run and run.demand for run in found] == [of_session, of_session, ANY_MACHINE]


async def test_earlier_runs_of_the_session_and_of_the_chain_are_known_by_their_aliases(
    database: Database,
) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        session = await a_session(conn, organization)
        chain_id = uuid4()

        async def ended(seconds: int, status: RunStatus, output: dict[str, int], **fields: Any) -> None:
            run = await a_run(conn, workflow, created_at=NOON + seconds * SECOND, **fields)
            await runs.end(conn, run.id, status=status, changes={"output_data": output}, now=NOON)

        await ended(1, RunStatus.SUCCESS, {"n": 1}, session_id=session.id, session_alias="one")
        await ended(2, RunStatus.ERROR, {"n": 2}, session_id=session.id, session_alias="one")
        await ended(3, RunStatus.SUCCESS, {"n": 3}, chain_id=chain_id, session_alias="two")
        await ended(4, RunStatus.SUCCESS, {"n": 4}, session_id=session.id)
        await ended(5, RunStatus.SUCCESS, {"n": 5}, session_alias="elsewhere")
        run = await a_run(
            conn, workflow, created_at=NOON + 6 * SECOND, session_id=session.id, chain_id=chain_id
        )
        await ended(7, RunStatus.SUCCESS, {"n": 7}, session_id=session.id, session_alias="later")

        assert (await sessions.outcomes(conn, [run]))[run.id] == {
            "one": Outcome(RunStatus.ERROR, {"n": 2}),
            "two": Outcome(RunStatus.SUCCESS, {"n": 3}),
        }
        assert await sessions.aliases(conn, session.id) == {"one", "later"}
        alone = replace(run, session_id=None, chain_id=None)
        assert await sessions.outcomes(conn, [alone]) == {run.id: {}}
