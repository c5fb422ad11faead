"""A decision reads a few rows, however many there are: PostgreSQL counts them."""

import pytest
from cyberdesk_server.domain.runs import demand_of_machine
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import (
    PostgresqlForTests,
    a_machine,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

pytestmark = pytest.mark.slow

MANY = 600
MOST_READ = 100
"""Rows of all tables together, in one decision."""

READ = text(
    "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables"
)


async def decide(database: Database) -> int:
    """How many rows a decision reads that starts a run."""
    async with database.transaction() as conn:
        before = (await conn.execute(READ)).scalar_one()
        assert await claim_next(conn) is not None
        return int((await conn.execute(READ)).scalar_one() - before)


async def catch_up(conn: AsyncConnection) -> None:
    """Take the news of all that was made."""
    for _ in range(3 * MANY // 100):
        await claim_next(conn)


async def test_a_decision_reads_a_few_of_many_runs_and_machines(postgresql: PostgresqlForTests) -> None:
    async with postgresql.a_database() as database:
        async with database.transaction() as conn:
            organization_id = await an_organization(conn)
            workflow = await a_workflow(conn, organization_id)
            machines = [await a_machine(conn, organization_id) for _ in range(MANY)]
            for machine in machines:
                await a_run(conn, workflow, demand=demand_of_machine(machine.id))
                await a_run(conn, workflow)
            await catch_up(conn)
        for _ in range(6):  # PostgreSQL keeps the plan of a statement that was executed a few times
            few = await decide(database)
        async with database.transaction() as conn:
            await conn.execute(text("ANALYZE"))
        many = [await decide(database) for _ in range(3)]

    assert max(few, *many) < MOST_READ


async def test_a_claim_waits_for_no_disk_and_what_comes_after_it_does(postgresql: PostgresqlForTests) -> None:
    waits = text("SHOW synchronous_commit")
    async with postgresql.a_database() as database:
        for is_claim in (True, False):
            async with database.transaction() as conn:
                if is_claim:
                    assert await claim_next(conn) is None
                assert (await conn.execute(waits)).scalar_one() == ("off" if is_claim else "on")
