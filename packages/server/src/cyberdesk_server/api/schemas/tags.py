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
    description: Description | None = None
    emoji: Emoji | None = None
    color: Color | None = None


class WorkflowTagGroupUpdate(Model):
    name: Name | None = None
    description: Description | None = None
    emoji: Emoji | None = None
    color: Color | None = None


class WorkflowTagGroupResponse(Model):
    name: str
    id: UUID
    organization_id: str
    order: int
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    emoji: str | None = None
    color: str | None = None


class WorkflowTagCreate(WorkflowTagGroupCreate):
    group_id: GroupId = None


class WorkflowTagUpdate(WorkflowTagGroupUpdate):
    group_id: GroupId = None
    is_archived: bool | None = None


class WorkflowTagResponse(Model):
    name: str
    id: UUID
    organization_id: str
    order: int
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    emoji: str | None = None
    color: str | None = None
    group_id: UUID | None = None
    is_archived: bool = False
    workflow_count: int | None = None
    group: WorkflowTagGroupResponse | None = None


class ReorderRequest(Model):
    ids: Ids


class AddTagsRequest(Model):
    tag_ids: Annotated[Ids, Field(min_length=1)]


class BulkAddTagsRequest(AddTagsRequest):
    workflow_ids: Annotated[Ids, Field(min_length=1)]
