"""What has changed since the last decision, worked into what the next one looks at.

By the `news` a decision keeps three tables: `offers`, each free machine under each demand it satisfies;
`openings`, the demands that have both an offer at a server and a waiting run; and `standings`, the
organizations that have an opening at a server. Nobody else writes them; decisions are made one at a time.
Two things the database does by itself: a machine that gets a run is offered no more, and an organization that
gets an opening stands in line.
"""

from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Executable,
    FromClause,
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
    true,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, ServerId
from cyberdesk_server.domain.runs import ANY_MACHINE, RunStatus
from cyberdesk_server.store.lists import among, each_pair_of_words
from cyberdesk_server.store.news import of_machines
from cyberdesk_server.store.tables import (
    machines,
    news,
    offers,
    openings,
    pool_machines,
    pool_sets,
    runs,
    servers,
    standings,
)
from cyberdesk_server.store.types import Words
from cyberdesk_server.store.upsert import insert_of

NEWS_AT_ONCE = 100
"""How many news a decision takes; when more has changed at once, the rest is left to the next ones."""

REVIEWED_AT_ONCE = 100
"""How many free machines are looked at anew, at each time."""

IS_FREE = text(
    "machines.status = 'connected' AND machines.connection_id IS NOT NULL AND machines.is_available"
    # Not a plain IS NULL, which SQLite would look for by an index, and find all machines that are free.
    " AND coalesce(machines.held_by_run_id, NULL) IS NULL"
)
"""Condition of machines that can take a run: any, or one of the session that has reserved them."""

# Spelled out: a partial index serves no parameter, and PostgreSQL plans for many rows where the limit is one.
SCHEDULING: ColumnElement[str] = literal_column(f"'{RunStatus.SCHEDULING.value}'")
ONE: ColumnElement[int] = literal_column("1")


async def take_news(conn: AsyncConnection, server_id: ServerId) -> bool:
    """Bring offers, openings and standings up to date. False when there may be more news than were taken."""
    # Taken first and looked at afterwards: what they are about was committed with them.
    taken = (await conn.execute(_TAKE_NEWS)).all()
    demands = {(row.organization_id, row.demand) for row in taken if row.demand is not None}
    machine_ids = list({row.machine_id for row in taken if row.machine_id is not None})
    dialect = conn.dialect.name
    if machine_ids:
        await conn.execute(_FORGET_OFFERS, {"machine_ids": machine_ids})
        offered = await conn.execute(_OFFER, {"machine_ids": machine_ids})
        demands.update(map(tuple, offered))
    new_sets = [{"with_demand": row.demand} for row in taken if row.is_new_set]
    if new_sets:
        await conn.execute(_offer_set(dialect), new_sets)
    if demands:
        in_organizations, with_demands = zip(*demands, strict=True)
        asked = {
            "at_server": server_id,
            "in_organizations": in_organizations,
            "with_demands": with_demands,
        }
        await conn.execute(_open(dialect), asked)
    return len(taken) < NEWS_AT_ONCE


async def forget_server(conn: AsyncConnection, server_id: ServerId) -> None:
    """The server is gone: nobody decides for it any more."""
    for table in (openings, standings, offers):
        await conn.execute(delete(table).where(table.c.server_id == server_id))


async def review(conn: AsyncConnection, *, after: MachineId | None) -> tuple[MachineId, ...]:
    """Let the next decision look anew at a few free machines, those behind this one in the order of ids: so
    no run waits for ever because an offer, an opening or a standing got lost. Returns which; none when no run
    waits, or there are no more."""
    if (await conn.execute(_ANY_WAITING)).first() is None:
        return ()
    asked = {"after": after or MachineId(UUID(int=0))}
    ids = tuple((await conn.execute(_NEXT_FREE_MACHINES, asked)).scalars())
    await of_machines(conn, ids)
    return ids


