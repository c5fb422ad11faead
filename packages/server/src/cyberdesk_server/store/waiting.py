"""Which waiting runs are next at a server, and on which of its machines?

A decision looks only at what has changed (`openings`), and then at the first few organizations in line and
at the first few openings of each.

An opening may promise too much, for runs end and machines leave without a word to it, and a standing may
promise too early a place; what a decision finds out it corrects. None promises too little: for that there
are the news.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    FromClause,
    Row,
    Select,
    Table,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, ServerId
from cyberdesk_server.domain.queues import Line, Opening, Pair, Queue, Standing
from cyberdesk_server.store.openings import SCHEDULING, take_news
from cyberdesk_server.store.tables import machines, offers, openings, organizations, runs, standings
from cyberdesk_server.store.types import Id, UtcDateTime

FEW = 8
"""How many organizations, or openings of one, a decision looks at, at least; more, when these have promised
too much."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a decision has found."""

    pairs: tuple[Pair, ...]
    is_all: bool
    """False when it stopped early, and the next one may find more."""

    last: OrganizationId | None
    """The organization that has the last claim of all, if it has been seen."""


async def next_pairs(conn: AsyncConnection, server_id: ServerId, *, at_most: int) -> Found:
    """The waiting runs that are next, in order, each with a free machine whose tunnel this server holds.

    Of the organizations with such a run it is that whose last claim is longest ago. Of its runs,
    priority first and then the oldest; inside a session strictly the oldest.
    """
    is_up_to_date = await take_news(conn, server_id)
    line, last = await _line(conn, server_id, at_most)
    queues: dict[OrganizationId, Queue] = {}
    pairs: list[Pair] = []
    while len(pairs) < at_most and (organization_id := line.first()) is not None:
        if organization_id not in queues:
            queues[organization_id] = await _queue(conn, server_id, organization_id, at_most)
        queue = queues[organization_id]
        pair = queue.take()
        if pair is not None:
            pairs.append(pair)
            line.serve()
        elif queue.is_empty:
            line.leave()
        else:
            break
    return Found(tuple(pairs), is_up_to_date and line.is_empty, last)


async def taken(conn: AsyncConnection, pairs: Sequence[Pair], *, last: OrganizationId | None) -> None:
    """These runs have got their machines, one after the other: the other organizations come first now. The
    claim before was one of `last`."""
    served = dict.fromkeys(pair.organization_id for pair in reversed(pairs))
    if list(served) != [last]:
        await conn.execute(_GO_LAST, [{"in_organization": one} for one in reversed(served)])


async def _line(conn: AsyncConnection, server_id: ServerId, size: int) -> tuple[Line, OrganizationId | None]:
    """The organizations that may have an opening at this server; which is first, is known. And which of them
    has the last claim of all, if one has."""
    limit = max(size, FEW)
    while True:
        rows = (await conn.execute(_FIRST_STANDINGS, {"at_server": server_id, "limit": limit})).all()
        found = [Standing(*standing) for *standing, _ in rows]
        line = Line(found, is_all=len(found) < limit)
        if line.is_empty or line.first() is not None:
            return line, next((row.organization_id for row in rows if row.is_last), None)
        late = [
            _key(server_id, one.organization_id) | {"last_claim": one.last_claim}
            for one in found
            if one.promised != one.last_claim
        ]
        await conn.execute(_PROMISE_STANDING, late)
        limit *= 8


async def _queue(
    conn: AsyncConnection, server_id: ServerId, organization_id: OrganizationId, depth: int
) -> Queue:
    """What waits in this organization and has a machine at this server; what is next of it, is known."""
    # Twice as many as are to be taken: one opening may be too good to be sure of what comes behind it.
    limit, key = max(2 * depth, FEW), _key(server_id, organization_id)
    while True:
        rows = await conn.execute(_first_openings(conn.dialect.name), key | {"limit": limit, "depth": depth})
        found = _openings_from(rows)
        queue = Queue(organization_id, found, is_all=len(found) < limit)
        if queue.is_sure and not queue.is_empty:
            return queue
        await _correct(conn, key, found)
        if queue.is_empty:
            await conn.execute(_LEAVE_LINE, key)
            return queue
        limit *= 8


async def _correct(conn: AsyncConnection, key: dict[str, Any], found: Sequence[Opening]) -> None:
    """Let these openings promise what they have; those that have nothing are none."""
    closed = [key | {"with_demand": one.demand} for one in found if one.rank is None]
    changed = [
        key | {"with_demand": one.demand, "is_priority": not one.rank[0], "created_at": one.rank[1]}
        for one in found
        if one.rank is not None and one.rank != one.promised
    ]
    if closed:
        await conn.execute(_CLOSE, closed)
    if changed:
        await conn.execute(_PROMISE, changed)


def _openings_from(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Opening]:
    """The openings of rows that have a run each, or a machine, or nothing but the opening."""
    found: dict[str, Opening] = {}
    for demand, is_priority, created_at, has_priority, waits_since, run_id, machine_id in rows:
        opening = found.get(demand)
        if opening is None:
            opening = found[demand] = Opening(demand, (not is_priority, created_at))
        if machine_id is not None:
            opening.machines[machine_id] = None
        elif run_id is not None:
            (opening.urgent if has_priority else opening.usual).append((waits_since, run_id))
    for opening in found.values():
        opening.urgent.sort(key=_by_age)
        opening.usual.sort(key=_by_age)
        opening.machines = dict.fromkeys(sorted(opening.machines, key=str))
    return sorted(found.values(), key=lambda opening: (opening.promised, opening.demand))


