# Written by packages/sdk/tools/generate_models.py from packages/sdk/openapi.json. Do not edit.

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
    """The run the file belongs to."""

    filename: str
    """The file's name, 1 to 255 characters."""

    content: str
    """The file as base64, at most 100 MB."""

    content_type: str
    """What its bytes are, such as `application/pdf`."""

    attachment_type: AttachmentType
    """Whether it goes to the machine or came from it."""

    target_path: str | None = UNSET
    """Where an input goes on the machine, a file or a folder; None is the transfer folder."""

    cleanup_imports_after_run: bool = False
    """True: an input is removed from the machine when the run has ended."""

    expires_at: datetime | str | None = UNSET
    """From when on nobody can read it; None keeps it as long as its run."""

    _reads: ClassVar[Reads] = {
        "run_id": uuid,
        "attachment_type": word("AttachmentType"),
        "expires_at": moment,
    }


@define(on_setattr=given)
class RunAttachmentDownloadUrlResponse(Answered):
    """Answered by `GET /v1/run-attachments/{attachment_id}/download-url`."""

    url: str
    """A link that downloads the file for anybody while it is valid."""

    expires_in: int
    """How long the link is valid, in seconds."""


@define(on_setattr=given)
class RunAttachmentResponse(Answered):
    """Answered by `POST /v1/run-attachments`.

    Answered by `GET /v1/run-attachments/{attachment_id}`.
    Answered by `PUT /v1/run-attachments/{attachment_id}`.
    """

    filename: str
    """The file's name, as it was sent."""

    content_type: str
    """What its bytes are, such as `application/pdf`."""

    attachment_type: AttachmentType
    """Whether it goes to the machine or came from it."""

    id: UUID
    """The attachment's id."""

    run_id: UUID
    """The run the file belongs to."""

    size_bytes: int
    """Its size in bytes."""

    storage_path: str
    """By what the server's store of files knows it."""

    created_at: datetime
    """When the attachment was made, in UTC."""

    target_path: str | None = UNSET
    """Where an input goes on the machine, a file or a folder; None is the transfer folder."""

    cleanup_imports_after_run: bool = False
    """True: an input is removed from the machine when the run has ended."""

    user_id: UUID | None = UNSET
    """Who made it; None when no person is known."""

    organization_id: str | None = UNSET
    """The organization that owns it."""

    expires_at: datetime | None = UNSET
    """From when on nobody can read it, in UTC; None keeps it as long as its run."""

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
    """From when on nobody can read it; None keeps it as long as its run."""

    _reads: ClassVar[Reads] = {"expires_at": moment}


@define(on_setattr=given)
class PaginatedResponseRunAttachmentResponse(Page[RunAttachmentResponse]):
    """Answered by `GET /v1/run-attachments`."""

    items: list[RunAttachmentResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""

    _reads: ClassVar[Reads] = {"items": each(nested("RunAttachmentResponse"))}
