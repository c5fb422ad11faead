"""The processes that share this database, and the signs of life they give."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.store import news
from cyberdesk_server.store.tables import machines, servers


async def add(conn: AsyncConnection, server_id: ServerId, *, folder: str, now: datetime) -> None:
    """A server has begun."""
    await conn.execute(servers.insert().values(id=server_id, folder=folder, started_at=now, seen_at=now))
    # One that was wrongly taken for gone may hold tunnels: runs that came meanwhile were told to others only.
    await news.of_machines_where(conn, machines.c.server_id == server_id)


async def seen(conn: AsyncConnection, server_id: ServerId, *, now: datetime) -> bool:
    """The server gave a sign of life. False when it was removed: the others took it for gone."""
    still_there = await conn.execute(update(servers).where(servers.c.id == server_id).values(seen_at=now))
    return still_there.rowcount == 1


async def signs_of_life(conn: AsyncConnection) -> Mapping[ServerId, datetime]:
    """When each server was last seen, by its own clock."""
    rows = await conn.execute(select(servers.c.id, servers.c.seen_at))
    return {ServerId(row.id): row.seen_at for row in rows}


async def on_folder(conn: AsyncConnection, folder: str) -> tuple[ServerId, ...]:
    """The servers that have begun on this data folder and were not removed."""
    rows = await conn.execute(select(servers.c.id).where(servers.c.folder == folder))
    return tuple(map(ServerId, rows.scalars()))


async def remove(conn: AsyncConnection, server_id: ServerId, *, seen_at: datetime | None = None) -> bool:
    """The server is gone; of those who say so at once one gets True. With `seen_at` only if it has given no
    sign of life since."""
    unchanged = servers.c.id == server_id
    if seen_at is not None:
        unchanged &= servers.c.seen_at == seen_at
    return (await conn.execute(servers.delete().where(unchanged))).rowcount == 1
