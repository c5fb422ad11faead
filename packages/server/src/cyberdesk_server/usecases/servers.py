"""The servers that share one database: each says that it lives, and takes care of what one that is gone left.

No two clocks are compared: a server is gone when the others, each by its own clock, have for long enough seen
no new sign of life of it. Whoever was wrongly taken for gone finds that out at its next sign.
"""

from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.ports import Clock
from cyberdesk_server.store import leases, machines, openings, servers, webhook_claims
from cyberdesk_server.store.database import Database

log = structlog.get_logger(__name__)


async def begin(database: Database, server_id: ServerId, *, folder: str, now: datetime) -> None:
    """The server begins, alone on its data folder: a server that was there before has ended.

    What that one held can be taken over at once, by whoever comes first; its machines are disconnected.
    """
    async with database.transaction() as conn:
        for before in await servers.on_folder(conn, folder):
            await _bury(conn, before, now=now)
        await servers.add(conn, server_id, folder=folder, now=now)


async def end(database: Database, server_id: ServerId, *, now: datetime) -> None:
    """The server ends. What it could not let go of itself is let go of here."""
    async with database.transaction() as conn:
        await _bury(conn, server_id, now=now)


async def give_sign(database: Database, server_id: ServerId, *, folder: str, now: datetime) -> bool:
    """The server lives. False when the others had taken it for gone: its machines count as disconnected, its
    runs may be with others, and it begins anew."""
    async with database.transaction() as conn:
        was_known = await servers.seen(conn, server_id, now=now)
        if not was_known:
            await servers.add(conn, server_id, folder=folder, now=now)
    return was_known


class Lookout:
    """What one server knows of the signs of life of the others."""

    def __init__(self, database: Database, server_id: ServerId, clock: Clock, *, patience_seconds: float):
        """`patience_seconds` is how long another may give no sign before it counts as gone."""
        self._database = database
        self._server_id = server_id
        self._clock = clock
        self._patience = timedelta(seconds=patience_seconds)
        self._signs: dict[ServerId, tuple[datetime, datetime]] = {}
        """The last sign of each other server, and when it was first seen here."""

        self._looked_at = clock.now()

    async def look(self) -> tuple[ServerId, ...]:
        """Look at the signs, and take care of what the servers left that are gone now: which are they?"""
        now = self._clock.now()
        async with self._database.read() as conn:
            signs = await servers.signs_of_life(conn)
        if now - self._looked_at >= self._patience:
            self._signs.clear()  # it was this server that stood still; the others may have had no chance
        self._looked_at = now
        self._signs = {
            other: self._signs[other] if self._is_known(other, sign) else (sign, now)
            for other, sign in signs.items()
            if other != self._server_id
        }
        silent = [other for other, (_, since) in self._signs.items() if now - since >= self._patience]
        return tuple([other for other in silent if await self._is_buried(other, now)])

    def _is_known(self, other: ServerId, sign: datetime) -> bool:
        return other in self._signs and self._signs[other][0] == sign

    async def _is_buried(self, other: ServerId, now: datetime) -> bool:
        async with self._database.transaction() as conn:
            is_gone = await _bury(conn, other, seen_at=self._signs[other][0], now=now)
        if is_gone:
            log.warning("a server is gone, its machines and runs are free", server_id=other)
        return is_gone


async def _bury(
    conn: AsyncConnection, server_id: ServerId, *, seen_at: datetime | None = None, now: datetime
) -> bool:
    # The row goes first: whoever does the same at once waits here, and finds nothing left to do.
    if not await servers.remove(conn, server_id, seen_at=seen_at):
        return False
    await openings.forget_server(conn, server_id)
    left = await leases.expire(conn, server_id, now=now)
    await webhook_claims.release(conn, server_id, now=now)
    if left:
        log.info("runs are left to the next worker", runs=left, server_id=server_id)
    await machines.disconnect_all(conn, server_id, now=now)
    return True
