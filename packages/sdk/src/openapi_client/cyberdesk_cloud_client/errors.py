"""The errors, under their old path."""

from cyberdesk.errors import UnexpectedStatus

__all__ = ["UnexpectedStatus"]
