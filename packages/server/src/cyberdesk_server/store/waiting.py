"""Which waiting run is next, and on which machine?"""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, String, cast, literal, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, RunId
from cyberdesk_server.domain.runs import ANY_MACHINE, RunStatus
from cyberdesk_server.store.tables import idle, machines, organizations, runs

IS_IDLE = idle("machines.")
"""Condition of machines that can take a run."""


async def best_pair(conn: AsyncConnection) -> tuple[RunId, MachineId] | None:
    """The best waiting run that has an idle machine, and the machine. Priority first, then the oldest.

    No scan over waiting runs: one index probe per idle machine for the runs that want just this one,
    and one per organization with an idle machine for the runs that take any.
    """
    found = (await conn.execute(_best_pair(conn.dialect.name))).one_or_none()
    return None if found is None else (found.id, found.machine_id)


@cache
def _best_pair(dialect: str) -> Select[Any]:
    idle_machines = organizations.join(machines, (machines.c.organization_id == organizations.c.id) & IS_IDLE)
    just_this = literal("machine:").concat(cast(machines.c.id, String))
    source, best = _with_best_waiting(dialect, idle_machines, just_this)
    bound = select(best.c.id, machines.c.id.label("machine_id"), best.c.is_priority, best.c.created_at)

    any_idle = (
        select(machines.c.id)
        .where(machines.c.organization_id == organizations.c.id, IS_IDLE)
        .order_by(machines.c.id)
        .limit(1)
        .scalar_subquery()
    )
    free_source, best = _with_best_waiting(dialect, organizations, literal(ANY_MACHINE))
    free = select(best.c.id, any_idle.label("machine_id"), best.c.is_priority, best.c.created_at)

    pairs = union_all(
        bound.select_from(source), free.select_from(free_source).where(any_idle.is_not(None))
    ).subquery()
    return (
        select(pairs.c.id, pairs.c.machine_id)
        .order_by(pairs.c.is_priority.desc(), pairs.c.created_at, pairs.c.id)
        .limit(1)
    )


def _with_best_waiting(
    dialect: str, source: FromClause, demanded: ColumnElement[Any]
) -> tuple[FromClause, FromClause]:
    """`source`, which holds `organizations`, joined with the best run that waits for `demanded`.

    Also answers the joined runs by themselves, with the columns id, is_priority and created_at.
    """
    waiting = runs.alias()
    best = (
        select(waiting.c.id, waiting.c.is_priority, waiting.c.created_at)
        .where(
            waiting.c.organization_id == organizations.c.id,
            waiting.c.demand == demanded,
            waiting.c.status == literal(RunStatus.SCHEDULING.value, literal_execute=True),
        )
        .order_by(waiting.c.is_priority.desc(), waiting.c.created_at, waiting.c.id)
        .limit(1)
        .correlate_except(waiting)
    )
    if dialect == "postgresql":
        # Joined by id, PostgreSQL would rather hash all runs there are.
        lateral = best.lateral()
        return source.join(lateral, true()), lateral
    chosen = runs.alias()
    return source.join(chosen, chosen.c.id == best.with_only_columns(waiting.c.id).scalar_subquery()), chosen
