"""`/v1/trajectories`, and the trajectories of one workflow or run."""

from collections.abc import Collection, Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.run_views import related
from cyberdesk_server.api.schemas.common import (
    WRITES,
    Limit,
    PaginatedResponseWithIncludes,
    Skip,
    UtcTime,
    inclusion,
)
from cyberdesk_server.api.schemas.runs import RunImageSignedUrlResponse
from cyberdesk_server.api.schemas.trajectories import (
    TrajectoryCreate,
    TrajectoryResponse,
    TrajectoryResponseWithIncludes,
    TrajectoryUpdate,
)
from cyberdesk_server.api.views import View, included, page, sent
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import OrganizationId, RunId, TrajectoryId, WorkflowId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.domain.runs import RunField
from cyberdesk_server.domain.trajectories import Trajectory
from cyberdesk_server.store import run_records
from cyberdesk_server.store import trajectories as store
from cyberdesk_server.store.trajectories import Wanted
from cyberdesk_server.usecases import trajectories
from cyberdesk_server.usecases.attachments import delete_contents
from cyberdesk_server.usecases.run_views import ALL_FIELDS, run_views

api = router(prefix="/v1/trajectories", tags=["trajectories"])
of_workflows = router(prefix="/v1/workflows", tags=["trajectories"])
of_runs = router(prefix="/v1/runs", tags=["runs"])

Included = Annotated[Collection[str], Depends(inclusion("workflow", "run"))]

Page = PaginatedResponseWithIncludes[TrajectoryResponse]

NEVER_NULL = frozenset({"trajectory_data", "is_approved", "is_main", "is_on_trial"})


