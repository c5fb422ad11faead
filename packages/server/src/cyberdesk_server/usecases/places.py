"""Emptying the places outside of the database that nobody needs any more."""

from datetime import datetime, timedelta

import structlog

from cyberdesk_server.ports import OutsideVault, SecretUnreadable, Vault, VaultUnavailable
from cyberdesk_server.store import places, secrets
from cyberdesk_server.store.database import Database

MOST_AT_ONCE = 500
"""Places that one round empties; the next round comes soon."""

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)

log = structlog.get_logger(__name__)


async def empty_due(database: Database, vault: Vault, *, now: datetime) -> None:
    """Delete what is at the places that are due. The first failure ends the round, and puts its place off."""
    async with database.read() as conn:
        due = await places.due(conn, now=now, most=MOST_AT_ONCE)
    for one in due:
        try:
            if not isinstance(vault, OutsideVault):
                raise SecretUnreadable("no vault besides the database is set up")
            await vault.discard(one.place, one.organization_id)
        except (VaultUnavailable, SecretUnreadable) as error:
            pause = min(FIRST_PAUSE * 2 ** min(one.failures, 20), LONGEST_PAUSE)
            log.warning(
                "a secret could not be deleted, trying again", error=str(error), tries=one.failures + 1
            )
            async with database.transaction() as conn:
                await places.put_off(conn, one.place, until=now + pause)
            return
        async with database.transaction() as conn:
            await places.done(conn, [one.place])


async def forget_ended(database: Database) -> None:
    """Remove the secrets of runs that have ended, should any be left: each end removes its own."""
    async with database.transaction() as conn:
        left = await secrets.forget_ended(conn)
    if left:
        log.error("secrets of ended runs were left, and are gone now", secrets=left)
