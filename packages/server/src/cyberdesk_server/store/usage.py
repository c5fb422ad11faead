"""Counting what runs have used, in the database."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.usage import UsageMode, UsageTotal
from cyberdesk_server.store.tables import runs

NOT_COUNTED = "infra_failure"
MAX_COUNT = 2**31


async def total(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    created_from: datetime,
    created_before: datetime,
    mode: UsageMode,
) -> UsageTotal:
    """The steps of the runs that were created in this time and have ended, infrastructure failures left out.

    Callers may write `usage_metadata`; what is no count there counts as 0.
    """
    suffix = "_billed" if mode is UsageMode.BILLED else ""
    usage = runs.c.usage_metadata
    counted = select(
        func.coalesce(func.sum(_count(conn, f"total_agentic_steps{suffix}")), 0),
        func.coalesce(func.sum(_count(conn, f"total_cached_steps{suffix}")), 0),
        func.count(),
    ).where(
        runs.c.organization_id == organization_id,
        runs.c.created_at >= created_from,
        runs.c.created_at < created_before,
        usage.is_not(None),
        func.coalesce(usage["billing_outcome"].as_string(), "") != NOT_COUNTED,
    )
    agentic, cached, number = (await conn.execute(counted)).one()
    return UsageTotal(int(agentic), int(cached), number)


def _count(conn: AsyncConnection, name: str) -> ColumnElement[Any]:
    usage = runs.c.usage_metadata
    if conn.dialect.name == "postgresql":
        is_number = func.json_typeof(usage[name]) == "number"
    else:
        is_number = func.json_type(usage, f'$."{name}"').in_(("integer", "real"))
    # A CASE inside a CASE: only what is a number is read as one.
    value = usage[name].as_float()
    return case((is_number, case((value.between(0, MAX_COUNT), value), else_=0)), else_=0)
