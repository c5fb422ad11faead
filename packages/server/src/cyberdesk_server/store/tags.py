"""Tags, and which workflows have them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, TagGroupId, TagId, WorkflowId
from cyberdesk_server.domain.tags import Tag, TagGroup
from cyberdesk_server.store.ordering import by_order
from cyberdesk_server.store.tables import tagged_workflows, workflows
from cyberdesk_server.store.tables import workflow_tag_groups as groups
from cyberdesk_server.store.tables import workflow_tags as tags


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, tag_id: TagId, *, for_update: bool = False
) -> Tag | None:
    """The tag, or None when the organization has no such tag.

    With `for_update` nobody else changes, adds or deletes it until the transaction ends.
    """
    found = await get_many(conn, organization_id, [tag_id], for_update=for_update)
    return found.get(tag_id)


async def get_many(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    tag_ids: Collection[TagId],
    *,
    for_update: bool = False,
) -> Mapping[TagId, Tag]:
    """Those of the tags that the organization has, by id."""
    query = _selected(tags.c.organization_id == organization_id, tags.c.id.in_(tag_ids)).order_by(tags.c.id)
    rows = await conn.execute(query.with_for_update(of=tags) if for_update else query)
    return {row.id: _tag(row) for row in rows}


async def of_organization(
    conn: AsyncConnection, organization_id: OrganizationId, *, include_archived: bool
) -> tuple[Tag, ...]:
    """All tags, in their order."""
    wanted = [tags.c.organization_id == organization_id]
    if not include_archived:
        wanted.append(tags.c.is_archived.is_(False))
    rows = await conn.execute(_selected(*wanted).order_by(*by_order(tags)))
    return tuple(_tag(row) for row in rows)


async def add(conn: AsyncConnection, tag: Tag) -> None:
    """Write a new tag."""
    await conn.execute(tags.insert(), _values(tag))


async def replace(conn: AsyncConnection, tag: Tag) -> None:
    """Put `tag` in the place of the one with its id."""
    await conn.execute(update(tags).where(tags.c.id == tag.id).values(_values(tag)))


async def delete(conn: AsyncConnection, tag_id: TagId) -> None:
    """Remove the tag, also from its workflows."""
    await conn.execute(tags.delete().where(tags.c.id == tag_id))


async def workflow_counts(
    conn: AsyncConnection, organization_id: OrganizationId, tag_ids: Collection[TagId] | None = None
) -> Mapping[TagId, int]:
    """How many workflows have each tag, of these or of all; tags without any are left out."""
    wanted = [workflows.c.organization_id == organization_id, workflows.c.deleted_at.is_(None)]
    if tag_ids is not None:
        wanted.append(tagged_workflows.c.tag_id.in_(tag_ids))
    rows = await conn.execute(
        select(tagged_workflows.c.tag_id, func.count().label("workflows"))
        .join(workflows, workflows.c.id == tagged_workflows.c.workflow_id)
        .where(*wanted)
        .group_by(tagged_workflows.c.tag_id)
    )
    return {row.tag_id: row.workflows for row in rows}


async def workflows_with_another_of_group(conn: AsyncConnection, tag_id: TagId, group_id: TagGroupId) -> int:
    """How many workflows have the tag together with another one of the group."""
    other = tagged_workflows.alias("other")
    return (
        await conn.execute(
            select(func.count(tagged_workflows.c.workflow_id.distinct()))
            .join(workflows, workflows.c.id == tagged_workflows.c.workflow_id)
            .join(other, other.c.workflow_id == tagged_workflows.c.workflow_id)
            .join(tags, tags.c.id == other.c.tag_id)
            .where(
                tagged_workflows.c.tag_id == tag_id,
                workflows.c.deleted_at.is_(None),
                other.c.tag_id != tag_id,
                tags.c.group_id == group_id,
            )
        )
    ).scalar_one()


async def of_workflow(conn: AsyncConnection, workflow_id: WorkflowId) -> tuple[Tag, ...]:
    """The tags of one workflow, in the organization's order."""
    return (await of_workflows(conn, [workflow_id])).get(workflow_id, ())


async def of_workflows(
    conn: AsyncConnection, workflow_ids: Sequence[WorkflowId]
) -> Mapping[WorkflowId, tuple[Tag, ...]]:
    """The tags of each workflow, in the organization's order; workflows without any are left out."""
    rows = await conn.execute(
        _selected(tagged_workflows.c.workflow_id.in_(workflow_ids))
        .add_columns(tagged_workflows.c.workflow_id)
        .join(tagged_workflows, tagged_workflows.c.tag_id == tags.c.id)
        .order_by(*by_order(tags))
    )
    found: dict[WorkflowId, list[Tag]] = defaultdict(list)
    for row in rows:
        found[row.workflow_id].append(_tag(row))
    return {workflow_id: tuple(those) for workflow_id, those in found.items()}


async def lock_of_workflows(
    conn: AsyncConnection, workflow_ids: Collection[WorkflowId], tag_ids: Collection[TagId]
) -> None:
    """Nobody else changes these tags, or those the workflows have, until the transaction ends."""
    theirs = select(tagged_workflows.c.tag_id).where(tagged_workflows.c.workflow_id.in_(workflow_ids))
    await conn.execute(
        select(tags.c.id)
        .where(tags.c.id.in_(tag_ids) | tags.c.id.in_(theirs))
        .order_by(tags.c.id)
        .with_for_update()
    )


async def tag_workflow(
    conn: AsyncConnection, workflow_id: WorkflowId, before: Collection[TagId], after: Collection[TagId]
) -> None:
    """The workflow, whose tags are `before`, has those of `after` from now on."""
    await untag_workflow(conn, workflow_id, frozenset(before) - frozenset(after))
    new = [tag_id for tag_id in after if tag_id not in before]
    if new:
        await conn.execute(
            tagged_workflows.insert(), [{"workflow_id": workflow_id, "tag_id": tag_id} for tag_id in new]
        )


async def untag_workflow(conn: AsyncConnection, workflow_id: WorkflowId, tag_ids: Collection[TagId]) -> None:
    """The workflow has none of these tags any more."""
    if tag_ids:
        await conn.execute(
            tagged_workflows.delete().where(
                tagged_workflows.c.workflow_id == workflow_id, tagged_workflows.c.tag_id.in_(tag_ids)
            )
        )


_OF_GROUP = "of_group_"
_GROUP_COLUMNS = [column.label(_OF_GROUP + column.name) for column in groups.c]


def _selected(*wanted: ColumnElement[bool]) -> Select[Any]:
    return select(tags, *_GROUP_COLUMNS).outerjoin(groups, groups.c.id == tags.c.group_id).where(*wanted)


def _tag(row: Row[Any]) -> Tag:
    told = row._mapping
    group = None
    if told["group_id"] is not None:
        group = TagGroup(**{column.name: told[_OF_GROUP + column.name] for column in groups.c})
    return Tag(
        group=group, **{column.name: told[column.name] for column in tags.c if column.name != "group_id"}
    )


def _values(tag: Tag) -> dict[str, Any]:
    values: dict[str, Any] = {column.name: getattr(tag, column.name) for column in tags.c}
    return values
