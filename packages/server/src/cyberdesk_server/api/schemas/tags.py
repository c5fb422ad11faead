"""Tags, as workflows show them."""

from datetime import datetime
from uuid import UUID

from cyberdesk_server.api.schemas.common import Model


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
