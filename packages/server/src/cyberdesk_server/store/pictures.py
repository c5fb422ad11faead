"""Which runs show which pictures. A picture nobody shows any more can be deleted."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.store.tables import pictures
from cyberdesk_server.store.upsert import insert


async def show(conn: AsyncConnection, run_id: RunId, addresses: Sequence[str]) -> None:
    """The run's history shows these (`supabase://…`)."""
    if addresses:
        await conn.execute(
            insert(conn, pictures).on_conflict_do_nothing(index_elements=["address", "run_id"]),
            [{"address": address, "run_id": run_id} for address in dict.fromkeys(addresses)],
        )


async def is_shown(conn: AsyncConnection, run_id: RunId, address: str) -> bool:
    """True when the run's history shows this picture."""
    found = await conn.execute(
        select(pictures.c.address).where(pictures.c.run_id == run_id, pictures.c.address == address)
    )
    return found.first() is not None


async def only_shown_by(conn: AsyncConnection, run_id: RunId) -> tuple[str, ...]:
    """The pictures no other run shows."""
    other = pictures.alias("other")
    rows = await conn.execute(
        select(pictures.c.address).where(
            pictures.c.run_id == run_id,
            ~select(other.c.address)
            .where(other.c.address == pictures.c.address, other.c.run_id != run_id)
            .exists(),
        )
    )
    return tuple(rows.scalars())
