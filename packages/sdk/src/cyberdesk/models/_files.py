"""Files that are sent: as part of a form, or as base64 in a JSON body."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from cyberdesk.models._model import Model
from cyberdesk.models._unset import UNSET

if TYPE_CHECKING:
    from typing_extensions import Self


@frozen
class File:
    """A file to send: its bytes, the name the server sees, and its media type (`image/png`)."""

    payload: bytes = field(repr=lambda payload: f"<{len(payload)} bytes>")
    file_name: str | None = None
    mime_type: str | None = None


@define
class ReadFromPath(Model):
    """What `FileInput` can do beyond its fields."""

    @classmethod
    def from_path(
        cls,
        path: str | Path,
        target_path: str | None = UNSET,
        *,
        filename: str | None = None,
        cleanup_imports_after_run: bool = False,
    ) -> Self:
        """The file at this path, read now.

        `target_path` is where it goes on the machine, `filename` its name there, otherwise the one it has.
        Raises OSError for a file that cannot be read.
        """
        read = Path(path)
        file = cls.from_dict(
            {
                "filename": filename or read.name,
                "content": base64.b64encode(read.read_bytes()).decode(),
                "cleanup_imports_after_run": cleanup_imports_after_run,
            }
        )
        if target_path is not UNSET:
            file["target_path"] = target_path
        return file
