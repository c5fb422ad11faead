"""Which runs and trajectories show which pictures. A picture nobody shows any more can be deleted."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import RunId, TrajectoryId
from cyberdesk_server.store.tables import pictures, trajectory_pictures
from cyberdesk_server.store.upsert import insert


async def show(conn: AsyncConnection, run_id: RunId, addresses: Sequence[str]) -> None:
    """The run's history shows these (`supabase://…`)."""
    if addresses:
        await conn.execute(
            insert(conn, pictures).on_conflict_do_nothing(index_elements=["address", "run_id"]),
            [{"address": address, "run_id": run_id} for address in dict.fromkeys(addresses)],
        )


async def show_in_trajectory(
    conn: AsyncConnection, trajectory_id: TrajectoryId, addresses: Sequence[str]
) -> None:
    """The trajectory shows these, and no others."""
    await conn.execute(
        delete(trajectory_pictures).where(trajectory_pictures.c.trajectory_id == trajectory_id)
    )
    if addresses:
        await conn.execute(
            trajectory_pictures.insert(),
            [{"address": address, "trajectory_id": trajectory_id} for address in dict.fromkeys(addresses)],
        )


async def is_shown(conn: AsyncConnection, run_id: RunId, address: str) -> bool:
    """True when the run's history shows this picture."""
    found = await conn.execute(
        select(pictures.c.address).where(pictures.c.run_id == run_id, pictures.c.address == address)
    )
    return found.first() is not None


async def is_shown_in_trajectory(conn: AsyncConnection, trajectory_id: TrajectoryId, address: str) -> bool:
    """True when the trajectory shows this picture."""
    found = await conn.execute(
        select(trajectory_pictures.c.address).where(
            trajectory_pictures.c.trajectory_id == trajectory_id, trajectory_pictures.c.address == address
        )
    )
    return found.first() is not None


async def shown_in_trajectories(conn: AsyncConnection, addresses: Collection[str]) -> frozenset[str]:
    """Those of the pictures that trajectories show."""
    rows = await conn.execute(
        select(trajectory_pictures.c.address).where(trajectory_pictures.c.address.in_(addresses)).distinct()
    )
    return frozenset(rows.scalars())


async def only_shown_by(conn: AsyncConnection, run_id: RunId) -> tuple[str, ...]:
    """The run's pictures that no other run and no trajectory shows."""
    rows = await conn.execute(
        select(pictures.c.address).where(
            pictures.c.run_id == run_id,
            ~_in_a_run(pictures.c.address, besides=run_id),
            ~_in_a_trajectory(pictures.c.address),
        )
    )
    return tuple(rows.scalars())


async def only_shown_by_trajectory(conn: AsyncConnection, trajectory_id: TrajectoryId) -> tuple[str, ...]:
    """The trajectory's pictures that no run and no other trajectory shows."""
    rows = await conn.execute(
        select(trajectory_pictures.c.address).where(
            trajectory_pictures.c.trajectory_id == trajectory_id,
            ~_in_a_run(trajectory_pictures.c.address),
            ~_in_a_trajectory(trajectory_pictures.c.address, besides=trajectory_id),
        )
    )
    return tuple(rows.scalars())


def _in_a_run(address: ColumnElement[str], besides: RunId | None = None) -> ColumnElement[bool]:
    other = pictures.alias("of_other_runs")
    is_other = [] if besides is None else [other.c.run_id != besides]
    return exists().where(other.c.address == address, *is_other)


def _in_a_trajectory(address: ColumnElement[str], besides: TrajectoryId | None = None) -> ColumnElement[bool]:
    other = trajectory_pictures.alias("of_other_trajectories")
    is_other = [] if besides is None else [other.c.trajectory_id != besides]
    return exists().where(other.c.address == address, *is_other)
