"""Files that belong to a run."""

from enum import StrEnum


class AttachmentType(StrEnum):
    """Values of the contract's `AttachmentType`."""

    INPUT = "input"
    OUTPUT = "output"
