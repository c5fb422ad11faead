"""What runs have used, on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.usage import UsageMode, UsageTotal
from cyberdesk_server.store import usage
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_run, a_workflow, an_organization

HOUR = timedelta(hours=1)


def used(agentic: Any, cached: Any, *, outcome: Any = "success", billed: bool = True) -> dict[str, Any]:
    return {
        "total_agentic_steps": agentic,
        "total_cached_steps": cached,
        "total_agentic_steps_billed": agentic if billed else 0,
        "total_cached_steps_billed": cached if billed else 0,
        "billing_outcome": outcome,
    }


async def test_steps_are_added_up_over_the_runs_of_a_time(database: Database) -> None:
    async with database.transaction() as conn:
        organization, foreign = await an_organization(conn), await an_organization(conn, "org_foreign")
        workflow = await a_workflow(conn, organization)

        async def a_run_that_used(metadata: Any, created_at: Any = NOON) -> None:
            await a_run(
                conn, workflow, usage_metadata=metadata, created_at=created_at, status=RunStatus.SUCCESS
            )

        await a_run_that_used(used(3, 1))
        await a_run_that_used(
            used(5, 0, outcome="cancelled", billed=False), NOON + HOUR - timedelta(microseconds=1)
        )
        await a_run_that_used(used(1000, 1000, outcome="infra_failure"))
        await a_run_that_used(used(1000, 1000), NOON - timedelta(microseconds=1))
        await a_run_that_used(used(1000, 1000), NOON + HOUR)
        await a_run_that_used(None)
        theirs = await a_workflow(conn, foreign)
        await a_run(conn, theirs, usage_metadata=used(1000, 1000), status=RunStatus.SUCCESS)

        async def total(mode: UsageMode) -> UsageTotal:
            return await usage.total(
                conn, organization, created_from=NOON, created_before=NOON + HOUR, mode=mode
            )

        assert await total(UsageMode.SIMULATED) == UsageTotal(agentic_steps=8, cached_steps=1, runs=2)
        assert await total(UsageMode.BILLED) == UsageTotal(agentic_steps=3, cached_steps=1, runs=2)


@pytest.mark.parametrize("nonsense", ["7", "many", None, [7], {"x": 7}, True, -1, 1e308, 2**63])
async def test_what_is_no_count_counts_as_nothing(database: Database, nonsense: Any) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        for metadata in (used(nonsense, 2, outcome=nonsense), {}):
            await a_run(conn, workflow, usage_metadata=metadata, status=RunStatus.SUCCESS)

        found = await usage.total(
            conn,
            organization,
            created_from=NOON,
            created_before=NOON + HOUR,
            mode=UsageMode.SIMULATED,
        )

    assert found == UsageTotal(agentic_steps=0, cached_steps=2, runs=2)


async def test_without_runs_there_is_no_usage(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)

        found = await usage.total(
            conn, organization, created_from=NOON, created_before=NOON + HOUR, mode=UsageMode.BILLED
        )

    assert found == UsageTotal(0, 0, 0)
