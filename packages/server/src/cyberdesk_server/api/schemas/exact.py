"""Values of a body are taken as they are: no text for a number, no `false` for 0, no number for a time."""

import re
from typing import Any

from pydantic_core import core_schema

_INNER = ("schema", "fields", "items_schema", "values_schema", "choices")
_NUMBER = re.compile(r"\s*[-+]?[\d._]+(e[-+]?\d+)?\s*", re.IGNORECASE)


def take_as_it_is(model: dict[str, Any]) -> None:
    """Make the numbers and booleans in the schema of a model strict, in place, however often it is asked.

    Models inside it do so themselves. A model as a whole cannot be strict: ids and times would have to be
    more than texts, and JSON has no more.
    """
    while model["type"] != "model":  # its own validators are around it
        model = model["schema"]
    _make_strict(model["schema"])


def _make_strict(node: dict[str, Any]) -> None:
    inner = node["fields"].values() if node["type"] == "model-fields" else map(node.get, _INNER)
    for part in inner:
        for one in part if isinstance(part, list) else [part]:
            if isinstance(one, dict) and one["type"] != "model":
                _make_strict(one)
    if node["type"] in ("bool", "float"):
        node["strict"] = True
    elif node["type"] == "int" and not node.get("strict"):
        strict = {**node, "strict": True}
        node.clear()
        node.update(core_schema.no_info_before_validator_function(_as_whole, strict))


def no_number(value: object) -> object:
    """The value, which may be a time unless it is a number: nobody knows since when that counts."""
    if isinstance(value, bool | int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise ValueError("is not a time such as 2030-01-01T12:00:00Z")
    return value


def _as_whole(value: object) -> object:
    # JSON has one kind of number: 1.0 is whole.
    return int(value) if isinstance(value, float) and value.is_integer() else value
