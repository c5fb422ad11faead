"""Files that are downloaded: under which name they are kept, and how they are whole or not there at all."""

from __future__ import annotations

import ntpath
import os
import posixpath
import re
import threading
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

CHUNK_BYTES = 1 << 20
"""How much of a download is in memory at a time."""

_UNFIT = re.compile(r'[\x00-\x1f\x7f<>:"|?*\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
"""What one system or another forbids in names, and what makes a name look like another one."""

_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)")
"""Names that Windows takes for devices, with any extension."""


def safe_name(filename: str) -> str:
    """A file name from elsewhere as a name that every system can carry, inside the folder it is put into.

    The last part of a path counts, whichever slashes it has. Characters that are unfit become `_`, dots at
    the beginning go, so that no file is hidden, and a device gets a `_` before it. Raises ValueError when
    nothing is left.
    """
    name = _UNFIT.sub("_", ntpath.basename(posixpath.basename(filename))).strip(". ")
    if not name:
        raise ValueError(f"filename: {filename!r} is no name for a file")
    return f"_{name}" if _DEVICES.match(name) else name


def target(output_path: str | Path | None, filename: str, use_original_filename: bool) -> Path:
    """Where a download goes: into a folder under its own name, or to the very path the caller gave."""
    if output_path is None:
        return Path(safe_name(filename))
    path = Path(output_path)
    is_folder = path.is_dir() or str(output_path).endswith(("/", os.sep))
    return path / safe_name(filename) if is_folder and use_original_filename else path


class PartialFile:
    """A file that takes its place only when it is whole.

    Until `finish` it is written beside its place, under a name of its own; `discard` leaves nothing of it.
    One thread may discard it while another still writes, as when an async call is cancelled.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f".{uuid4().hex}.part")
        self._lock = threading.Lock()  # guards all of the following
        self._file: BinaryIO | None = None
        self._is_discarded = False

    def start(self) -> None:
        """Begin with an empty file, also when it was begun before. Missing folders are made."""
        with self._lock:
            if self._is_discarded:
                return
            if self._file is None:
                self._part.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._part.open("xb")
            self._file.seek(0)
            self._file.truncate()

    def write(self, chunk: bytes) -> None:
        """Write the next bytes."""
        with self._lock:
            if self._file is not None:
                self._file.write(chunk)

    def finish(self) -> int:
        """Put the file in its place, instead of one that is there. Its size in bytes."""
        with self._lock:
            if self._file is None:
                raise ValueError("the file was never started")
            size = self._file.tell()
            self._file.close()
            self._part.replace(self.path)
            self._file = None
            return size

    def discard(self) -> None:
        """Leave nothing, unless it was finished."""
        with self._lock:
            self._is_discarded = True
            if self._file is not None:
                self._file.close()
                self._file = None
                self._part.unlink(missing_ok=True)
