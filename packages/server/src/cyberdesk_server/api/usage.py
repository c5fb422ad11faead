"""`/v1/usage`, and the costs of one run."""

from uuid import UUID

from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import Limit, Skip, UtcTime
from cyberdesk_server.api.schemas.usage import (
    PaginatedResponse,
    RunLlmCostsResponse,
    RunLlmCostTotalResponse,
    UsageAggregateResponse,
)
from cyberdesk_server.api.views import page
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.refusals import Unknown, invalid
from cyberdesk_server.domain.usage import UsageMode
from cyberdesk_server.store import llm_costs, runs, usage

api = router(prefix="/v1/usage", tags=["usage"])
of_runs = router(prefix="/v1/runs", tags=["runs"])


@api.get("/aggregate", response_model=UsageAggregateResponse)
async def get_usage_aggregate(
    caller: Caller,
    parts: PartsOf,
    from_date: UtcTime,
    to_date: UtcTime,
    mode: UsageMode = UsageMode.SIMULATED,
) -> Response:
    """The steps of the runs created from `from_date` until before `to_date`, without those we failed."""
    _refuse_backwards(from_date, to_date)
    async with parts.database.read() as conn:
        total = await usage.total(
            conn, caller.organization_id, created_from=from_date, created_before=to_date, mode=mode
        )
    return JsonAnswer(
        {
            "total_agentic_steps": total.agentic_steps,
            "total_cached_steps": total.cached_steps,
            "period_start": from_date,
            "period_end": to_date,
            "mode": mode,
            "runs_counted": total.runs,
        }
    )


@api.get("/llm-costs", response_model=PaginatedResponse[RunLlmCostTotalResponse])
async def list_llm_costs(
    caller: Caller,
    parts: PartsOf,
    from_date: UtcTime | None = None,
    to_date: UtcTime | None = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """What runs have cost, newest run first: those created from `from_date` until before `to_date`."""
    if from_date is not None and to_date is not None:
        _refuse_backwards(from_date, to_date)
    async with parts.database.read() as conn:
        found, total = await llm_costs.totals(
            conn,
            caller.organization_id,
            created_from=from_date,
            created_before=to_date,
            skip=skip,
            limit=limit,
        )
    return JsonAnswer(page(found, total, skip=skip, limit=limit))


@of_runs.get("/{run_id}/llm-costs", response_model=RunLlmCostsResponse)
async def get_run_llm_costs(run_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """What the run's calls of language models have cost. The total leaves out what has no price."""
    async with parts.database.read() as conn:
        if await runs.get(conn, caller.organization_id, RunId(run_id)) is None:
            raise Unknown("run", run_id)
        rows = await llm_costs.of_run(conn, RunId(run_id))
    prices = [row.cost_usd for row in rows if row.cost_usd is not None]
    return JsonAnswer(
        {
            "run_id": run_id,
            "has_unpriced": len(prices) < len(rows),
            "rows": rows,
            "total_cost_usd": sum(prices) if prices or not rows else None,
        }
    )


def _refuse_backwards(from_date: UtcTime, to_date: UtcTime) -> None:
    if to_date < from_date:
        raise invalid(("query", "to_date"), "must not be before from_date")
