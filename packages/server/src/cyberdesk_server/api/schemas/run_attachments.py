"""Files of runs."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.common import Model, UtcTime
from cyberdesk_server.api.schemas.files import FileContent, FileName
from cyberdesk_server.domain.attachments import AttachmentType


class RunAttachmentCreate(Model):
    run_id: UUID
    """The run the file belongs to."""

    filename: FileName
    """The file's name, 1 to 255 characters."""

    content: FileContent
    """The file as base64, at most 100 MB."""

    content_type: Annotated[str, Field(min_length=1, max_length=255)]
    """What its bytes are, such as `application/pdf`."""

    attachment_type: AttachmentType
    """Whether it goes to the machine or came from it."""

    target_path: str | None = None
    """Where an input goes on the machine, a file or a folder; null is the transfer folder."""

    cleanup_imports_after_run: bool = False
    """True: an input is removed from the machine when the run has ended."""

    expires_at: UtcTime | None = None
    """From when on nobody can read it; null keeps it as long as its run."""


class RunAttachmentUpdate(Model):
    expires_at: UtcTime | None = None
    """From when on nobody can read it; null keeps it as long as its run."""


class RunAttachmentResponse(Model):
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

    target_path: str | None = None
    """Where an input goes on the machine, a file or a folder; null is the transfer folder."""

    cleanup_imports_after_run: bool = False
    """True: an input is removed from the machine when the run has ended."""

    user_id: UUID | None = None
    """Who made it; null when no person is known."""

    organization_id: str | None = None
    """The organization that owns it."""

    expires_at: datetime | None = None
    """From when on nobody can read it, in UTC; null keeps it as long as its run."""


class PaginatedResponseRunAttachmentResponse(Model):
    items: list[RunAttachmentResponse]
    """The items of this page, in the order of the list."""

    total: int
    """How many items there are on all pages."""

    skip: int
    """How many items of the list come before this page."""

    limit: int
    """How many items this page may have at most."""


class RunAttachmentDownloadUrlResponse(Model):
    url: str
    """A link that downloads the file for anybody while it is valid."""

    expires_in: int
    """How long the link is valid, in seconds."""