@api.post("", status_code=201, response_model=TrajectoryResponse, openapi_extra=WRITES)
async def create_trajectory(
    request: Request, body: TrajectoryCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Write a trajectory by hand. Without `dimensions` it is for the display of the workflow's last run."""

    async def work(conn: AsyncConnection) -> Response:
        trajectory = await trajectories.create(
            conn,
            {**body.model_dump(), "trajectory_data": tuple(body.trajectory_data)},
            organization_id=caller.organization_id,
            blobs=parts.blobs,
            now=parts.clock.now(),
        )
        return JsonAnswer(_view(trajectory), 201)

    return await write(request, work)


@api.get("", response_model=Page)
async def list_trajectories(
    caller: Caller,
    parts: PartsOf,
    include: Included,
    search: str | None = None,
    workflow_id: UUID | None = None,
    run_id: UUID | None = None,
    is_approved: bool | None = None,
    is_generated: bool | None = True,
    created_at_from: UtcTime | None = None,
    created_at_to: UtcTime | None = None,
    updated_at_from: UtcTime | None = None,
    updated_at_to: UtcTime | None = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Trajectories, newest first; those the server made of runs, unless `is_generated=false` is asked for.

    `search` is a part of id, name or description in any case.
    """
    wanted = Wanted(
        workflow_id=None if workflow_id is None else WorkflowId(workflow_id),
        run_id=None if run_id is None else RunId(run_id),
        is_approved=is_approved,
        is_generated=is_generated,
        created_from=created_at_from,
        created_to=created_at_to,
        updated_from=updated_at_from,
        updated_to=updated_at_to,
        search=search or None,
    )
    async with parts.database.read() as conn:
        found, total = await store.find(conn, caller.organization_id, wanted, skip=skip, limit=limit)
        answer = page([_view(trajectory) for trajectory in found], total, skip=skip, limit=limit)
        answer["included"] = await _related(conn, caller.organization_id, found, include)
    return JsonAnswer(answer)


@api.get("/{trajectory_id}", response_model=TrajectoryResponseWithIncludes)
async def get_trajectory(trajectory_id: UUID, caller: Caller, parts: PartsOf, include: Included) -> Response:
    """The trajectory with its steps."""
    async with parts.database.read() as conn:
        trajectory = await trajectories.get(conn, caller.organization_id, TrajectoryId(trajectory_id))
        found = await _related(conn, caller.organization_id, [trajectory], include)
    return JsonAnswer({**_view(trajectory), "included": found})


@api.patch("/{trajectory_id}", response_model=TrajectoryResponse, openapi_extra=WRITES)
async def update_trajectory(
    request: Request, trajectory_id: UUID, body: TrajectoryUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the fields that are sent: approve a trajectory, make it the main one, correct its steps."""
    changes = sent(body.model_dump(exclude_unset=True), not_null=NEVER_NULL)
    if "trajectory_data" in changes:
        changes["trajectory_data"] = tuple(changes["trajectory_data"])
    orphans: tuple[str, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal orphans
        trajectory, orphans = await trajectories.update(
            conn, caller.organization_id, TrajectoryId(trajectory_id), changes, now=parts.clock.now()
        )
        return JsonAnswer(_view(trajectory))

    answer = await write(request, work)
    await delete_contents(parts.blobs, orphans)
    return answer


@api.post(
    "/{trajectory_id}/duplicate", status_code=201, response_model=TrajectoryResponse, openapi_extra=WRITES
)
async def duplicate_trajectory(
    request: Request, trajectory_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """Copy a trajectory and its pictures. Nobody has approved the copy."""

    async def work(conn: AsyncConnection) -> Response:
        copy = await trajectories.duplicate(
            conn,
            caller.organization_id,
            TrajectoryId(trajectory_id),
            blobs=parts.blobs,
            now=parts.clock.now(),
        )
        return JsonAnswer(_view(copy), 201)

    return await write(request, work)


@api.delete("/{trajectory_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_trajectory(
    request: Request, trajectory_id: UUID, caller: Caller, parts: PartsOf
) -> Response:
    """Remove a trajectory and the pictures nobody else shows."""
    orphans: tuple[str, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal orphans
        orphans = await trajectories.delete(conn, caller.organization_id, TrajectoryId(trajectory_id))
        return no_content()

    answer = await write(request, work)
    await delete_contents(parts.blobs, orphans)
    return answer


@api.get("/{trajectory_id}/image/signed-url", response_model=RunImageSignedUrlResponse)
async def get_trajectory_image_signed_url(
    trajectory_id: UUID,
    image_url: str,
    caller: Caller,
    parts: PartsOf,
    expires_in: Annotated[int, Query(ge=10, le=3600)] = 3600,
) -> Response:
    """A link to a picture in the trajectory that anybody can open for `expires_in` seconds."""
    async with parts.database.read() as conn:
        key = await trajectories.image_blob_key(
            conn, caller.organization_id, TrajectoryId(trajectory_id), image_url
        )
    signed_url = parts.blobs.signed_url(key, expires_in_seconds=expires_in)
    return JsonAnswer({"supabase_url": image_url, "signed_url": signed_url, "expires_in": expires_in})


@of_workflows.get("/{workflow_id}/latest-trajectory", response_model=TrajectoryResponse)
async def get_latest_trajectory_for_workflow(workflow_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The workflow's newest trajectory, generated or written by hand."""
    wanted = Wanted(workflow_id=WorkflowId(workflow_id))
    async with parts.database.read() as conn:
        trajectory = await trajectories.latest(conn, caller.organization_id, wanted)
    if trajectory is None:
        raise Unknown("trajectory of workflow", workflow_id)
    return JsonAnswer(_view(trajectory))


@of_runs.get("/{run_id}/trajectory", response_model=TrajectoryResponse)
async def get_run_trajectory(run_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The newest trajectory that was made from this run."""
    async with parts.database.read() as conn:
        trajectory = await trajectories.latest(conn, caller.organization_id, Wanted(run_id=RunId(run_id)))
    if trajectory is None:
        raise Unknown("trajectory of run", run_id)
    return JsonAnswer(_view(trajectory))


@of_runs.post("/{run_id}/generate-trajectory", response_model=TrajectoryResponse, openapi_extra=WRITES)
async def generate_run_trajectory(
    request: Request, run_id: UUID, caller: Caller, parts: PartsOf, is_on_trial: bool = False
) -> Response:
    """Make a new trajectory of a run that ended with success. Nobody has approved it."""

    async def work(conn: AsyncConnection) -> Response:
        trajectory = await trajectories.generate(
            conn,
            caller.organization_id,
            RunId(run_id),
            is_on_trial=is_on_trial,
            blobs=parts.blobs,
            now=parts.clock.now(),
        )
        return JsonAnswer(_view(trajectory))

    return await write(request, work)


async def _related(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    found: Sequence[Trajectory],
    include: Collection[str],
) -> list[View] | None:
    """The workflows and runs of these trajectories, each once, as `include` asks for."""
    if not include:
        return None
    answer = await related(
        conn,
        organization_id,
        [{"workflow_id": trajectory.workflow_id} for trajectory in found],
        [name for name in include if name == "workflow"],
    )
    if "run" in include:
        ids = {trajectory.run_id for trajectory in found if trajectory.run_id is not None}
        records, _ = await run_records.find(
            conn, organization_id, run_records.Wanted(ids=ids), limit=len(ids)
        )
        views = await run_views(conn, records, ALL_FIELDS - {RunField.RUN_MESSAGE_HISTORY})
        answer += [included("run", view) for view in views]
    return answer


def _view(trajectory: Trajectory) -> View:
    return {
        "id": trajectory.id,
        "organization_id": trajectory.organization_id,
        "user_id": trajectory.user_id,
        "workflow_id": trajectory.workflow_id,
        "run_id": trajectory.run_id,
        "name": trajectory.name,
        "description": trajectory.description,
        "trajectory_data": trajectory.trajectory_data,
        "dimensions": trajectory.dimensions,
        "original_input_values": trajectory.original_input_values,
        "is_approved": trajectory.is_approved,
        "has_been_approved": trajectory.has_been_approved,
        "is_generated": trajectory.is_generated,
        "is_main": trajectory.is_main,
        "is_on_trial": trajectory.is_on_trial,
        "trial": trajectory.trial,
        "created_at": trajectory.created_at,
        "updated_at": trajectory.updated_at,
    }
