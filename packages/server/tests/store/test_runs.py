"""The life of runs, on both databases."""

from dataclasses import replace
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.runs import RunStatus, demand_of_machine
from cyberdesk_server.store import machines, runs
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import news
from cyberdesk_server.store.tables import runs as runs_table
from cyberdesk_server.testing.rows import NOON, a_machine, a_run, a_workflow, an_organization
from sqlalchemy import select


async def test_runs_that_wait_for_a_removed_machine_end_with_the_reason(database: Database) -> None:
    """Invariant 1."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization, is_connected=False)
        workflow = await a_workflow(conn, organization)
        bound = await a_run(conn, workflow, machine_id=machine.id)
        free = await a_run(conn, workflow)

        ended = await runs.end_waiting(
            conn,
            runs.demanding(demand_of_machine(machine.id)),
            status=RunStatus.ERROR,
            reason="gone",
            now=NOON,
        )
        await machines.delete(conn, organization, machine.id)

        assert [run.id for run in ended] == [bound.id]
        assert await runs.get(conn, organization, bound.id) == replace(
            bound, machine_id=None, status=RunStatus.ERROR, error=("gone",), ended_at=NOON
        )
        assert await runs.get(conn, organization, free.id) == free


async def test_new_runs_are_news(database: Database) -> None:
    async with database.transaction() as conn:
        workflow = await a_workflow(conn, await an_organization(conn))
        machine = await a_machine(conn, workflow.organization_id)
        first = await a_run(conn, workflow)
        await conn.execute(news.delete())

        await runs.add_all(
            conn,
            [
                replace(first, id=RunId(uuid4())),
                replace(first, id=RunId(uuid4()), input_values={"x": 1}),
                replace(first, id=RunId(uuid4()), demand=demand_of_machine(machine.id)),
            ],
        )

        told = (await conn.execute(select(news.c.organization_id, news.c.demand))).all()
        made = await conn.execute(select(runs_table.c.input_values).where(runs_table.c.id != first.id))

    organization = workflow.organization_id
    assert sorted(told) == sorted(
        [(organization, first.demand), (organization, demand_of_machine(machine.id))]
    )
    assert sorted(made.scalars(), key=str) == [None, None, {"x": 1}]


async def test_a_run_of_another_organization_is_not_found(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn)))

        assert await runs.get(conn, OrganizationId("org_other"), run.id) is None
        assert await runs.get(conn, run.organization_id, RunId(uuid4())) is None
