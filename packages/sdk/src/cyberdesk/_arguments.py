"""How the arguments of methods are written into paths and queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import Enum
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from cyberdesk._flow import Query
from cyberdesk.models import UNSET

T = TypeVar("T")
Id: TypeAlias = "str | UUID"
Moment: TypeAlias = "str | dt.datetime"
"""A time; without a zone it is in UTC. Text is sent as it is."""


def identifier(name: str, value: Id) -> str:
    """The id as it stands in paths and queries. For anything but a UUID, a ValueError names the argument."""
    if isinstance(value, UUID):
        return str(value)
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise ValueError(f"{name}: {value!r} is not a UUID") from None


def optional_identifier(name: str, value: Id | None) -> str | None:
    """The id, or None when there is none."""
    return identifier(name, value) if value else None


def path_segment(name: str, value: Id) -> str:
    """Any text as one segment of a path. Raises ValueError where that would name another path."""
    if not str(value).strip("."):
        raise ValueError(f"{name}: {value!r} cannot stand in a path")
    from urllib.parse import quote  # here, because few ids need it

    return quote(str(value), safe="")


def query(**values: object) -> Query:
    """The query: None is left out, booleans are words, lists repeat their key, times are in UTC."""
    return tuple(
        (key, _text(item)) for key, value in values.items() for item in _items(value) if item is not None
    )


def joined(names: Iterable[Id] | None) -> str | None:
    """Names joined with commas, as `include` wants them; one name may come as a plain string."""
    if isinstance(names, str):
        return names or None
    return ",".join(_text(name) for name in names or ()) or None


def given(value: T | None) -> Any:
    """The value, or `UNSET` for None: the argument was not given and stays out of the body."""
    return UNSET if value is None else value


def clearable(value: T | None) -> Any:
    """As `given`, but None (sent as `null`) for an empty text: the field is to be cleared."""
    return None if value == "" else given(value)


def texts(values: Iterable[Id]) -> list[str]:
    """Ids as text."""
    return [str(value) for value in values]


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, (list, tuple, set, frozenset)) else (value,)


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case dt.datetime():
            aware = value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
            return aware.astimezone(dt.timezone.utc).isoformat()
        case _:
            return str(value)
