"""The sign for "not given"."""

from __future__ import annotations

from typing import Any, Final


class Unset:
    """The type of `UNSET`: a field that is left out of the request."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Final[Any] = Unset()
"""Given as a field, leaves it out, exactly as if it had not been named."""
