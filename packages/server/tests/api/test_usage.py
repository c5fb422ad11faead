"""Usage and costs over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.api.schemas.usage import (
    RunLlmCostRow,
    RunLlmCostsResponse,
    RunLlmCostTotalResponse,
    UsageAggregateResponse,
)
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.usage import LlmCost
from cyberdesk_server.store import llm_costs

Make = Callable[..., Awaitable[dict[str, Any]]]

DAY = {"from_date": "2030-01-01T00:00:00", "to_date": "2030-01-02T01:00:00+01:00"}
CALL = LlmCost("main_agent", "anthropic", "claude", "messages", "organization", 1, 100, 100, cost_usd=0.5)


async def a_run_that_cost(parts: Parts, make: Make, *costs: LlmCost) -> dict[str, Any]:
    run = await make("runs", workflow_id=(await make("workflows"))["id"])
    async with parts.database.transaction() as conn:
        for cost in costs:
            await llm_costs.add(conn, RunId(UUID(run["id"])), cost)
    return run


async def test_usage_is_told_for_a_time_in_utc(client: httpx.AsyncClient, make: Make) -> None:
    run = await make("runs", workflow_id=(await make("workflows"))["id"])
    used = {"total_agentic_steps": 5, "total_cached_steps": 2, "total_agentic_steps_billed": 3}
    await client.patch(f"/v1/runs/{run['id']}", json={"usage_metadata": used, "status": "success"})

    simulated = (await client.get("/v1/usage/aggregate", params=DAY)).json()
    billed = (await client.get("/v1/usage/aggregate", params=DAY | {"mode": "billed"})).json()

    assert simulated == {
        "total_agentic_steps": 5,
        "total_cached_steps": 2,
        "period_start": "2030-01-01T00:00:00Z",
        "period_end": "2030-01-02T00:00:00Z",
        "mode": "simulated",
        "runs_counted": 1,
    }
    assert billed == simulated | {"total_agentic_steps": 3, "total_cached_steps": 0, "mode": "billed"}
    assert set(simulated) == set(UsageAggregateResponse.model_fields)


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("aggregate", {"from_date": "2030-01-01"}, "to_date"),
        ("aggregate", DAY | {"mode": "paid"}, "mode"),
        ("aggregate", DAY | {"from_date": "then"}, "from_date"),
        ("aggregate", DAY | {"to_date": "2029-12-31T00:00:00"}, "to_date"),
        ("llm-costs", DAY | {"to_date": "2029-12-31T00:00:00"}, "to_date"),
        ("llm-costs", {"limit": 0}, "limit"),
    ],
)
async def test_a_time_that_is_none_is_named(
    client: httpx.AsyncClient, path: str, query: dict[str, Any], name: str
) -> None:
    answer = await client.get(f"/v1/usage/{path}", params=query)

    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["query", name]]


async def test_the_costs_of_a_run_are_told_by_kind_of_call(
    client: httpx.AsyncClient, parts: Parts, make: Make
) -> None:
    unpriced = LlmCost("extraction", "openai", "own", "responses", "cyberdesk", 2)
    run = await a_run_that_cost(parts, make, CALL, CALL, unpriced)

    answer = (await client.get(f"/v1/runs/{run['id']}/llm-costs")).json()

    assert {name: answer[name] for name in ("run_id", "has_unpriced", "total_cost_usd")} == {
        "run_id": run["id"],
        "has_unpriced": True,
        "total_cost_usd": 1.0,
    }
    assert [(row["role"], row["call_count"], row["cost_usd"]) for row in answer["rows"]] == [
        ("extraction", 2, None),
        ("main_agent", 2, 1.0),
    ]
    assert set(answer) == set(RunLlmCostsResponse.model_fields)
    assert set(answer["rows"][0]) == set(RunLlmCostRow.model_fields)


@pytest.mark.parametrize(
    ("costs", "has_unpriced", "total"),
    [((), False, 0), ((LlmCost("a", "b", "c", "d", "e", 1),), True, None)],
)
async def test_nothing_costs_nothing_and_no_price_is_no_total(
    client: httpx.AsyncClient,
    parts: Parts,
    make: Make,
    costs: tuple[LlmCost, ...],
    has_unpriced: bool,
    total: float | None,
) -> None:
    run = await a_run_that_cost(parts, make, *costs)

    answer = (await client.get(f"/v1/runs/{run['id']}/llm-costs")).json()

    assert (answer["has_unpriced"], answer["total_cost_usd"]) == (has_unpriced, total)


async def test_costs_are_listed_by_run(client: httpx.AsyncClient, parts: Parts, make: Make) -> None:
    run = await a_run_that_cost(parts, make, CALL)
    await a_run_that_cost(parts, make)

    listed = (await client.get("/v1/usage/llm-costs", params=DAY)).json()
    later = (await client.get("/v1/usage/llm-costs", params={"from_date": "2031-01-01"})).json()

    assert listed == {
        "items": [
            {
                "run_id": run["id"],
                "workflow_id": run["workflow_id"],
                "created_at": run["created_at"],
                "has_unpriced": False,
                "total_cost_usd": 0.5,
            }
        ],
        "total": 1,
        "skip": 0,
        "limit": 100,
    }
    assert set(listed["items"][0]) == set(RunLlmCostTotalResponse.model_fields)
    assert later["total"] == 0
    assert (await client.get(f"/v1/runs/{uuid4()}/llm-costs")).status_code == 404
