"""Writing, generating, copying and deleting trajectories.

Copies have pictures of their own, so that nothing that is done to the original changes them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.addresses import address_of, blob_key_of, history_image_key
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.ids import OrganizationId, RunId, TrajectoryId, WorkflowId
from cyberdesk_server.domain.recordings import prompt_digest
from cyberdesk_server.domain.refusals import (
    InvalidFields,
    Problem,
    RunDidNotSucceed,
    Unknown,
    UnknownTrajectoryImage,
    invalid,
)
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.screens import png_size
from cyberdesk_server.domain.steps import course
from cyberdesk_server.domain.trajectories import (
    USUAL_SIZE,
    Trajectory,
    TrajectoryData,
    Trial,
    dimensions,
    images,
    readdressed,
    recorded,
    screenshots,
    step_problems,
)
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.ports import BlobMissing, Blobs
from cyberdesk_server.store import pictures, runs, steps, trajectories, workflows

MAX_NAME_LENGTH = 255
COPY = " (copy)"
MAX_PROBLEMS = 20

MOST_UNAPPROVED = 20
"""Recordings of one prompt that wait for somebody to look at them; runs leave no more."""


async def create(
    conn: AsyncConnection,
    fields: Mapping[str, Any],
    *,
    organization_id: OrganizationId,
    blobs: Blobs,
    now: datetime,
) -> Trajectory:
    """A trajectory a caller wrote. `fields` are members of `Trajectory`.

    Without `dimensions` it has those of the display of the workflow's last run, or the usual ones. Raises
    `Unknown` for workflow and run, and `InvalidFields` for steps that are none and a run of another workflow.
    """
    _check_steps(fields["trajectory_data"], organization_id)
    workflow_id: WorkflowId = fields["workflow_id"]
    workflow = await workflows.get(conn, organization_id, workflow_id)
    if workflow is None:
        raise Unknown("workflow", workflow_id)
    run_id: RunId | None = fields.get("run_id")
    if run_id is not None:
        run = await runs.get(conn, organization_id, run_id)
        if run is None:
            raise Unknown("run", run_id)
        if run.workflow_id != workflow_id:
            raise invalid(("body", "run_id"), "is a run of another workflow")
    given = fields.get("dimensions") or dimensions(await _size_of_last_run(conn, blobs, workflow_id))
    trajectory = Trajectory(
        **{**fields, "dimensions": given},
        id=TrajectoryId(uuid4()),
        organization_id=organization_id,
        prompt_digest=prompt_digest(workflow.main_prompt),
        has_been_approved=fields.get("is_approved", False),
        created_at=now,
        updated_at=now,
    )
    await trajectories.add(conn, trajectory)
    return trajectory


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    trajectory_id: TrajectoryId,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> tuple[Trajectory, tuple[str, ...]]:
    """The trajectory with these fields changed, and the keys of pictures that nobody shows any more.

    An approval is remembered when it is taken back. The main trajectory takes the place of the one that was
    it for the same workflow and display size. Raises `Unknown`, and `InvalidFields` for steps that are none.
    """
    _check_steps(changes.get("trajectory_data", ()), organization_id)
    before = await get(conn, organization_id, trajectory_id)
    # Whoever changes which trajectory is the main one waits here for its turn.
    await workflows.get(conn, organization_id, before.workflow_id, for_update=True)
    after = replace(before, **changes, updated_at=now)
    after = replace(after, has_been_approved=before.has_been_approved or after.is_approved)
    shown_alone = await pictures.only_shown_by_trajectory(conn, trajectory_id)
    await trajectories.replace(conn, after)
    if after.is_main and not before.is_main:
        await trajectories.unset_main(conn, after, now=now)
    still_shown = images(after.trajectory_data, organization_id)
    return after, _keys(address for address in shown_alone if address not in still_shown)


async def generate(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    run_id: RunId,
    *,
    is_on_trial: bool = False,
    blobs: Blobs,
    now: datetime,
) -> Trajectory:
    """A new trajectory made of the journal of a run that ended with success; nobody has approved it.

    Raises `Unknown` for the run, and for its workflow when that is gone, and `RunDidNotSucceed`.
    """
    run = await runs.get(conn, organization_id, run_id)
    if run is None:
        raise Unknown("run", run_id)
    if run.status is not RunStatus.SUCCESS:
        raise RunDidNotSucceed(run.id, run.status)
    workflow = await workflows.get(conn, organization_id, run.workflow_id)
    if workflow is None:
        raise Unknown("workflow", run.workflow_id)
    data = recorded(await steps.history(conn, run.id))
    size = await _size(blobs, next(screenshots(data), None))
    trajectory = Trajectory(
        id=TrajectoryId(uuid4()),
        organization_id=organization_id,
        workflow_id=run.workflow_id,
        run_id=run.id,
        trajectory_data=await _with_own_pictures(blobs, organization_id, data),
        dimensions=dimensions(size or await _size_of_last_run(conn, blobs, run.workflow_id)),
        original_input_values=run.input_values,
        prompt_digest=prompt_digest(run.main_prompt or await _prompt_at(conn, workflow, run.started_at)),
        is_generated=True,
        is_on_trial=is_on_trial,
        created_at=now,
        updated_at=now,
    )
    await trajectories.add(conn, trajectory)
    return trajectory


async def record(conn: AsyncConnection, run: Run, prompt: str, display: Size, *, now: datetime) -> None:
    """Keep what a run that ended with success did, for somebody to approve.

    Not when it was replayed as a whole, not what is kept already, and not when `MOST_UNAPPROVED` wait
    already. `prompt` is the one it followed.
    """
    journal = await steps.history(conn, run.id)
    if all(step.is_cached for step in course(journal)):
        return
    if await workflows.get(conn, run.organization_id, run.workflow_id) is None:
        return
    recording = Trajectory(
        id=TrajectoryId(uuid4()),
        organization_id=run.organization_id,
        workflow_id=run.workflow_id,
        run_id=run.id,
        trajectory_data=recorded(journal),
        dimensions=dimensions(display),
        original_input_values=run.input_values,
        prompt_digest=prompt_digest(prompt),
        is_generated=True,
        created_at=now,
        updated_at=now,
    )
    if recording.trajectory_data and await trajectories.has_room_for(
        conn, recording, most_unapproved=MOST_UNAPPROVED
    ):
        await trajectories.add(conn, recording)


async def end_trials(
    conn: AsyncConnection,
    run_id: RunId,
    status: RunStatus,
    trials: Mapping[TrajectoryId, Trial],
    *,
    now: datetime,
) -> None:
    """Keep what came of the trajectories that were on trial in a run that has ended."""
    for trajectory_id, trial in trials.items():
        await trajectories.end_trial(conn, trajectory_id, trial.told(run_id, status.value, now), now=now)


async def display_of(conn: AsyncConnection, run_id: RunId, blobs: Blobs) -> Size | None:
    """The size of the desktop a run last looked at; None when it never did."""
    looked_at = [step.screen for step in await steps.history(conn, run_id) if step.screen is not None]
    return await _size(blobs, looked_at[-1] if looked_at else None)


async def _prompt_at(conn: AsyncConnection, workflow: Workflow, time: datetime | None) -> str:
    """The workflow's prompt as it was then."""
    if time is None or workflow.updated_at <= time:
        return workflow.main_prompt
    versions = (await workflows.versions(conn, [workflow.id])).get(workflow.id, ())
    states = [*versions, workflow.version()]
    until_then = [one for one in states if datetime.fromisoformat(str(one["updated_at"])) <= time]
    return str((until_then or states[:1])[-1]["main_prompt"])


