"""Tags, groups and tagged workflows, on both databases."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

from cyberdesk_server.domain.ids import OrganizationId, TagGroupId, TagId
from cyberdesk_server.domain.tags import Tag, TagGroup
from cyberdesk_server.store import ordering, tag_groups, tags, workflows
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import workflow_tags
from cyberdesk_server.testing.rows import NOON, a_workflow, an_organization
from cyberdesk_server.usecases import tags as usecases
from sqlalchemy.ext.asyncio import AsyncConnection


async def a_group(conn: AsyncConnection, organization: OrganizationId, order: int = 0) -> TagGroup:
    group = TagGroup(TagGroupId(uuid4()), organization, "Status", order, NOON, NOON, emoji="✨")
    await tag_groups.add(conn, group)
    return group


async def a_tag(conn: AsyncConnection, organization: OrganizationId, order: int = 0, **fields: Any) -> Tag:
    usual: dict[str, Any] = {"name": "Draft", "created_at": NOON, "updated_at": NOON}
    tag = Tag(id=TagId(uuid4()), organization_id=organization, order=order, **usual | fields)
    await tags.add(conn, tag)
    return tag


async def test_tags_are_read_back_with_their_group_and_in_order(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        group = await a_group(conn, organization)
        second = await a_tag(conn, organization, 1, color="red", is_archived=True)
        first = await a_tag(conn, organization, 0, group=group, emoji="✨")

        assert await tags.of_organization(conn, organization, include_archived=True) == (first, second)
        assert await tags.of_organization(conn, organization, include_archived=False) == (first,)
        assert await tags.get(conn, organization, first.id, for_update=True) == first
        assert await tags.get(conn, OrganizationId("org_other"), first.id) is None
        assert await tag_groups.get(conn, OrganizationId("org_other"), group.id) is None
        assert await tag_groups.of_organization(conn, organization) == (group,)


async def test_a_deleted_group_leaves_its_tags_ungrouped(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        group = await a_group(conn, organization)
        tag = await a_tag(conn, organization, group=group)

        await tag_groups.delete(conn, group.id)

        assert await tags.get(conn, organization, tag.id) == replace(tag, group=None)


async def test_a_deleted_tag_and_a_deleted_workflow_are_not_counted(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        one, two = await a_workflow(conn, organization), await a_workflow(conn, organization)
        kept, gone = await a_tag(conn, organization), await a_tag(conn, organization)
        for workflow in (one, two):
            await tags.tag_workflow(conn, workflow.id, (), [kept.id, gone.id])

        await workflows.delete(conn, two.id, now=NOON)
        await tags.delete(conn, gone.id)

        assert await tags.of_workflow(conn, one.id) == (kept,)
        assert await tags.workflow_counts(conn, organization) == {kept.id: 1}


async def test_workflows_with_all_of_the_tags_are_found(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        both, one = await a_workflow(conn, organization), await a_workflow(conn, organization)
        first, second = await a_tag(conn, organization), await a_tag(conn, organization)
        await tags.tag_workflow(conn, both.id, (), [first.id, second.id])
        await tags.tag_workflow(conn, one.id, (), [first.id])

        found, total = await workflows.find(conn, organization, tag_ids=[first.id, second.id])

        assert (found, total) == ((both,), 1)
        assert (await workflows.find(conn, organization, tag_ids=[first.id]))[1] == 2


async def test_sorting_gives_every_row_a_place_of_its_own(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        same_place = [await a_tag(conn, organization, 7) for _ in range(3)]
        wanted = [same_place[2].id, same_place[0].id, same_place[1].id]

        await ordering.set_order(conn, workflow_tags, wanted)

        assert list(await ordering.ids_in_order(conn, workflow_tags, organization)) == wanted
        assert await ordering.next_order(conn, workflow_tags, organization) == 3


async def test_two_tags_of_a_group_added_at_the_same_time_leave_one(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        group = await a_group(conn, organization)
        workflow = await a_workflow(conn, organization)
        rivals = [await a_tag(conn, organization, order, group=group) for order in range(4)]

    async def add(tag: Tag) -> None:
        async with database.transaction() as conn:
            await usecases.add_to_workflows(conn, organization, [workflow.id], [tag.id])

    await asyncio.gather(*(add(tag) for tag in rivals))

    async with database.read() as conn:
        assert len(await tags.of_workflow(conn, workflow.id)) == 1
