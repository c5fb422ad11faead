# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

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
    """The tags that are added, 1 to 1000; each takes the place of another of its group."""

    _reads: ClassVar[Reads] = {"tag_ids": each(uuid)}


@define(on_setattr=given)
class BulkAddTagsRequest(Model):
    """Sent by `POST /v1/workflows/bulk/tags`."""

    workflow_ids: Sequence[UUID | str]
    """The workflows that get them, 1 to 1000."""

    tag_ids: Sequence[UUID | str]
    """The tags that are added, 1 to 1000; each takes the place of another of its group."""

    _reads: ClassVar[Reads] = {"workflow_ids": each(uuid), "tag_ids": each(uuid)}


@define(on_setattr=given)
class ReorderRequest(Model):
    """Sent by `PUT /v1/workflow-tags/reorder`.

    Sent by `PUT /v1/workflow-tag-groups/reorder`.
    """

    ids: Sequence[UUID | str]
    """What is sorted, in its new order, at most 1000; the others keep their places."""

    _reads: ClassVar[Reads] = {"ids": each(uuid)}


@define(on_setattr=given)
class WorkflowTagCreate(Model):
    """Sent by `POST /v1/workflow-tags`."""

    name: str
    """What people call it, 1 to 100 characters."""

    description: str | None = UNSET
    """What it says about workflows, at most 500 characters."""

    emoji: str | None = UNSET
    """A sign shown with it, at most 10 characters."""

    color: str | None = UNSET
    """The color it is shown in, at most 20 characters."""

    group_id: UUID | str | None = UNSET
    """The group it is put in; a workflow has at most one tag of a group. None puts it in none."""

    _reads: ClassVar[Reads] = {"group_id": uuid}


@define(on_setattr=given)
class WorkflowTagGroupCreate(Model):
    """Sent by `POST /v1/workflow-tag-groups`."""

    name: str
    """What people call it, 1 to 100 characters."""

    description: str | None = UNSET
    """What it says about workflows, at most 500 characters."""

    emoji: str | None = UNSET
    """A sign shown with it, at most 10 characters."""

    color: str | None = UNSET
    """The color it is shown in, at most 20 characters."""


@define(on_setattr=given)
class WorkflowTagGroupResponse(Answered):
    """Answered by `POST /v1/workflow-tag-groups`.

    Answered by `GET /v1/workflow-tag-groups`.
    Answered by `GET /v1/workflow-tag-groups/{group_id}`.
    Answered by `PATCH /v1/workflow-tag-groups/{group_id}`.
    """

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

    description: str | None = UNSET
    """What it says about workflows; None when nobody wrote it."""

    emoji: str | None = UNSET
    """A sign shown with it; None when it has none."""

    color: str | None = UNSET
    """The color it is shown in; None when it has none."""

    _reads: ClassVar[Reads] = {"id": uuid, "created_at": moment, "updated_at": moment}


@define(on_setattr=given)
class WorkflowTagGroupUpdate(Model):
    """Sent by `PATCH /v1/workflow-tag-groups/{group_id}`."""

    name: str | None = UNSET
    """What people call it, 1 to 100 characters; None leaves it."""

    description: str | None = UNSET
    """What it says about workflows, at most 500 characters."""

    emoji: str | None = UNSET
    """A sign shown with it, at most 10 characters."""

    color: str | None = UNSET
    """The color it is shown in, at most 20 characters."""


@define(on_setattr=given)
class WorkflowTagResponse(Answered):
    """Answered by `POST /v1/workflows/{workflow_id}/tags`.

    Answered by `GET /v1/workflows/{workflow_id}/tags`.
    Answered by `POST /v1/workflow-tags`.
    Answered by `GET /v1/workflow-tags`.
    Answered by `GET /v1/workflow-tags/{tag_id}`.
    Answered by `PATCH /v1/workflow-tags/{tag_id}`.
    Answered by `POST /v1/workflow-tags/{tag_id}/archive`.
    Answered by `POST /v1/workflow-tags/{tag_id}/unarchive`.
    """

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

    description: str | None = UNSET
    """What it says about workflows; None when nobody wrote it."""

    emoji: str | None = UNSET
    """A sign shown with it; None when it has none."""

    color: str | None = UNSET
    """The color it is shown in; None when it has none."""

    group_id: UUID | None = UNSET
    """The group it is in; None when it is in none."""

    is_archived: bool = False
    """True: it stays on its workflows and is left out of lists."""

    workflow_count: int | None = UNSET
    """How many workflows have it; None where nobody counted them."""

    group: WorkflowTagGroupResponse | None = UNSET
    """The group it is in; None when it is in none."""

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
    """What people call it, 1 to 100 characters; None leaves it."""

    description: str | None = UNSET
    """What it says about workflows, at most 500 characters."""

    emoji: str | None = UNSET
    """A sign shown with it, at most 10 characters."""

    color: str | None = UNSET
    """The color it is shown in, at most 20 characters."""

    group_id: UUID | str | None = UNSET
    """The group it is put in; None takes it out of its group."""

    is_archived: bool | None = UNSET
    """True: it stays on its workflows and is left out of lists; None leaves it."""

    _reads: ClassVar[Reads] = {"group_id": uuid}
