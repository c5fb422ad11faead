"""Pooled connections are asked whether they live only after a rest.

Asking costs as many trips as a small transaction. A driver that is being used hears of the end of its
connection by itself, as soon as the database's system tells it; only where nobody tells (a machine that
vanished, a firewall that forgets) a question finds out.
"""

from time import monotonic
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

REST_SECONDS = 2.0
"""A connection that nobody has used for so long is asked before it is used again."""

_BACK_AT = "back_at"


def ask_after_rest(engine: AsyncEngine) -> None:
    """Let the pool of this asyncpg engine hand out no connection that is known to be lost."""
    dialect = engine.dialect

    def put_back(_: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[_BACK_AT] = monotonic()

    def hand_out(connection: Any, entry: ConnectionPoolEntry, _: Any) -> None:
        back_at = entry.info.get(_BACK_AT)
        if back_at is None:
            return  # it has just been made
        if connection.driver_connection.is_closed():
            raise DisconnectionError
        if monotonic() - back_at > REST_SECONDS and not dialect._do_ping_w_event(connection):
            raise InvalidatePoolError

    event.listen(engine.sync_engine, "checkin", put_back)
    event.listen(engine.sync_engine, "checkout", hand_out)
