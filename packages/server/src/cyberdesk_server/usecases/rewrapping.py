"""Changing the master key: every sealed secret is wrapped anew, and none is opened."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from cyberdesk_server.domain.sealed import is_elsewhere
from cyberdesk_server.ports import SecretContext, SecretUnreadable
from cyberdesk_server.store import sealed
from cyberdesk_server.store.database import Database

AT_A_TIME = 500
"""Secrets in one transaction."""


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What a change has come to."""

    changed: int = 0
    unreadable: int = 0
    """Under a key that is not known: left as they are."""


async def rewrap_all(database: Database, rewrapped: Callable[[bytes, SecretContext], bytes]) -> Rewrapped:
    """Wrap all that is sealed in the database anew, a few hundred in a transaction.

    Whenever it is broken off, it may be done again: what is under the right key already stays as it is.
    """
    changed = unreadable = 0
    for column in sealed.SEALED_COLUMNS:
        after = UUID(int=0)
        while True:
            async with database.transaction() as conn:
                found = await sealed.page(conn, column, after=after, most=AT_A_TIME)
                others = {}
                for one in found:
                    if is_elsewhere(one.sealed):
                        continue
                    try:
                        other = rewrapped(one.sealed, SecretContext(one.organization_id, one.secret_id))
                    except SecretUnreadable:
                        unreadable += 1
                        continue
                    if other != one.sealed:
                        others[one] = other
                await sealed.replace(conn, column, others)
            changed += len(others)
            if len(found) < AT_A_TIME:
                break
            after = found[-1].secret_id
    return Rewrapped(changed, unreadable)