async def duplicate(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    trajectory_id: TrajectoryId,
    *,
    blobs: Blobs,
    now: datetime,
) -> Trajectory:
    """A copy that nobody has approved and that is not the main one. Raises `Unknown`."""
    original = await get(conn, organization_id, trajectory_id)
    copy = replace(
        original,
        id=TrajectoryId(uuid4()),
        trajectory_data=await _with_own_pictures(blobs, organization_id, original.trajectory_data),
        name=None if original.name is None else original.name[: MAX_NAME_LENGTH - len(COPY)] + COPY,
        is_approved=False,
        has_been_approved=False,
        is_main=False,
        is_on_trial=False,
        trial=None,
        created_at=now,
        updated_at=now,
    )
    await trajectories.add(conn, copy)
    return copy


async def copy_generated(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    source_id: WorkflowId,
    target_id: WorkflowId,
    blobs: Blobs,
    now: datetime,
    prompts: tuple[str, str],
    prompt_images: Mapping[str, str] | None = None,
    written: list[str] | None = None,
) -> tuple[Trajectory, ...]:
    """Copies of a workflow's generated trajectories for another workflow, oldest first.

    They keep their approval, and stay the main one where the target has none of that size. `prompts` are
    those of source and target: what was made for the one is for the other. `prompt_images`
    are new addresses for the pictures of the source's prompt, by the old ones. The keys of the copied
    pictures are noted in `written`, each before it is written, for `kept_if_named`. Both workflows are the
    organization's own.
    """
    wanted = trajectories.Wanted(workflow_id=source_id, is_generated=True)
    _, total = await trajectories.find(conn, organization_id, wanted, limit=0)
    originals, _ = await trajectories.find(conn, organization_id, wanted, limit=total)
    before, after = map(prompt_digest, prompts)
    copies: list[Trajectory] = []
    for original in reversed(originals):
        data = readdressed(original.trajectory_data, prompt_images or {})
        copy = replace(
            original,
            id=TrajectoryId(uuid4()),
            workflow_id=target_id,
            run_id=None,
            is_on_trial=False,
            trial=None,
            prompt_digest=after if original.prompt_digest == before else original.prompt_digest,
            trajectory_data=await _with_own_pictures(blobs, organization_id, data, written),
            created_at=now,
            updated_at=now,
        )
        copy = replace(copy, is_main=copy.is_main and not await trajectories.has_main(conn, copy))
        await trajectories.add(conn, copy)
        copies.append(copy)
    return tuple(copies)


