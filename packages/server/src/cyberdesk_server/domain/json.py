"""The type of a JSON value, for free-form objects such as inputs and outputs."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]


def uuid_as_text(value: Any) -> str:
    """A UUID of a class of its own, as database drivers have; orjson writes the standard one by itself.

    Raises `TypeError` for everything else: JSON has nothing for it.
    """
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
