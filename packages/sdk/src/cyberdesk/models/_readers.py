"""How one JSON value becomes a Python value. What cannot be read stays as it came.

A new status word or an odd id must not cost the caller a whole page, so only another shape is refused.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import import_module
from typing import Any, TypeAlias
from uuid import UUID

Reader: TypeAlias = Callable[[Any], Any]
Reads: TypeAlias = Mapping[str, Reader]

_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d+))?"
    r"(?P<zone>Z|z|[+-]\d\d:?\d\d)?"
)


class Mismatch(Exception):
    """Another shape than expected; the message says which."""

    def __init__(self, expected: str, value: object) -> None:
        super().__init__(f"expected {expected}, got {type(value).__name__}")


def uuid(value: Any) -> Any:
    """The id, or the value itself when it is none."""
    try:
        return _uuid(value)
    except (ValueError, TypeError, AttributeError):
        return value


@lru_cache(maxsize=1024)
def _uuid(text: str) -> UUID:
    """Ids come again and again: the runs of a page share a workflow, waiting asks for the same run."""
    return UUID(text)


def moment(value: Any) -> Any:
    """The time, always with a zone (UTC when the text names none), or the value itself when it is none.

    `datetime.fromisoformat` of Python 3.10 reads neither `Z` nor fractions of other than 3 or 6 digits.
    """
    parts = _TIME.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        return value
    fraction = (parts["fraction"] or "")[:6].ljust(6, "0")
    zone = (parts["zone"] or "Z").upper().replace("Z", "+00:00")
    zone = zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return dt.datetime.fromisoformat(f"{parts['day']}T{parts['time']}.{fraction}{zone}")
    except ValueError:
        return value


def word(enum: str) -> Reader:
    """The member of the enum with this name, or the word itself when the enum does not have it yet."""

    def read(value: Any) -> Any:
        try:
            return _named(enum)(value)
        except ValueError:
            return value

    return read


def nested(model: str) -> Reader:
    """The model with this name."""

    def read(value: Any) -> Any:
        if isinstance(value, Mapping):
            return _named(model).from_dict(value)
        if isinstance(value, _named(model)):
            return value
        raise Mismatch("an object", value)

    return read


def each(reader: Reader) -> Reader:
    """A list, item by item."""

    def read(value: Any) -> Any:
        if not isinstance(value, (list, tuple)):
            raise Mismatch("a list", value)
        return [None if item is None else reader(item) for item in value]

    return read


@cache
def _named(name: str) -> Any:
    """The class with this name. Looked up late: a model loads only the modules that its answers need."""
    return getattr(import_module("cyberdesk.models"), name)
