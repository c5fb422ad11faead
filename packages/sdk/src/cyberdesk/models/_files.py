"""Files that are sent as part of a form."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class File:
    """A file to send: its bytes, the name the server sees, and its media type (`image/png`)."""

    payload: bytes = field(repr=lambda payload: f"<{len(payload)} bytes>")
    file_name: str | None = None
    mime_type: str | None = None
