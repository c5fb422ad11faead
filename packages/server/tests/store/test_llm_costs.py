"""What calls of language models have cost, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.usage import CostTotal, LlmCost
from cyberdesk_server.store import llm_costs, runs
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_run, a_workflow, an_organization

HOUR = timedelta(hours=1)
CALL = LlmCost(
    role="main_agent",
    billing_platform="anthropic",
    model="claude",
    endpoint_type="messages",
    source="organization",
    call_count=1,
    input_tokens=100,
    uncached_input_tokens=40,
    cache_read_tokens=30,
    cache_write_5m_tokens=20,
    cache_write_1h_tokens=10,
    output_tokens=8,
    reasoning_tokens=3,
    cost_usd=0.5,
)


async def test_calls_of_one_kind_are_added_up(database: Database) -> None:
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn)))
        for _ in range(2):
            await llm_costs.add(conn, run.id, CALL)

        assert await llm_costs.of_run(conn, run.id) == (
            replace(
                CALL,
                call_count=2,
                input_tokens=200,
                uncached_input_tokens=80,
                cache_read_tokens=60,
                cache_write_5m_tokens=40,
                cache_write_1h_tokens=20,
                output_tokens=16,
                reasoning_tokens=6,
                cost_usd=1.0,
            ),
        )


@pytest.mark.parametrize("name", ["role", "billing_platform", "model", "endpoint_type", "source"])
async def test_calls_of_other_kinds_stay_apart(database: Database, name: str) -> None:
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn)))
        other = replace(CALL, **{name: "another"})  # type: ignore[arg-type]  # a text, by name
        await llm_costs.add(conn, run.id, CALL)
        await llm_costs.add(conn, run.id, other)

        assert set(await llm_costs.of_run(conn, run.id)) == {CALL, other}


async def test_one_call_without_a_price_leaves_its_kind_without_one(database: Database) -> None:
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn)))
        for price in (0.5, None, 0.5):
            await llm_costs.add(conn, run.id, replace(CALL, cost_usd=price))

        [row] = await llm_costs.of_run(conn, run.id)

    assert (row.call_count, row.cost_usd) == (3, None)


async def test_a_run_that_is_gone_costs_nothing_more(database: Database) -> None:
    async with database.transaction() as conn:
        with pytest.raises(LookupError):
            await llm_costs.add(conn, RunId(uuid4()), CALL)


async def test_totals_are_paged_newest_run_first(database: Database) -> None:
    async with database.transaction() as conn:
        organization, foreign = await an_organization(conn), await an_organization(conn, "org_foreign")
        workflow = await a_workflow(conn, organization)
        old, new, unpriced = [
            await a_run(conn, workflow, created_at=NOON + hours * HOUR) for hours in range(3)
        ]
        await a_run(conn, workflow)
        theirs = await a_run(conn, await a_workflow(conn, foreign))
        free = replace(CALL, role="extraction", cost_usd=None)
        for run, cost in (
            (old, CALL),
            (old, replace(CALL, model="other", cost_usd=0.25)),
            (new, CALL),
            (new, free),
            (unpriced, free),
            (theirs, CALL),
        ):
            await llm_costs.add(conn, run.id, cost)

        totals = [
            CostTotal(unpriced.id, workflow.id, NOON + 2 * HOUR, True, None),
            CostTotal(new.id, workflow.id, NOON + HOUR, True, 0.5),
            CostTotal(old.id, workflow.id, NOON, False, 0.75),
        ]
        assert await llm_costs.totals(conn, organization) == (totals, 3)
        assert await llm_costs.totals(conn, organization, skip=1, limit=1) == (totals[1:2], 3)
        assert await llm_costs.totals(conn, organization, created_from=NOON, created_before=NOON + HOUR) == (
            totals[2:],
            1,
        )


async def test_what_a_try_has_spent_leaves_out_earlier_tries_and_unknown_prices(database: Database) -> None:
    async with database.transaction() as conn:
        run = await a_run(conn, await a_workflow(conn, await an_organization(conn)))
        other = await a_run(conn, await a_workflow(conn, await an_organization(conn, "org_2")))
        await llm_costs.add(conn, run.id, CALL)
        await llm_costs.add(conn, run.id, replace(CALL, model="own", cost_usd=None))
        await llm_costs.add(conn, other.id, CALL)
        first_try = await llm_costs.spent_usd(conn, run.id)
        await runs.end(conn, run.id, status=RunStatus.CANCELLED, changes={}, now=NOON)
        assert await runs.start_over(conn, run, now=NOON) is not None

        after_retry = await llm_costs.spent_usd(conn, run.id)
        await llm_costs.add(conn, run.id, replace(CALL, role="extraction", cost_usd=0.25))

        assert (first_try, after_retry, await llm_costs.spent_usd(conn, run.id)) == (0.5, 0.0, 0.25)
        assert await llm_costs.spent_usd(conn, RunId(uuid4())) == 0.0
