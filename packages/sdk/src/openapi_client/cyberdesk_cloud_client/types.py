"""The small types, under their old path."""

from cyberdesk.models import UNSET, File, Unset

__all__ = ["UNSET", "File", "Unset"]
