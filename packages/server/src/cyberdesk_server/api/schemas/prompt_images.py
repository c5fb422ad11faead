"""Images of prompts."""

from datetime import datetime

from cyberdesk_server.api.schemas.common import Model


class WorkflowPromptImageResponse(Model):
    supabase_url: str
    signed_url: str
    filename: str
    content_type: str
    size_bytes: int


class WorkflowPromptImageSignedUrlResponse(Model):
    supabase_url: str
    signed_url: str
    expires_in: int


class WorkflowPromptImageListItem(Model):
    supabase_url: str
    path: str
    filename: str
    created_at: datetime | None = None
    size_bytes: int | None = None
