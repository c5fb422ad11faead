# Written by packages/sdk/tools/generate_models.py from contract/openapi.json. Do not edit.

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from attrs import define

from cyberdesk.models._model import Answered, Model, Page, given
from cyberdesk.models._readers import Reads, each, moment, nested, uuid, word
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from cyberdesk.models._generated.enums import AttachmentType


@define(on_setattr=given)
class RunAttachmentCreate(Model):
    """Sent by `POST /v1/run-attachments`."""

    run_id: UUID | str
    filename: str
    content: str
    content_type: str
    attachment_type: AttachmentType
    target_path: str | None = UNSET
    cleanup_imports_after_run: bool = False
    expires_at: datetime | str | None = UNSET

    _reads: ClassVar[Reads] = {
        "run_id": uuid,
        "attachment_type": word("AttachmentType"),
        "expires_at": moment,
    }


@define(on_setattr=given)
class RunAttachmentDownloadUrlResponse(Answered):
    """Answered by `GET /v1/run-attachments/{attachment_id}/download-url`."""

    url: str
    expires_in: int


@define(on_setattr=given)
class RunAttachmentResponse(Answered):
    """Answered by `POST /v1/run-attachments`.

    Answered by `GET /v1/run-attachments/{attachment_id}`.
    Answered by `PUT /v1/run-attachments/{attachment_id}`.
    """

    filename: str
    content_type: str
    attachment_type: AttachmentType
    id: UUID
    run_id: UUID
    size_bytes: int
    storage_path: str
    created_at: datetime
    target_path: str | None = UNSET
    cleanup_imports_after_run: bool = False
    user_id: UUID | None = UNSET
    organization_id: str | None = UNSET
    expires_at: datetime | None = UNSET

    _reads: ClassVar[Reads] = {
        "attachment_type": word("AttachmentType"),
        "id": uuid,
        "run_id": uuid,
        "created_at": moment,
        "user_id": uuid,
        "expires_at": moment,
    }


@define(on_setattr=given)
class RunAttachmentUpdate(Model):
    """Sent by `PUT /v1/run-attachments/{attachment_id}`."""

    expires_at: datetime | str | None = UNSET

    _reads: ClassVar[Reads] = {"expires_at": moment}


@define(on_setattr=given)
class PaginatedResponseRunAttachmentResponse(Page[RunAttachmentResponse]):
    """Answered by `GET /v1/run-attachments`."""

    items: list[RunAttachmentResponse]
    total: int
    skip: int
    limit: int

    _reads: ClassVar[Reads] = {"items": each(nested("RunAttachmentResponse"))}
