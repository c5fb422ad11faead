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
    filename: FileName
    content: FileContent
    content_type: Annotated[str, Field(min_length=1, max_length=255)]
    attachment_type: AttachmentType
    target_path: str | None = None
    cleanup_imports_after_run: bool = False
    expires_at: UtcTime | None = None


class RunAttachmentUpdate(Model):
    expires_at: UtcTime | None = None


class RunAttachmentResponse(Model):
    filename: str
    content_type: str
    attachment_type: AttachmentType
    id: UUID
    run_id: UUID
    size_bytes: int
    storage_path: str
    created_at: datetime
    target_path: str | None = None
    cleanup_imports_after_run: bool = False
    user_id: UUID | None = None
    organization_id: str | None = None
    expires_at: datetime | None = None


class PaginatedResponseRunAttachmentResponse(Model):
    items: list[RunAttachmentResponse]
    total: int
    skip: int
    limit: int


class RunAttachmentDownloadUrlResponse(Model):
    url: str
    expires_in: int
