"""Images of prompts."""

from datetime import datetime

from cyberdesk_server.api.schemas.common import Model


class WorkflowPromptImageResponse(Model):
    supabase_url: str
    """The address by which a prompt shows the image, in the `src` of an `img`."""

    signed_url: str
    """A link that shows the image to anybody, for an hour."""

    filename: str
    """The image's name, made safe for paths."""

    content_type: str
    """What its bytes are: `image/png`, `image/jpeg`, `image/gif` or `image/webp`."""

    size_bytes: int
    """Its size in bytes, at most 10 MB."""


class WorkflowPromptImageSignedUrlResponse(Model):
    supabase_url: str
    """The address by which prompts show the image."""

    signed_url: str
    """A link that shows the image to anybody while it is valid."""

    expires_in: int
    """How long the link is valid, in seconds."""


class WorkflowPromptImageListItem(Model):
    supabase_url: str
    """The address by which prompts show the image."""

    path: str
    """The image's path, by which it is linked and deleted."""

    filename: str
    """The image's name."""

    created_at: datetime | None = None
    """When the image was uploaded, in UTC."""

    size_bytes: int | None = None
    """Its size in bytes."""