async def named(conn: AsyncConnection, blob_keys: Sequence[str]) -> frozenset[str]:
    """Those of the contents that trajectories show."""
    shown = await pictures.shown_in_trajectories(conn, [address_of(key) for key in blob_keys])
    return frozenset(map(blob_key_of, shown))


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, trajectory_id: TrajectoryId
) -> tuple[str, ...]:
    """Remove the trajectory. Raises `Unknown`.

    Returns the keys of the pictures that nobody else shows; the caller deletes them after the commit.
    """
    await get(conn, organization_id, trajectory_id)
    orphans = await pictures.only_shown_by_trajectory(conn, trajectory_id)
    await trajectories.delete(conn, trajectory_id)
    return _keys(orphans)


async def delete_of_workflow(conn: AsyncConnection, workflow_id: WorkflowId) -> tuple[str, ...]:
    """Remove all trajectories of a workflow; the same keys as from `delete`."""
    orphans: list[str] = []
    for trajectory_id in await trajectories.ids_of_workflow(conn, workflow_id):
        orphans += await pictures.only_shown_by_trajectory(conn, trajectory_id)
        await trajectories.delete(conn, trajectory_id)
    return _keys(orphans)


async def image_blob_key(
    conn: AsyncConnection, organization_id: OrganizationId, trajectory_id: TrajectoryId, address: str
) -> str:
    """Where the content of a picture in the trajectory is. Raises `Unknown`, `UnknownTrajectoryImage`."""
    await get(conn, organization_id, trajectory_id)
    if not await pictures.is_shown_in_trajectory(conn, trajectory_id, address):
        raise UnknownTrajectoryImage(trajectory_id)
    return blob_key_of(address)


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, trajectory_id: TrajectoryId
) -> Trajectory:
    """The trajectory. Raises `Unknown`."""
    trajectory = await trajectories.get(conn, organization_id, trajectory_id)
    if trajectory is None:
        raise Unknown("trajectory", trajectory_id)
    return trajectory


async def latest(
    conn: AsyncConnection, organization_id: OrganizationId, wanted: trajectories.Wanted
) -> Trajectory | None:
    """The newest of these trajectories."""
    found, _ = await trajectories.find(conn, organization_id, wanted, limit=1)
    return next(iter(found), None)


def _check_steps(data: TrajectoryData, organization_id: OrganizationId) -> None:
    problems = [
        Problem(("body", "trajectory_data", *place), reason)
        for place, reason in step_problems(data, organization_id)
    ]
    if problems:
        raise InvalidFields(tuple(problems[:MAX_PROBLEMS]))


async def _with_own_pictures(
    blobs: Blobs, organization_id: OrganizationId, data: TrajectoryData, written: list[str] | None = None
) -> TrajectoryData:
    """The steps with a fresh copy of each picture. A picture that is gone keeps its address."""
    new: dict[str, str] = {}
    for address in images(data, organization_id):
        try:
            content = await blobs.get(blob_key_of(address))
        except BlobMissing:
            continue
        key = history_image_key(organization_id, f"{uuid4().hex}.png")
        if written is not None:
            written.append(key)
        await blobs.put(key, content, content_type="image/png")
        new[address] = address_of(key)
    return readdressed(data, new)


async def _size_of_last_run(conn: AsyncConnection, blobs: Blobs, workflow_id: WorkflowId) -> Size:
    return await _size(blobs, await steps.last_screen(conn, workflow_id)) or USUAL_SIZE


async def _size(blobs: Blobs, address: str | None) -> Size | None:
    """Width and height of a stored screenshot; None when there is none."""
    try:
        return None if address is None else png_size(await blobs.get(blob_key_of(address)))
    except BlobMissing:
        return None


def _keys(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(blob_key_of, addresses))
