"""Files that belong to a run."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cyberdesk_server.domain.ids import AttachmentId, OrganizationId, RunId


class AttachmentType(StrEnum):
    """Values of the contract's `AttachmentType`."""

    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Attachment:
    id: AttachmentId
    organization_id: OrganizationId
    run_id: RunId
    type: AttachmentType
    filename: str
    content_type: str
    size_bytes: int
    blob_key: str
    created_at: datetime
    expires_at: datetime | None = None
    """None: kept as long as its run."""