def _by_age(run: tuple[Any, Any]) -> tuple[Any, str]:
    return run[0], str(run[1])


def _key(server_id: ServerId, organization_id: OrganizationId) -> dict[str, Any]:
    return {"at_server": server_id, "in_organization": organization_id}


_THIS_STANDING = (
    standings.c.server_id == bindparam("at_server"),
    standings.c.organization_id == bindparam("in_organization"),
)
_others = organizations.alias()
_LAST_CLAIM = select(func.max(_others.c.last_claim)).scalar_subquery()
_FIRST_STANDINGS = (
    select(
        standings.c.organization_id,
        standings.c.last_claim,
        organizations.c.last_claim,
        ((organizations.c.last_claim > 0) & (organizations.c.last_claim == _LAST_CLAIM)).label("is_last"),
    )
    .join(organizations, organizations.c.id == standings.c.organization_id)
    .where(standings.c.server_id == bindparam("at_server"))
    .order_by(standings.c.last_claim, standings.c.organization_id)
    .limit(bindparam("limit"))
)
_PROMISE_STANDING = update(standings).where(*_THIS_STANDING)
_LEAVE_LINE = delete(standings).where(*_THIS_STANDING)
_GO_LAST = (
    update(organizations)
    .where(organizations.c.id == bindparam("in_organization"))
    .values(last_claim=_LAST_CLAIM + 1)
)

_OF_ORGANIZATION = (
    openings.c.server_id == bindparam("at_server"),
    openings.c.organization_id == bindparam("in_organization"),
)
_THIS_OPENING = (*_OF_ORGANIZATION, openings.c.demand == bindparam("with_demand"))
_CLOSE = delete(openings).where(*_THIS_OPENING)
_PROMISE = update(openings).where(*_THIS_OPENING)


@cache
def _first_openings(dialect: str) -> Executable:
    """The first openings of an organization, each in several rows: one for each of its best runs with
    priority, and of those without, one for each of a few machines."""
    first = (
        select(openings)
        .where(*_OF_ORGANIZATION)
        .order_by(openings.c.is_priority.desc(), openings.c.created_at, openings.c.demand)
        .limit(bindparam("limit"))
        .cte("first")
    )
    return union_all(
        _with_runs(dialect, first, is_priority=True),
        _with_runs(dialect, first, is_priority=False),
        _with_machines(dialect, first),
    )


def _with_runs(dialect: str, first: FromClause, *, is_priority: bool) -> Select[Any]:
    waiting = runs.alias()
    best = (
        select(waiting.c.id, waiting.c.created_at)
        .where(
            waiting.c.organization_id == first.c.organization_id,
            waiting.c.demand == first.c.demand,
            waiting.c.is_priority if is_priority else ~waiting.c.is_priority,
            waiting.c.status == SCHEDULING,
        )
        .order_by(waiting.c.created_at, waiting.c.id)
        .limit(bindparam("depth"))
    )
    beside, run = _beside(dialect, first, runs, best)
    has_priority: ColumnElement[int] = literal_column("1" if is_priority else "0")
    return select(
        *_promise(first),
        has_priority.label("has_priority"),
        run.c.created_at.label("waits_since"),
        run.c.id.label("run_id"),
        cast(null(), Id).label("machine_id"),
    ).select_from(beside)


def _with_machines(dialect: str, first: FromClause) -> Select[Any]:
    offered = offers.alias()
    free = (
        select(offered.c.machine_id.label("id"))
        .where(*(offered.c[name] == first.c[name] for name in ("server_id", "organization_id", "demand")))
        .order_by(offered.c.machine_id)
        .limit(bindparam("depth"))
    )
    beside, machine = _beside(dialect, first, machines, free)
    no_priority: ColumnElement[int] = literal_column("0")
    no_run = no_priority, cast(null(), UtcDateTime), cast(null(), Id)
    return select(*_promise(first), *no_run, machine.c.id).select_from(beside)


def _promise(first: FromClause) -> tuple[ColumnElement[Any], ...]:
    return first.c.demand, first.c.is_priority, first.c.created_at


def _beside(
    dialect: str, first: FromClause, table: Table, wanted: Select[Any]
) -> tuple[FromClause, FromClause]:
    """Each row of `first` joined with the rows that are `wanted` for it, or with nulls when there are none;
    and these rows, which name the `id` of a row of `table`."""
    wanted = wanted.correlate(first)
    if dialect == "postgresql":
        rows = wanted.lateral()
        return first.outerjoin(rows, true()), rows
    # SQLite has no LATERAL; of a list that depends on `first` it looks up each id.
    rows_of_table = table.alias()
    ids = wanted.with_only_columns(wanted.selected_columns["id"])
    return first.outerjoin(rows_of_table, rows_of_table.c.id.in_(ids)), rows_of_table
