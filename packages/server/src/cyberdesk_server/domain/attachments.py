"""Files that belong to a run."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cyberdesk_server.domain.ids import AttachmentId, OrganizationId, RunId

MAX_FILE_BYTES = 100 * 1024 * 1024
"""Of one file, into a run or out of it: what drivers read and write."""

MAX_NAME_BYTES = 200
"""Of a name that becomes part of a path: file systems allow 255, and some add an ending of their own."""

TRANSFER_FOLDER = "~/CyberdeskTransfers/"
"""Where an input file is put when nobody says where."""

NO_FILE_NAME = frozenset('<>:"/\\|?*')
"""Characters that no name has on Windows."""


class AttachmentType(StrEnum):
    """Values of the contract's `AttachmentType`."""

    INPUT = "input"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a run. Its content never changes."""

    id: AttachmentId
    organization_id: OrganizationId
    run_id: RunId
    type: AttachmentType
    filename: str
    """As it was sent, for people; `safe_name` makes a part of a path from it."""

    content_type: str
    size_bytes: int
    blob_key: str
    created_at: datetime
    user_id: UUID | None = None
    target_path: str | None = None
    """Where an input goes on the machine: a file, or a folder; None is the transfer folder."""

    written_path: str | None = None
    """Where it was put on the machine, once it was."""

    cleanup_imports_after_run: bool = False
    """Remove it from the machine when the run has ended, however it ended."""

    expires_at: datetime | None = None
    """From then on nobody can read it; None keeps it as long as its run."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file whose content is in the blob store already, and that no run has yet."""

    filename: str
    content_type: str
    size_bytes: int
    blob_key: str
    target_path: str | None = None
    cleanup_imports_after_run: bool = False


def content_key(organization_id: OrganizationId, unique: str, filename: str) -> str:
    """The blob's key of a file's content; links to it show the name at its end.

    `unique` names this one upload: contents of two uploads never share a blob, so that deleting one can
    not take away the other.
    """
    return f"run-attachments/{organization_id}/{unique}/{safe_name(filename)}"


def safe_name(filename: str) -> str:
    """The last part of a path as a name that file systems take: printable, not too long, never empty."""
    last = filename.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    name = "".join(
        letter if letter.isprintable() and letter not in NO_FILE_NAME else "_" for letter in last
    ).strip(" ")
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > MAX_NAME_BYTES // 2:
        stem, dot, ending = name, "", ""
    room = MAX_NAME_BYTES - len((dot + ending).encode())
    name = (stem.encode()[:room].decode(errors="ignore") + dot + ending).rstrip(". ")
    return name or "file"


def names_a_folder(target_path: str) -> bool:
    """True when the path says by itself that it is a folder."""
    return target_path.endswith(("/", "\\")) or target_path == "~"


def inside(folder: str, filename: str) -> str:
    """Where in the folder a file of this name goes, in the folder's own manner of writing paths."""
    separator = "\\" if "\\" in folder and "/" not in folder else "/"
    return folder.rstrip("/\\") + separator + safe_name(filename)
