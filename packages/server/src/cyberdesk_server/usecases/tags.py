"""Tags and their groups: making and sorting them, and putting tags on workflows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, TagGroupId, TagId, WorkflowId
from cyberdesk_server.domain.refusals import TagClashesInGroup, Unknown, invalid
from cyberdesk_server.domain.tags import Tag, TagGroup, reordered, with_added
from cyberdesk_server.store import ordering, tag_groups, tags, workflows
from cyberdesk_server.store.tables import workflow_tag_groups, workflow_tags

TAG = "workflow tag"
GROUP = "workflow tag group"


async def create(
    conn: AsyncConnection,
    fields: Mapping[str, Any],
    *,
    group_id: TagGroupId | None,
    organization_id: OrganizationId,
    now: datetime,
) -> Tag:
    """A new tag behind all others. `fields` are members of `Tag`. Raises `Unknown` for its group."""
    tag = Tag(
        id=TagId(uuid4()),
        organization_id=organization_id,
        order=await ordering.next_order(conn, workflow_tags, organization_id),
        created_at=now,
        updated_at=now,
        group=await _group(conn, organization_id, group_id),
        **fields,
    )
    await tags.add(conn, tag)
    return tag


async def create_group(
    conn: AsyncConnection, fields: Mapping[str, Any], *, organization_id: OrganizationId, now: datetime
) -> TagGroup:
    """A new group behind all others. `fields` are members of `TagGroup`."""
    group = TagGroup(
        id=TagGroupId(uuid4()),
        organization_id=organization_id,
        order=await ordering.next_order(conn, workflow_tag_groups, organization_id),
        created_at=now,
        updated_at=now,
        **fields,
    )
    await tag_groups.add(conn, group)
    return group


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    tag_id: TagId,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> Tag:
    """The tag with these members changed; `group_id` moves it, None out of its group.

    Raises `Unknown` for the tag and the group, and `TagClashesInGroup` when a workflow would have two tags of
    the group.
    """
    changes = dict(changes)
    moves = "group_id" in changes
    # The group first, as its deletion locks it before its tags.
    group = await _group(conn, organization_id, changes.pop("group_id", None))
    before = await tags.get(conn, organization_id, tag_id, for_update=True)
    if before is None:
        raise Unknown(TAG, tag_id)
    after = replace(before, **changes, updated_at=now)
    if moves:
        after = replace(after, group=group)
    if group is not None and group.id != before.group_id:
        clashes = await tags.workflows_with_another_of_group(conn, tag_id, group.id)
        if clashes:
            raise TagClashesInGroup(tag_id, group.id, clashes)
    await tags.replace(conn, after)
    return after


async def update_group(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    group_id: TagGroupId,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> TagGroup:
    """The group with these members changed. Raises `Unknown`."""
    before = await tag_groups.get(conn, organization_id, group_id, for_update=True)
    if before is None:
        raise Unknown(GROUP, group_id)
    after = replace(before, **changes, updated_at=now)
    await tag_groups.replace(conn, after)
    return after


async def delete(conn: AsyncConnection, organization_id: OrganizationId, tag_id: TagId) -> None:
    """Remove the tag, also from its workflows. Raises `Unknown`."""
    if await tags.get(conn, organization_id, tag_id, for_update=True) is None:
        raise Unknown(TAG, tag_id)
    await tags.delete(conn, tag_id)


async def delete_group(conn: AsyncConnection, organization_id: OrganizationId, group_id: TagGroupId) -> None:
    """Remove the group; its tags stay, in no group. Raises `Unknown`."""
    if await tag_groups.get(conn, organization_id, group_id, for_update=True) is None:
        raise Unknown(GROUP, group_id)
    await tag_groups.delete(conn, group_id)


async def reorder(conn: AsyncConnection, organization_id: OrganizationId, ids: Sequence[TagId]) -> None:
    """Sort these tags so, on the places they hold together. Raises `Unknown`, `InvalidFields`."""
    await _reorder(conn, workflow_tags, TAG, organization_id, ids)


async def reorder_groups(
    conn: AsyncConnection, organization_id: OrganizationId, ids: Sequence[TagGroupId]
) -> None:
    """Sort these groups so, on the places they hold together. Raises `Unknown`, `InvalidFields`."""
    await _reorder(conn, workflow_tag_groups, GROUP, organization_id, ids)


async def add_to_workflows(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    workflow_ids: Sequence[WorkflowId],
    tag_ids: Sequence[TagId],
) -> None:
    """Put the tags on each of the workflows, one after the other: each takes the place of another tag of its
    group, so that of several tags of one group the last one stays. Raises `Unknown`.
    """
    # In one order for all, so that two who tag the same workflows wait for each other instead of failing.
    for workflow_id in sorted(set(workflow_ids)):
        if await workflows.get(conn, organization_id, workflow_id, for_update=True) is None:
            raise Unknown("workflow", workflow_id)
    await tags.lock_of_workflows(conn, workflow_ids, tag_ids)
    known = await tags.get_many(conn, organization_id, tag_ids)
    _refuse_unknown(TAG, tag_ids, known)
    present = await tags.of_workflows(conn, workflow_ids)
    for workflow_id in dict.fromkeys(workflow_ids):
        before = present.get(workflow_id, ())
        after = with_added(before, [known[tag_id] for tag_id in tag_ids])
        await tags.tag_workflow(conn, workflow_id, [tag.id for tag in before], [tag.id for tag in after])


async def remove_from_workflow(
    conn: AsyncConnection, organization_id: OrganizationId, workflow_id: WorkflowId, tag_id: TagId
) -> None:
    """The workflow does not have the tag, whether it had it or not. Raises `Unknown`."""
    if await workflows.get(conn, organization_id, workflow_id, for_update=True) is None:
        raise Unknown("workflow", workflow_id)
    if await tags.get(conn, organization_id, tag_id) is None:
        raise Unknown(TAG, tag_id)
    await tags.untag_workflow(conn, workflow_id, [tag_id])


async def _group(
    conn: AsyncConnection, organization_id: OrganizationId, group_id: TagGroupId | None
) -> TagGroup | None:
    if group_id is None:
        return None
    group = await tag_groups.get(conn, organization_id, group_id, for_update=True)
    if group is None:
        raise Unknown(GROUP, group_id)
    return group


async def _reorder(
    conn: AsyncConnection, table: Table, noun: str, organization_id: OrganizationId, ids: Sequence[UUID]
) -> None:
    if len(set(ids)) != len(ids):
        raise invalid(("body", "ids"), "names an id twice")
    present = await ordering.ids_in_order(conn, table, organization_id)
    _refuse_unknown(noun, ids, present)
    await ordering.set_order(conn, table, reordered(present, ids))


def _refuse_unknown(noun: str, asked: Sequence[UUID], known: Sequence[UUID] | Mapping[TagId, Tag]) -> None:
    there = frozenset(known)
    unknown = [str(id_) for id_ in dict.fromkeys(asked) if id_ not in there]
    if unknown:
        raise Unknown(noun, ", ".join(unknown))
