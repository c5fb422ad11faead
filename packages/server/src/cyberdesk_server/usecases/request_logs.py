"""How long it is told what was asked of machines."""

from datetime import datetime

from cyberdesk_server.store import request_logs
from cyberdesk_server.store.database import Database

FORGET_ROWS = 5_000
"""Of one transaction: few, because others may wait for it."""


async def forget_old(database: Database, *, before: datetime) -> None:
    """Remove the request logs that are older, of all organizations."""
    while True:
        async with database.transaction() as conn:
            if await request_logs.forget(conn, before=before, at_most=FORGET_ROWS) < FORGET_ROWS:
                return
