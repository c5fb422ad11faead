# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from attrs import define

from cyberdesk.models._model import Answered, Model, given
from cyberdesk.models._readers import Reads, each, moment, nested, uuid
from cyberdesk.models._unset import UNSET


@define(on_setattr=given)
class AddTagsRequest(Model):
    """Sent by `POST /v1/workflows/{workflow_id}/tags`."""

    tag_ids: Sequence[UUID | str]

    _reads: ClassVar[Reads] = {"tag_ids": each(uuid)}


@define(on_setattr=given)
class BulkAddTagsRequest(Model):
    """Sent by `POST /v1/workflows/bulk/tags`."""

    workflow_ids: Sequence[UUID | str]
    tag_ids: Sequence[UUID | str]

    _reads: ClassVar[Reads] = {"workflow_ids": each(uuid), "tag_ids": each(uuid)}


@define(on_setattr=given)
class ReorderRequest(Model):
    """Sent by `PUT /v1/workflow-tag-groups/reorder`.

    Sent by `PUT /v1/workflow-tags/reorder`.
    """

    ids: Sequence[UUID | str]

    _reads: ClassVar[Reads] = {"ids": each(uuid)}


@define(on_setattr=given)
class WorkflowTagCreate(Model):
    """Sent by `POST /v1/workflow-tags`."""

    name: str
    description: str | None = UNSET
    emoji: str | None = UNSET
    color: str | None = UNSET
    group_id: UUID | str | None = UNSET

    _reads: ClassVar[Reads] = {"group_id": uuid}


@define(on_setattr=given)
class WorkflowTagGroupCreate(Model):
    """Sent by `POST /v1/workflow-tag-groups`."""

    name: str
    description: str | None = UNSET
    emoji: str | None = UNSET
    color: str | None = UNSET


@define(on_setattr=given)
class WorkflowTagGroupResponse(Answered):
    """Answered by `POST /v1/workflow-tag-groups`.

    Answered by `GET /v1/workflow-tag-groups`.
    Answered by `GET /v1/workflow-tag-groups/{group_id}`.
    Answered by `PATCH /v1/workflow-tag-groups/{group_id}`.
    """

    name: str
    id: UUID
    organization_id: str
    order: int
    created_at: datetime
    updated_at: datetime
    description: str | None = UNSET
    emoji: str | None = UNSET
    color: str | None = UNSET

    _reads: ClassVar[Reads] = {"id": uuid, "created_at": moment, "updated_at": moment}


@define(on_setattr=given)
class WorkflowTagGroupUpdate(Model):
    """Sent by `PATCH /v1/workflow-tag-groups/{group_id}`."""

    name: str | None = UNSET
    description: str | None = UNSET
    emoji: str | None = UNSET
    color: str | None = UNSET


@define(on_setattr=given)
class WorkflowTagResponse(Answered):
    """Answered by `POST /v1/workflow-tags`.

    Answered by `GET /v1/workflow-tags`.
    Answered by `GET /v1/workflow-tags/{tag_id}`.
    Answered by `PATCH /v1/workflow-tags/{tag_id}`.
    Answered by `POST /v1/workflow-tags/{tag_id}/archive`.
    Answered by `POST /v1/workflow-tags/{tag_id}/unarchive`.
    Answered by `POST /v1/workflows/{workflow_id}/tags`.
    Answered by `GET /v1/workflows/{workflow_id}/tags`.
    """

    name: str
    id: UUID
    organization_id: str
    order: int
    created_at: datetime
    updated_at: datetime
    description: str | None = UNSET
    emoji: str | None = UNSET
    color: str | None = UNSET
    group_id: UUID | None = UNSET
    is_archived: bool = False
    workflow_count: int | None = UNSET
    group: WorkflowTagGroupResponse | None = UNSET

    _reads: ClassVar[Reads] = {
        "id": uuid,
        "created_at": moment,
        "updated_at": moment,
        "group_id": uuid,
        "group": nested("WorkflowTagGroupResponse"),
    }


@define(on_setattr=given)
class WorkflowTagUpdate(Model):
    """Sent by `PATCH /v1/workflow-tags/{tag_id}`."""

    name: str | None = UNSET
    description: str | None = UNSET
    emoji: str | None = UNSET
    color: str | None = UNSET
    group_id: UUID | str | None = UNSET
    is_archived: bool | None = UNSET

    _reads: ClassVar[Reads] = {"group_id": uuid}
