"""Trajectories and the pictures they show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, RunId, TrajectoryId, WorkflowId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.trajectories import Trajectory, images
from cyberdesk_server.store import pictures
from cyberdesk_server.store.search import contains
from cyberdesk_server.store.tables import trajectories

_MOST_CANDIDATES = 20
"""Trajectories one run looks for its next step in."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which trajectories are asked for; None leaves a condition out. The dates are inclusive."""

    workflow_id: WorkflowId | None = None
    run_id: RunId | None = None
    is_approved: bool | None = None
    is_generated: bool | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    updated_from: datetime | None = None
    updated_to: datetime | None = None
    search: str | None = None
    """Part of the id, name or description, in any case."""


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, trajectory_id: TrajectoryId
) -> Trajectory | None:
    """The trajectory, or None when the organization has no such trajectory."""
    row = (
        await conn.execute(
            select(trajectories).where(
                trajectories.c.id == trajectory_id, trajectories.c.organization_id == organization_id
            )
        )
    ).one_or_none()
    return None if row is None else _trajectory(row)


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    wanted: Wanted,
    *,
    skip: int = 0,
    limit: int = 100,
) -> tuple[tuple[Trajectory, ...], int]:
    """One page, newest first, and how many there are in all."""
    conditions = _conditions(organization_id, wanted)
    total = (
        await conn.execute(select(func.count()).select_from(trajectories).where(*conditions))
    ).scalar_one()
    rows = await conn.execute(
        select(trajectories)
        .where(*conditions)
        .order_by(trajectories.c.created_at.desc(), trajectories.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return tuple(_trajectory(row) for row in rows), total


async def concerning(
    conn: AsyncConnection, workflow_id: WorkflowId, prompt_digest: str
) -> tuple[Trajectory, ...]:
    """Those a run of this prompt may replay, and those on trial: main ones first, then the newest."""
    rows = await conn.execute(
        select(trajectories)
        .where(
            trajectories.c.workflow_id == workflow_id,
            trajectories.c.is_approved | trajectories.c.is_on_trial,
            trajectories.c.prompt_digest == prompt_digest,
        )
        .order_by(trajectories.c.is_main.desc(), trajectories.c.created_at.desc(), trajectories.c.id.desc())
        .limit(_MOST_CANDIDATES)
    )
    return tuple(map(_trajectory, rows))


async def end_trial(
    conn: AsyncConnection, trajectory_id: TrajectoryId, told: JsonObject, *, now: datetime
) -> None:
    """Write what came of a trial, when it was not called off meanwhile. It is on trial no more."""
    await conn.execute(
        update(trajectories)
        .where(trajectories.c.id == trajectory_id, trajectories.c.is_on_trial)
        .values(is_on_trial=False, trial=told, updated_at=now)
    )


async def has_room_for(conn: AsyncConnection, recording: Trajectory, *, most_unapproved: int) -> bool:
    """True when nothing does the same for the same prompt, approved or not, and not too many wait for an
    approval already."""
    rows = await conn.execute(
        select(trajectories.c.calls_digest, trajectories.c.has_been_approved).where(
            trajectories.c.workflow_id == recording.workflow_id,
            trajectories.c.prompt_digest == recording.prompt_digest,
        )
    )
    kept = rows.all()
    unapproved = sum(not row.has_been_approved for row in kept)
    return unapproved < most_unapproved and all(row.calls_digest != recording.calls_digest for row in kept)


async def add(conn: AsyncConnection, trajectory: Trajectory) -> None:
    """Write a new trajectory, and which pictures it shows."""
    await conn.execute(trajectories.insert(), _values(trajectory))
    shown = images(trajectory.trajectory_data, trajectory.organization_id)
    await pictures.show_in_trajectory(conn, trajectory.id, shown)


async def replace(conn: AsyncConnection, trajectory: Trajectory) -> None:
    """Put `trajectory`, and the pictures it shows, in the place of the one with its id."""
    await conn.execute(
        update(trajectories).where(trajectories.c.id == trajectory.id).values(_values(trajectory))
    )
    shown = images(trajectory.trajectory_data, trajectory.organization_id)
    await pictures.show_in_trajectory(conn, trajectory.id, shown)


async def unset_main(conn: AsyncConnection, trajectory: Trajectory, *, now: datetime) -> None:
    """No other trajectory of its workflow and display size is the main one any more."""
    await conn.execute(
        update(trajectories)
        .where(*_mains_beside(trajectory), trajectories.c.id != trajectory.id)
        .values(is_main=False, updated_at=now)
    )


async def has_main(conn: AsyncConnection, trajectory: Trajectory) -> bool:
    """True when a trajectory of this workflow and display size is the main one."""
    found = await conn.execute(select(trajectories.c.id).where(*_mains_beside(trajectory)).limit(1))
    return found.first() is not None


async def delete(conn: AsyncConnection, trajectory_id: TrajectoryId) -> None:
    await conn.execute(trajectories.delete().where(trajectories.c.id == trajectory_id))


async def ids_of_workflow(conn: AsyncConnection, workflow_id: WorkflowId) -> tuple[TrajectoryId, ...]:
    """All trajectories of the workflow."""
    rows = await conn.execute(select(trajectories.c.id).where(trajectories.c.workflow_id == workflow_id))
    return tuple(rows.scalars())


def _conditions(organization_id: OrganizationId, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [trajectories.c.organization_id == organization_id]
    for column, value in (
        (trajectories.c.workflow_id, wanted.workflow_id),
        (trajectories.c.run_id, wanted.run_id),
        (trajectories.c.is_approved, wanted.is_approved),
        (trajectories.c.is_generated, wanted.is_generated),
    ):
        if value is not None:
            conditions.append(column == value)
    for column, earliest, latest in (
        (trajectories.c.created_at, wanted.created_from, wanted.created_to),
        (trajectories.c.updated_at, wanted.updated_from, wanted.updated_to),
    ):
        if earliest is not None:
            conditions.append(column >= earliest)
        if latest is not None:
            conditions.append(column <= latest)
    if wanted.search is not None:
        places = (cast(trajectories.c.id, Text), trajectories.c.name, trajectories.c.description)
        conditions.append(contains(wanted.search, *places))
    return conditions


def _mains_beside(trajectory: Trajectory) -> tuple[ColumnElement[bool], ...]:
    dimensions = trajectories.c.dimensions
    return (
        trajectories.c.workflow_id == trajectory.workflow_id,
        trajectories.c.is_main,
        dimensions["width"].as_integer() == trajectory.dimensions["width"],
        dimensions["height"].as_integer() == trajectory.dimensions["height"],
    )


def _values(trajectory: Trajectory) -> dict[str, Any]:
    return {column.name: getattr(trajectory, column.name) for column in trajectories.c}


def _trajectory(row: Row[Any]) -> Trajectory:
    fields = dict(row._mapping)
    del fields["calls_digest"]
    fields["trajectory_data"] = tuple(fields["trajectory_data"])
    return Trajectory(**fields)
