"""Which waiting run is next at a server, and on which of its machines?"""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    String,
    Subquery,
    TextClause,
    and_,
    bindparam,
    cast,
    literal,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, RunId, ServerId
from cyberdesk_server.domain.runs import ANY_MACHINE, RunStatus
from cyberdesk_server.store.tables import (
    FREE,
    idle,
    machines,
    organizations,
    pool_machines,
    pool_sets,
    runs,
)

IS_FREE = text(" AND ".join(f"machines.{term}" for term in FREE))
"""Condition of machines that can take a run: any, or one of the session that has reserved them."""

IS_IDLE = idle("machines.")
"""Condition of machines that can take any run."""

IS_HERE = machines.c.server_id == bindparam("server_id")
"""Condition of machines whose tunnel the asking server holds; nobody else can reach them."""


async def best_pair(conn: AsyncConnection, server_id: ServerId) -> tuple[RunId, MachineId] | None:
    """The best waiting run that has a free machine at this server, and the machine.

    Priority first, then the oldest; inside a session strictly the oldest. No scan over waiting runs: there
    is one index probe for each demand that a free machine satisfies.
    """
    found = (await conn.execute(_best_pair(conn.dialect.name), {"server_id": server_id})).one_or_none()
    return None if found is None else (found.id, found.machine_id)


async def is_any_machine_free(conn: AsyncConnection, server_id: ServerId) -> bool:
    """True when some machine of this server, of whatever organization, could take a run."""
    return (await conn.execute(_ANY_FREE, {"server_id": server_id})).first() is not None


_ANY_FREE = select(machines.c.id).where(IS_FREE, IS_HERE).limit(1)


@cache
def _best_pair(dialect: str) -> Select[Any]:
    pairs = union_all(_just_this(dialect), _reserved(dialect), _pooled(dialect), _any(dialect)).subquery()
    return (
        select(pairs.c.id, pairs.c.machine_id)
        .order_by(pairs.c.is_priority.desc(), pairs.c.created_at, pairs.c.id)
        .limit(1)
    )


def _just_this(dialect: str) -> Select[Any]:
    """For each idle machine the best run that waits for just this one."""
    its_own = literal("machine:").concat(cast(machines.c.id, String))
    return _best_waiting(dialect, _machines(IS_IDLE), its_own, machines.c.id)


def _reserved(dialect: str) -> Select[Any]:
    """For each free machine of a session the session's oldest run."""
    of_its_session = literal("session:").concat(cast(machines.c.reserved_session_id, String))
    is_reserved = machines.c.reserved_session_id.is_not(None)
    return _best_waiting(
        dialect, _machines(IS_FREE, is_reserved), of_its_session, machines.c.id, in_order=True
    )


def _pooled(dialect: str) -> Select[Any]:
    """For each idle machine and each set of pools it is in, all of them, the best run."""
    sets = _pool_sets()
    missing = pool_sets.alias()
    is_in = (
        select(pool_machines.c.pool_id)
        .where(pool_machines.c.pool_id == missing.c.pool_id, pool_machines.c.machine_id == machines.c.id)
        .correlate_except(pool_machines)
        .exists()
    )
    lacks_a_pool = (
        select(missing.c.pool_id)
        .where(missing.c.demand == sets.c.demand, ~is_in)
        .correlate_except(missing)
        .exists()
    )
    in_all = (sets.c.organization_id == machines.c.organization_id) & ~lacks_a_pool
    return _best_waiting(dialect, _machines(IS_IDLE).join(sets, in_all), sets.c.demand, machines.c.id)


def _any(dialect: str) -> Select[Any]:
    """For each organization with an idle machine the best run that takes any."""
    one_idle = (
        select(machines.c.id)
        .where(machines.c.organization_id == organizations.c.id, IS_IDLE, IS_HERE)
        .order_by(machines.c.id)
        .limit(1)
        .scalar_subquery()
    )
    best = _best_waiting(dialect, organizations, literal(ANY_MACHINE), one_idle)
    return best.where(one_idle.is_not(None))


def _machines(*conditions: TextClause | ColumnElement[bool]) -> FromClause:
    of_organization = machines.c.organization_id == organizations.c.id
    return organizations.join(machines, and_(of_organization, IS_HERE, *conditions))


def _pool_sets() -> Subquery:
    return select(pool_sets.c.organization_id, pool_sets.c.demand).distinct().subquery()


def _best_waiting(
    dialect: str,
    source: FromClause,
    demanded: ColumnElement[Any],
    machine_id: ColumnElement[Any],
    *,
    in_order: bool = False,
) -> Select[Any]:
    """For each row of `source`, which holds `organizations`, the best run that waits for `demanded`.

    The columns are id, machine_id, is_priority and created_at.
    """
    waiting = runs.alias()
    by_age = (waiting.c.created_at, waiting.c.id)
    best = (
        select(waiting.c.id, waiting.c.is_priority, waiting.c.created_at)
        .where(
            waiting.c.organization_id == organizations.c.id,
            waiting.c.demand == demanded,
            waiting.c.status == literal(RunStatus.SCHEDULING.value, literal_execute=True),
        )
        .order_by(*(by_age if in_order else (waiting.c.is_priority.desc(), *by_age)))
        .limit(1)
        .correlate_except(waiting)
    )
    chosen: FromClause
    condition: ColumnElement[bool]
    if dialect == "postgresql":
        # Joined by id, PostgreSQL would rather hash all runs there are.
        chosen, condition = best.lateral(), true()
    else:
        chosen = runs.alias()
        condition = chosen.c.id == best.with_only_columns(waiting.c.id).scalar_subquery()
    found = select(chosen.c.id, machine_id.label("machine_id"), chosen.c.is_priority, chosen.c.created_at)
    return found.select_from(source.join(chosen, condition))
