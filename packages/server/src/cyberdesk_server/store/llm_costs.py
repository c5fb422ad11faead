"""What the calls of language models cost, one row for each kind of call of a run."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.usage import CostTotal, LlmCost
from cyberdesk_server.store.tables import llm_costs, runs
from cyberdesk_server.store.upsert import insert

KIND = ("run_id", "role", "billing_platform", "model", "endpoint_type", "source")
"""What makes two calls the same kind."""

SUMS = tuple(field.name for field in fields(LlmCost) if field.name not in KIND)


async def add(conn: AsyncConnection, run_id: RunId, cost: LlmCost) -> None:
    """Add calls to what the run has cost; one of unknown price makes the price of its kind unknown.

    Raises `LookupError` when the run is gone.
    """
    organization_id = (
        await conn.execute(select(runs.c.organization_id).where(runs.c.id == run_id))
    ).scalar_one_or_none()
    if organization_id is None:
        raise LookupError(f"there is no run {run_id}")
    row = {"id": uuid4(), "organization_id": organization_id, "run_id": run_id, **asdict(cost)}
    once = insert(conn, llm_costs)
    await conn.execute(
        once.on_conflict_do_update(
            index_elements=KIND, set_={name: llm_costs.c[name] + once.excluded[name] for name in SUMS}
        ),
        row,
    )


async def of_run(conn: AsyncConnection, run_id: RunId) -> tuple[LlmCost, ...]:
    """The costs of a run, by role, platform, model, endpoint and source."""
    names = [field.name for field in fields(LlmCost)]
    rows = await conn.execute(
        select(*(llm_costs.c[name] for name in names))
        .where(llm_costs.c.run_id == run_id)
        .order_by(*(llm_costs.c[name] for name in KIND))
    )
    return tuple(LlmCost(**row._mapping) for row in rows)


def known_usd(run_id: RunId) -> ScalarSelect[float]:
    """What the calls of a run have cost in all its tries, those of unknown price left out; to select."""
    total = func.coalesce(func.sum(llm_costs.c.cost_usd), 0.0)
    return select(total).where(llm_costs.c.run_id == run_id).scalar_subquery()


async def spent_usd(conn: AsyncConnection, run_id: RunId) -> float:
    """What the calls of a run have cost in this try, without those of unknown price; 0 if it is gone."""
    spent = await conn.execute(select(known_usd(run_id) - runs.c.cost_before_usd).where(runs.c.id == run_id))
    return spent.scalar_one_or_none() or 0.0


async def totals(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    created_from: datetime | None = None,
    created_before: datetime | None = None,
    skip: int = 0,
    limit: int = 100,
) -> tuple[Sequence[CostTotal], int]:
    """One page of the runs that have called a model, newest first, and how many there are in all."""
    conditions: list[ColumnElement[bool]] = [
        llm_costs.c.organization_id == organization_id,
        runs.c.organization_id == organization_id,
    ]
    if created_from is not None:
        conditions.append(runs.c.created_at >= created_from)
    if created_before is not None:
        conditions.append(runs.c.created_at < created_before)
    costs = llm_costs.join(runs, runs.c.id == llm_costs.c.run_id)
    number = select(func.count(llm_costs.c.run_id.distinct())).select_from(costs).where(*conditions)
    rows = await conn.execute(
        select(
            runs.c.id.label("run_id"),
            runs.c.workflow_id,
            runs.c.created_at,
            (func.count() > func.count(llm_costs.c.cost_usd)).label("has_unpriced"),
            func.sum(llm_costs.c.cost_usd).label("total_cost_usd"),
        )
        .select_from(costs)
        .where(*conditions)
        .group_by(runs.c.id, runs.c.workflow_id, runs.c.created_at)
        .order_by(runs.c.created_at.desc(), runs.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return [_total(row._mapping) for row in rows], (await conn.execute(number)).scalar_one()


def _total(row: Any) -> CostTotal:
    return CostTotal(**{**row, "has_unpriced": bool(row["has_unpriced"])})
