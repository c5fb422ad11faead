"""Which waiting run is next at a server, and on which of its machines?

A decision looks only at what has changed. It takes the `news`, and by them keeps two tables: `offers`, each
free machine under each demand it satisfies, and `openings`, the demands that have both an offer at a server
and a waiting run, the best first. Nobody else reads or writes these two; decisions are made one at a time.

An opening may promise too much, for runs end and machines leave without a word to it; what a decision finds
out it corrects. It never promises too little: for that there are the news.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Self

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    FromClause,
    Row,
    ScalarSelect,
    Select,
    String,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    union,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId, ServerId
from cyberdesk_server.domain.runs import ANY_MACHINE, Demand, RunStatus, is_in_order
from cyberdesk_server.store.tables import (
    machines,
    news,
    offers,
    openings,
    organizations,
    pool_machines,
    pool_sets,
    runs,
    servers,
)
from cyberdesk_server.store.types import Words
from cyberdesk_server.store.upsert import insert_of

NEWS_AT_ONCE = 100
"""How many news a decision takes; when more has changed at once, the rest is left to the next ones."""

FEW_OPENINGS = 8
"""How many a decision compares; more, when these have promised too much."""

IS_FREE = text(
    "machines.status = 'connected' AND machines.connection_id IS NOT NULL AND machines.is_available"
    # Not a plain IS NULL, which SQLite would look for by an index, and find all machines that are free.
    " AND coalesce(machines.held_by_run_id, NULL) IS NULL"
)
"""Condition of machines that can take a run: any, or one of the session that has reserved them."""

Rank = tuple[bool, datetime]
"""Without priority or with it, and the age: the smallest is the best."""


async def best_pair(conn: AsyncConnection, server_id: ServerId) -> tuple[RunId, MachineId] | None:
    """The waiting run that is next, and a free machine for it whose tunnel this server holds.

    Of the organizations with such a run it is that whose last claim is longest ago. Of its runs, priority
    first and then the oldest; inside a session strictly the oldest.
    """
    is_up_to_date = await _take_news(conn, server_id)
    limit = FEW_OPENINGS
    while True:
        rows = (await conn.execute(_FIRST_OPENINGS, {"server_id": server_id, "limit": limit})).all()
        found = [_Opening.of(row) for row in rows]
        best = _best_of(found, is_all=len(found) < limit)
        if best is not None:
            return best.run_id, best.machine_id
        if found:
            await _correct(conn, found)
            limit *= 8
        elif is_up_to_date:
            return None
        else:
            is_up_to_date = await _take_news(conn, server_id)


async def taken(conn: AsyncConnection, organization_id: OrganizationId, machine_id: MachineId) -> None:
    """A run of this organization has got this machine: the other organizations come first now."""
    await conn.execute(_FORGET_OFFERS, {"machine_ids": [machine_id]})
    await conn.execute(_GO_LAST, {"in_organization": organization_id})


async def is_any_machine_free(conn: AsyncConnection, server_id: ServerId) -> bool:
    """True when some machine of this server, of whatever organization, could take a run, as far as the last
    decision saw."""
    return (await conn.execute(_ANY_OFFER, {"server_id": server_id})).first() is not None


@dataclass(frozen=True, slots=True)
class _Best:
    """The best run that waits with a demand, and a machine for it."""

    rank: Rank
    run_id: RunId
    machine_id: MachineId


@dataclass(frozen=True, slots=True)
class _Opening:
    """What an opening promises, and what it has."""

    server_id: ServerId
    organization_id: OrganizationId
    demand: Demand
    promised: Rank
    best: _Best | None
    """None when no run waits any more, or no machine is free for it."""

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        ranked = [
            ((not is_priority, at), run_id)
            for is_priority, at, run_id in (
                (True, row.urgent_at, row.urgent_id),
                (False, row.usual_at, row.usual_id),
            )
            if run_id is not None
        ]
        best = None
        if ranked and row.machine_id is not None:
            in_order = is_in_order(row.demand)
            rank, run_id = min(ranked, key=lambda one: one[0][1:] if in_order else one[0])
            best = _Best(rank, run_id, row.machine_id)
        return cls(
            row.server_id, row.organization_id, row.demand, (not row.is_priority, row.created_at), best
        )


def _best_of(found: Sequence[_Opening], *, is_all: bool) -> _Best | None:
    """The best there is; None also while there may be a better one behind those that were found."""
    possible = [one.best for one in found if one.best is not None]
    best = min(possible, key=lambda one: (one.rank, str(one.run_id)), default=None)
    return best if best is not None and (is_all or best.rank <= found[-1].promised) else None


async def _correct(conn: AsyncConnection, found: Sequence[_Opening]) -> None:
    """Let these openings promise what they have; those that have nothing are none."""
    closed = [_key(one) for one in found if one.best is None]
    changed = [
        _key(one) | {"is_priority": not one.best.rank[0], "created_at": one.best.rank[1]}
        for one in found
        if one.best is not None and one.best.rank != one.promised
    ]
    if closed:
        await conn.execute(_CLOSE, closed)
    if changed:
        await conn.execute(_PROMISE, changed)


def _key(opening: _Opening) -> dict[str, Any]:
    return {
        "at_server": opening.server_id,
        "in_organization": opening.organization_id,
        "with_demand": opening.demand,
    }


async def _take_news(conn: AsyncConnection, server_id: ServerId) -> bool:
    """Bring offers and openings up to date. False when there may be more news than were taken."""
    # Taken first and looked at afterwards: what they are about was committed with them.
    taken = (await conn.execute(_TAKE_NEWS)).all()
    dialect = conn.dialect.name
    machine_ids = list({row.machine_id for row in taken if row.machine_id is not None})
    if machine_ids:
        await conn.execute(_FORGET_OFFERS, {"machine_ids": machine_ids})
        await conn.execute(_OFFER, {"machine_ids": machine_ids})
        await conn.execute(_open_for_machines(dialect), {"machine_ids": machine_ids})
    new_sets = [{"with_demand": row.demand} for row in taken if row.is_new_set]
    if new_sets:
        await conn.execute(_offer_set(dialect), new_sets)
    demands = {(row.organization_id, row.demand) for row in taken if row.demand is not None}
    if demands:
        keys = [
            {"at_server": server_id, "in_organization": organization_id, "with_demand": demand}
            for organization_id, demand in demands
        ]
        await conn.execute(_open_for_demand(dialect), keys)
    return len(taken) < NEWS_AT_ONCE


_TAKE_NEWS = (
    delete(news)
    .where(news.c.id.in_(select(news.c.id).order_by(news.c.id).limit(NEWS_AT_ONCE)))
    .returning(news)
)
_THESE_MACHINES: BindParameter[Any] = bindparam("machine_ids", expanding=True)
_FORGET_OFFERS = delete(offers).where(offers.c.machine_id.in_(_THESE_MACHINES))
_ANY_OFFER = select(offers.c.machine_id).where(offers.c.server_id == bindparam("server_id")).limit(1)


_OFFERED = ["server_id", "organization_id", "demand", "machine_id"]


def _in_all_pools(free: FromClause) -> Select[Any]:
    """These machines under each demand of whose pools they are in all."""
    each = pool_sets.alias()
    of_each = pool_machines.alias()
    is_in = exists().where(of_each.c.pool_id == each.c.pool_id, of_each.c.machine_id == free.c.id)
    lacks_one = exists().where(each.c.demand == pool_sets.c.demand, ~is_in.correlate(each, free))
    return (
        select(free.c.server_id, free.c.organization_id, pool_sets.c.demand, free.c.id)
        .join(pool_machines, pool_machines.c.machine_id == free.c.id)
        .join(pool_sets, pool_sets.c.rarest_pool_id == pool_machines.c.pool_id)
        .where(~lacks_one.correlate(pool_sets, free))
    )


@cache
def _offer_set(dialect: str) -> Executable:
    """Offers of all idle machines under the demand of a set of pools."""
    with_demand = pool_sets.c.demand == bindparam("with_demand")
    found = _in_all_pools(machines).where(with_demand, IS_FREE, machines.c.reserved_session_id.is_(None))
    return insert_of(dialect, offers).from_select(_OFFERED, found).on_conflict_do_nothing()


def _offers() -> Executable:
    """Offers of those of these machines that are free: under every demand, or to one session."""
    free = select(machines).where(IS_FREE, machines.c.id.in_(_THESE_MACHINES)).cte("free")
    is_idle = free.c.reserved_session_id.is_(None)

    def under(demand: Any) -> Select[Any]:
        return select(free.c.server_id, free.c.organization_id, demand, free.c.id)

    all_of_them = union_all(
        under(literal(ANY_MACHINE)).where(is_idle),
        under(literal("machine:").concat(cast(free.c.id, String))).where(is_idle),
        _in_all_pools(free).where(is_idle),
        under(literal("session:").concat(cast(free.c.reserved_session_id, String))).where(~is_idle),
    )
    return insert(offers).from_select(_OFFERED, all_of_them)


_OFFER = _offers()


# Spelled out: a partial index serves no parameter, and PostgreSQL plans for many rows where the limit is one.
_SCHEDULING: ColumnElement[str] = literal_column(f"'{RunStatus.SCHEDULING.value}'")
_ONE: ColumnElement[int] = literal_column("1")


def _best_waiting(source: Any, *, is_priority: bool, column: str) -> ScalarSelect[Any]:
    """A column of the oldest run with this priority that waits with the demand of the `source` row."""
    waiting = runs.alias()
    with_it = waiting.c.is_priority if is_priority else ~waiting.c.is_priority
    return (
        select(waiting.c[column])
        .where(
            waiting.c.organization_id == source.c.organization_id,
            waiting.c.demand == source.c.demand,
            with_it,
            waiting.c.status == _SCHEDULING,
        )
        .order_by(waiting.c.created_at, waiting.c.id)
        .limit(_ONE)
        .correlate_except(waiting)
        .scalar_subquery()
    )


def _open(dialect: str, offered: Select[Any]) -> Executable:
    """Open these demands, where runs wait with them."""
    source = offered.subquery()
    found = select(
        source.c.server_id,
        source.c.organization_id,
        source.c.demand,
        _best_waiting(source, is_priority=True, column="created_at").label("urgent_at"),
        _best_waiting(source, is_priority=False, column="created_at").label("usual_at"),
    ).subquery()
    best_at = func.coalesce(found.c.urgent_at, found.c.usual_at)
    opened = select(
        found.c.server_id, found.c.organization_id, found.c.demand, found.c.urgent_at.is_not(None), best_at
    ).where(best_at.is_not(None))
    names = ["server_id", "organization_id", "demand", "is_priority", "created_at"]
    statement = insert_of(dialect, openings).from_select(names, opened)
    promise = {name: statement.excluded[name] for name in names[3:]}
    return statement.on_conflict_do_update(index_elements=names[:3], set_=promise)


@cache
def _open_for_machines(dialect: str) -> Executable:
    """Open what these machines offer."""
    offered = select(offers.c.server_id, offers.c.organization_id, offers.c.demand).distinct()
    return _open(dialect, offered.where(offers.c.machine_id.in_(_THESE_MACHINES)))


@cache
def _open_for_demand(dialect: str) -> Executable:
    """Open this demand at the servers where a machine offers it."""
    known = union(select(servers.c.id), select(bindparam("at_server", type_=Words))).subquery()
    organization_id = bindparam("in_organization", type_=String)
    demand = bindparam("with_demand", type_=String)
    is_offered = exists().where(
        offers.c.server_id == known.c.id,
        offers.c.organization_id == organization_id,
        offers.c.demand == demand,
    )
    offered = select(
        known.c.id.label("server_id"), organization_id.label("organization_id"), demand.label("demand")
    ).where(is_offered)
    return _open(dialect, offered)


def _first_openings() -> Select[Any]:
    """The openings of the organization that is next, with the best runs and a machine of each."""
    at_server = openings.c.server_id == bindparam("server_id")
    has_opening = exists().where(at_server, openings.c.organization_id == organizations.c.id)
    is_next = (
        select(organizations.c.id)
        .where(has_opening)
        .order_by(organizations.c.last_claim, organizations.c.id)
        .limit(_ONE)
        .scalar_subquery()
    )
    machine_id = (
        select(offers.c.machine_id)
        .where(
            offers.c.server_id == openings.c.server_id,
            offers.c.organization_id == openings.c.organization_id,
            offers.c.demand == openings.c.demand,
        )
        .order_by(offers.c.machine_id)
        .limit(_ONE)
        .scalar_subquery()
    )
    return (
        select(
            openings,
            _best_waiting(openings, is_priority=True, column="id").label("urgent_id"),
            _best_waiting(openings, is_priority=True, column="created_at").label("urgent_at"),
            _best_waiting(openings, is_priority=False, column="id").label("usual_id"),
            _best_waiting(openings, is_priority=False, column="created_at").label("usual_at"),
            machine_id.label("machine_id"),
        )
        .where(at_server, openings.c.organization_id == is_next)
        .order_by(openings.c.is_priority.desc(), openings.c.created_at, openings.c.demand)
        .limit(bindparam("limit"))
    )


_FIRST_OPENINGS = _first_openings()
_THIS_OPENING = (
    openings.c.server_id == bindparam("at_server"),
    openings.c.organization_id == bindparam("in_organization"),
    openings.c.demand == bindparam("with_demand"),
)
_CLOSE = delete(openings).where(*_THIS_OPENING)
_PROMISE = (
    update(openings)
    .where(*_THIS_OPENING)
    .values(is_priority=bindparam("is_priority"), created_at=bindparam("created_at"))
)
_others = organizations.alias()
_GO_LAST = (
    update(organizations)
    .where(organizations.c.id == bindparam("in_organization"))
    .values(last_claim=select(func.max(_others.c.last_claim) + 1).scalar_subquery())
)
