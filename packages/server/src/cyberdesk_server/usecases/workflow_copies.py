"""Duplicating a workflow, and merging a copy back into the workflow it was made of."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, PostRunCheckId, WorkflowId
from cyberdesk_server.domain.post_run_checks import PostRunCheck
from cyberdesk_server.domain.prompt_images import PromptImage, addresses_in, readdressed
from cyberdesk_server.domain.refusals import invalid
from cyberdesk_server.domain.workflows import KEPT_IN_VERSIONS, Workflow
from cyberdesk_server.ports import Blobs
from cyberdesk_server.store import post_run_checks, prompt_images, tags, workflows
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases import trajectories
from cyberdesk_server.usecases.contents import kept_if_named
from cyberdesk_server.usecases.prompt_images import copying
from cyberdesk_server.usecases.workflows import delete, locked

COPY = " (copy)"
MAX_NAME_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Copied:
    """The contents of a copy: those that are there already, and a list for those that will be."""

    images: Mapping[str, PromptImage]
    """Copies of the images the source's prompts show, by the address of the original."""

    pictures: list[str]
    """Keys of the pictures of trajectories, noted as they are written."""

    def addresses(self) -> dict[str, str]:
        return {address: image.address for address, image in self.images.items()}


@asynccontextmanager
async def contents_of_a_copy(
    database: Database,
    blobs: Blobs,
    organization_id: OrganizationId,
    workflow_id: WorkflowId,
    *,
    now: datetime,
) -> AsyncIterator[Copied]:
    """The copied images of a workflow, for `duplicate` in a transaction inside the context.

    What that does not come to name is deleted at the end. A workflow that is not there has none: it is
    `duplicate` that refuses, unless the copy was made before under the same idempotency key.
    """
    async with database.read() as conn:
        source = await workflows.get(conn, organization_id, workflow_id)
        checks = await post_run_checks.of_workflow(conn, workflow_id)
    shown = () if source is None else _images_of(source, checks)
    async with (
        copying(database, blobs, organization_id, shown, now=now) as images,
        kept_if_named(database, blobs, trajectories.named) as pictures,
    ):
        yield Copied(images, pictures)


async def duplicate(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    workflow_id: WorkflowId,
    copied: Copied,
    *,
    include_trajectories: bool,
    blobs: Blobs,
    now: datetime,
) -> Workflow:
    """A new workflow with prompt, schemas, settings, checks and tags of this one, and images of its own.

    With `include_trajectories` it has copies of the generated ones as well. Raises `Unknown`.
    """
    source = await locked(conn, organization_id, workflow_id)
    checks = await post_run_checks.of_workflow(conn, workflow_id)
    new = copied.addresses()
    copy = replace(
        _with_images(source, new),
        id=WorkflowId(uuid4()),
        name=None if source.name is None else source.name[: MAX_NAME_LENGTH - len(COPY)] + COPY,
        workflow_metadata=None,
        created_at=now,
        updated_at=now,
    )
    for address in _images_of(source, checks):
        if address in copied.images:
            await prompt_images.add(conn, copied.images[address])
    await workflows.add(conn, copy)
    await _put_beside(conn, source, copy, checks, new, now=now)
    if include_trajectories:
        await trajectories.copy_generated(
            conn,
            organization_id,
            source_id=source.id,
            target_id=copy.id,
            prompts=(source.main_prompt, copy.main_prompt),
            blobs=blobs,
            now=now,
            prompt_images=new,
            written=copied.pictures,
        )
    return copy


async def merge(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    source_id: WorkflowId,
    target_id: WorkflowId,
    *,
    copy_trajectories: bool,
    blobs: Blobs,
    written: list[str],
    now: datetime,
) -> tuple[Workflow, tuple[str, ...]]:
    """The target, made equal to the source in all but its name; and the keys of pictures that nobody shows
    any more, for the caller to delete after the commit.

    The target's state before goes to its history; the source is deleted. `written` is for `kept_if_named`.
    Raises `Unknown`, `WorkflowHasUnfinishedRuns` for the source, `InvalidFields` when the two are one.
    """
    if source_id == target_id:
        raise invalid(("body", "target_workflow_id"), "must be another workflow")
    # In one order for all, so that two merges wait for each other instead of failing.
    both = {id_: await locked(conn, organization_id, id_) for id_ in sorted((source_id, target_id))}
    source, before = both[source_id], both[target_id]
    written_by_author = {name: getattr(source, name) for name in KEPT_IN_VERSIONS if name != "name"}
    after = replace(
        before,
        **written_by_author,
        includes_input_variables=source.includes_input_variables,
        updated_at=now,
    )
    version = before.version(
        await post_run_checks.of_workflow(conn, target_id), await tags.of_workflow(conn, target_id)
    )
    await workflows.replace(conn, after, version=version)
    await _put_beside(conn, source, after, await post_run_checks.of_workflow(conn, source_id), {}, now=now)
    if copy_trajectories:
        await trajectories.copy_generated(
            conn,
            organization_id,
            source_id=source_id,
            target_id=target_id,
            prompts=(source.main_prompt, after.main_prompt),
            blobs=blobs,
            now=now,
            written=written,
        )
    return after, await delete(conn, organization_id, source_id, now=now)


async def _put_beside(
    conn: AsyncConnection,
    source: Workflow,
    target: Workflow,
    checks: Sequence[PostRunCheck],
    new_images: Mapping[str, str],
    *,
    now: datetime,
) -> None:
    """Copies of the source's checks and its tags, in the place of those the target had."""
    copies = [
        replace(
            check,
            id=PostRunCheckId(uuid4()),
            workflow_id=target.id,
            spec=replace(check.spec, check_prompt=_readdressed(check.spec.check_prompt, source, new_images)),
            created_at=now,
            updated_at=now,
        )
        for check in checks
    ]
    await post_run_checks.replace(conn, target.id, copies)
    await tags.lock_of_workflows(conn, [source.id, target.id], [])
    before, after = [
        [tag.id for tag in await tags.of_workflow(conn, workflow.id)] for workflow in (target, source)
    ]
    await tags.tag_workflow(conn, target.id, before, after)


def _images_of(workflow: Workflow, checks: Sequence[PostRunCheck]) -> tuple[str, ...]:
    texts = (
        workflow.main_prompt,
        workflow.post_run_check_failure_cleanup_prompt,
        *(check.spec.check_prompt for check in checks),
    )
    return addresses_in(" ".join(text for text in texts if text), workflow.organization_id)


def _with_images(workflow: Workflow, new: Mapping[str, str]) -> Workflow:
    cleanup = _readdressed(workflow.post_run_check_failure_cleanup_prompt, workflow, new)
    return replace(
        workflow,
        main_prompt=readdressed(workflow.main_prompt, workflow.organization_id, new),
        post_run_check_failure_cleanup_prompt=cleanup,
    )


def _readdressed(text: str | None, workflow: Workflow, new: Mapping[str, str]) -> str | None:
    return None if text is None else readdressed(text, workflow.organization_id, new)