async def is_any_machine_free(conn: AsyncConnection, server_id: ServerId) -> bool:
    """True when some machine of this server, of whatever organization, could take a run, as far as the last
    decision saw."""
    return (await conn.execute(_ANY_OFFER, {"server_id": server_id})).first() is not None


_ANY_WAITING = select(runs.c.id).where(runs.c.status == SCHEDULING).limit(ONE)
_NEXT_FREE_MACHINES = (
    select(machines.c.id)
    .where(machines.c.id > bindparam("after"), IS_FREE)
    .order_by(machines.c.id)
    .limit(REVIEWED_AT_ONCE)
)
_TAKE_NEWS = (
    delete(news)
    .where(news.c.id.in_(select(news.c.id).order_by(news.c.id).limit(NEWS_AT_ONCE)))
    .returning(news)
)
_FORGET_OFFERS = delete(offers).where(among(offers.c.machine_id, "machine_ids"))
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


def _true_offers() -> CompoundSelect[Any]:
    """Those of these machines that are free: under every demand they satisfy, or to one session."""
    free = select(machines).where(IS_FREE, among(machines.c.id, "machine_ids")).cte("free")
    is_idle = free.c.reserved_session_id.is_(None)

    def under(demand: Any) -> Select[Any]:
        return select(free.c.server_id, free.c.organization_id, demand, free.c.id)

    return union_all(
        under(literal(ANY_MACHINE)).where(is_idle),
        under(literal("machine:").concat(cast(free.c.id, String))).where(is_idle),
        _in_all_pools(free).where(is_idle),
        under(literal("session:").concat(cast(free.c.reserved_session_id, String))).where(~is_idle),
    )


_OFFER = (
    insert(offers).from_select(_OFFERED, _true_offers()).returning(offers.c.organization_id, offers.c.demand)
)


def _known_servers() -> FromClause:
    return union(select(servers.c.id), select(bindparam("at_server", type_=Words))).subquery()


@cache
def _open(dialect: str) -> Executable:
    """Open each of these demands at the servers where a machine offers it, if runs wait with it."""
    known = _known_servers()
    asked = each_pair_of_words("in_organizations", "with_demands")
    organization_id, demand = asked.c.one, asked.c.other
    # One offer is looked up. Of an EXISTS PostgreSQL makes a join, for which it reads all offers.
    offered = (
        select(offers.c.machine_id)
        .where(
            offers.c.server_id == known.c.id,
            offers.c.organization_id == organization_id,
            offers.c.demand == demand,
        )
        .limit(ONE)
        .scalar_subquery()
    )
    found = (
        select(
            known.c.id,
            organization_id,
            demand,
            _oldest(organization_id, demand, is_priority=True).label("urgent_at"),
            _oldest(organization_id, demand, is_priority=False).label("usual_at"),
        )
        .join_from(known, asked, true())
        .where(offered.is_not(None))
        .subquery()
    )
    best_at = func.coalesce(found.c.urgent_at, found.c.usual_at)
    opened = select(found.c.id, found.c.one, found.c.other, found.c.urgent_at.is_not(None), best_at)
    names = ["server_id", "organization_id", "demand", "is_priority", "created_at"]
    statement = insert_of(dialect, openings).from_select(names, opened.where(best_at.is_not(None)))
    promise = {name: statement.excluded[name] for name in names[3:]}
    return statement.on_conflict_do_update(index_elements=names[:3], set_=promise)


def _oldest(
    organization_id: ColumnElement[str], demand: ColumnElement[str], *, is_priority: bool
) -> ScalarSelect[Any]:
    return (
        select(runs.c.created_at)
        .where(
            runs.c.organization_id == organization_id,
            runs.c.demand == demand,
            runs.c.is_priority if is_priority else ~runs.c.is_priority,
            runs.c.status == SCHEDULING,
        )
        .order_by(runs.c.created_at, runs.c.id)
        .limit(ONE)
        .scalar_subquery()
    )
