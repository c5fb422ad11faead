"""Tags of workflows and their groups."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field

from cyberdesk_server.api.schemas.common import Model

Name = Annotated[str, Field(min_length=1, max_length=100)]
Description = Annotated[str, Field(max_length=500)]
Emoji = Annotated[str, Field(max_length=10)]
Color = Annotated[str, Field(max_length=20)]

GroupId = Annotated[UUID | None, BeforeValidator(lambda value: None if value == "" else value)]
"""No group is null, or an empty text: some clients leave nulls out of what they send."""

MOST_IDS = 1000
Ids = Annotated[list[UUID], Field(max_length=MOST_IDS)]


class WorkflowTagGroupCreate(Model):
    name: Name
    """What people call it, 1 to 100 characters."""

    description: Description | None = None
    """What it says about workflows, at most 500 characters."""

    emoji: Emoji | None = None
    """A sign shown with it, at most 10 characters."""

    color: Color | None = None
    """The color it is shown in, at most 20 characters."""


class WorkflowTagGroupUpdate(Model):
    name: Name | None = None
    """What people call it, 1 to 100 characters; null leaves it."""

    description: Description | None = None
    """What it says about workflows, at most 500 characters."""

    emoji: Emoji | None = None
    """A sign shown with it, at most 10 characters."""

    color: Color | None = None
    """The color it is shown in, at most 20 characters."""


class WorkflowTagGroupResponse(Model):
    name: str
    """What people call it."""

    id: UUID
    """Its id."""

    organization_id: str
    """The organization that owns it."""

    order: int
    """Its place among the others of the organization; the smallest is first."""

    created_at: datetime
    """When it was made, in UTC."""

    updated_at: datetime
    """When it last changed, in UTC."""

    description: str | None = None
    """What it says about workflows; null when nobody wrote it."""

    emoji: str | None = None
    """A sign shown with it; null when it has none."""

    color: str | None = None
    """The color it is shown in; null when it has none."""


class WorkflowTagCreate(WorkflowTagGroupCreate):
    group_id: GroupId = None
    """The group it is put in; a workflow has at most one tag of a group. Null puts it in none."""


class WorkflowTagUpdate(WorkflowTagGroupUpdate):
    group_id: GroupId = None
    """The group it is put in; null takes it out of its group."""

    is_archived: bool | None = None
    """True: it stays on its workflows and is left out of lists; null leaves it."""


class WorkflowTagResponse(Model):
    name: str
    """What people call it."""

    id: UUID
    """Its id."""

    organization_id: str
    """The organization that owns it."""

    order: int
    """Its place among the others of the organization; the smallest is first."""

    created_at: datetime
    """When it was made, in UTC."""

    updated_at: datetime
    """When it last changed, in UTC."""

    description: str | None = None
    """What it says about workflows; null when nobody wrote it."""

    emoji: str | None = None
    """A sign shown with it; null when it has none."""

    color: str | None = None
    """The color it is shown in; null when it has none."""

    group_id: UUID | None = None
    """The group it is in; null when it is in none."""

    is_archived: bool = False
    """True: it stays on its workflows and is left out of lists."""

    workflow_count: int | None = None
    """How many workflows have it; null where nobody counted them."""

    group: WorkflowTagGroupResponse | None = None
    """The group it is in; null when it is in none."""


class ReorderRequest(Model):
    ids: Ids
    """What is sorted, in its new order, at most 1000; the others keep their places."""


class AddTagsRequest(Model):
    tag_ids: Annotated[Ids, Field(min_length=1)]
    """The tags that are added, 1 to 1000; each takes the place of another of its group."""


class BulkAddTagsRequest(AddTagsRequest):
    workflow_ids: Annotated[Ids, Field(min_length=1)]
    """The workflows that get them, 1 to 1000."""
