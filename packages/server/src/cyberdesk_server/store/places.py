"""Places outside of the database that hold a secret nobody needs, or may: an outbox of what is to be deleted.

A place is written here before anything is kept in it. The write that makes use of it takes it away, and the
one that needs it no longer brings it back, each in its own transaction: whatever happens in between, what is
kept elsewhere is either named by a row of `secrets` or is deleted sooner or later.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.domain.sealed import is_elsewhere
from cyberdesk_server.store.tables import places_to_discard

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)

Owned = tuple[OrganizationId, bytes]
"""What the database has of a secret, and of which organization it is."""


@dataclass(frozen=True, slots=True)
class PlaceToDiscard:
    """A place whose time has come."""

    place: bytes
    organization_id: OrganizationId
    failures: int
    """How often it could not be emptied."""


async def discard(conn: AsyncConnection, owned: Iterable[Owned], *, due_at: datetime = AT_ONCE) -> None:
    """These secrets are not needed, from `due_at` on. What the database held itself is gone already."""
    rows = [
        {"organization_id": organization_id, "place": sealed, "due_at": due_at}
        for organization_id, sealed in owned
        if is_elsewhere(sealed)
    ]
    if rows:
        await conn.execute(insert(places_to_discard), rows)


async def use(conn: AsyncConnection, sealed: Iterable[bytes]) -> None:
    """These secrets are needed from now on."""
    used = [content for content in sealed if is_elsewhere(content)]
    if used:
        await done(conn, used)


async def hasten(conn: AsyncConnection, places: Collection[bytes]) -> None:
    """Those of these that nobody has made use of are due at once."""
    await conn.execute(_HASTEN, [{"which": place} for place in places])


async def done(conn: AsyncConnection, places: Collection[bytes]) -> None:
    """These need not be discarded any more."""
    await conn.execute(_DONE, [{"which": place} for place in places])


async def due(conn: AsyncConnection, *, now: datetime, most: int) -> tuple[PlaceToDiscard, ...]:
    """At most so many places whose time has come, the one that has waited longest first."""
    columns = places_to_discard.c
    rows = await conn.execute(
        select(columns.place, columns.organization_id, columns.failures)
        .where(columns.due_at <= now)
        .order_by(columns.due_at, columns.place)
        .limit(most)
    )
    return tuple(PlaceToDiscard(**row._mapping) for row in rows)


async def put_off(conn: AsyncConnection, place: bytes, *, until: datetime) -> None:
    """The place could not be emptied: it is due again then."""
    await conn.execute(
        update(places_to_discard)
        .where(places_to_discard.c.place == place)
        .values(due_at=until, failures=places_to_discard.c.failures + 1)
    )


_THIS = places_to_discard.c.place == bindparam("which")
# One after another: a request may have more of them than a statement has room for.
_HASTEN = update(places_to_discard).where(_THIS).values(due_at=AT_ONCE)
_DONE = delete(places_to_discard).where(_THIS)
