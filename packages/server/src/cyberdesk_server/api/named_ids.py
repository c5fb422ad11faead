"""Which things a body names: the ids in its members that are called `…_id`, `…_ids` or `ids`.

Members that callers name themselves, such as inputs, name nothing, whatever they are called.
"""

import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel

Members = Mapping[str, "Members"]
"""Members of a body that hold ids, somewhere within or, where nothing is within, themselves."""

MAX_NAMED_IDS = 1000
"""What comes behind so many is not looked at."""

_IN_FULL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LONGEST = len("urn:uuid:{}") + 36


def members_with_ids(body: Any) -> Members:
    """Those of a body of this type."""
    if isinstance(body, type) and issubclass(body, BaseModel):
        found: dict[str, Members] = {}
        for name, field in body.model_fields.items():
            inner = {} if _is_called_id(name) else members_with_ids(field.annotation)
            if inner or _is_called_id(name):
                found[name] = inner
        return found
    if get_origin(body) is dict:
        return {}
    return {name: inner for one in get_args(body) for name, inner in members_with_ids(one).items()}


def ids_in(body: Any, members: Members) -> list[str]:
    """The first `MAX_NAMED_IDS` ids in these members of a body that was received, fit for its type or not."""
    found: list[str] = []
    _gather(body, members, found)
    return found


def _gather(value: Any, members: Members, found: list[str]) -> None:
    # No generators: this is in the way of every run that is created, and they take twice as long.
    if isinstance(value, dict):
        for name in members:
            if (inner := value.get(name)) is not None:
                _gather(inner, members[name], found)
    elif isinstance(value, list):
        for one in value:
            if len(found) == MAX_NAMED_IDS:
                return
            _gather(one, members, found)
    elif isinstance(value, str) and not members and (id_ := as_id(value)) is not None:
        found.append(id_)


def as_id(text: str) -> str | None:
    """The id as answers write it, in whichever of its spellings it came; None when it is none."""
    if _IN_FULL.fullmatch(text):
        return text
    if len(text) > _LONGEST:
        return None
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _is_called_id(name: str) -> bool:
    return name == "ids" or name.endswith(("_id", "_ids"))
