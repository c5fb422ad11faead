"""How values that were read become the run's output: `a.b`, `rows[2].id`, and a JSON Schema they must fit."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.json_schemas import Uncheckable, errors_of, is_json_schema
from cyberdesk_server.ports import ModelError

_SEGMENT = re.compile(r"\[(\d*)\]|\.?([^.\[\]]+)")


class OutputDoesNotFit(ModelError):
    """What was read is not what the workflow's output schema asks for. Asking again reads the same."""

    def __init__(self, reasons: str, output: JsonObject) -> None:
        super().__init__(f"the output does not fit the output schema: {reasons}")
        self.output = output
        """What was read."""


def segments(path: str) -> tuple[str | int | None, ...]:
    """`rows[2].id` as `("rows", 2, "id")`; None stands for the `[]` of a loop."""
    found: list[str | int | None] = []
    for match in _SEGMENT.finditer(path):
        index, name = match.groups()
        found.append(name if name is not None else int(index) if index else None)
    return tuple(found)


def at_items(path: str, items: Iterable[int]) -> str:
    """A path with the `[]` of loops filled in, the outermost first: `rows[].id` at item 2 is `rows[2].id`."""
    for item in items:
        path = path.replace("[]", f"[{item}]", 1)
    return path


def conflict(paths: Iterable[str]) -> tuple[str, str] | None:
    """Two paths that cannot both be in one output, such as `a` and `a.b`, or `a[].b` and `a.b`."""
    kinds: dict[tuple[str | int | None, ...], tuple[type, str]] = {}
    for path in paths:
        parts = tuple(0 if part is None else part for part in segments(path))
        for length in range(1, len(parts) + 1):
            kind = type(parts[length]) if length < len(parts) else type(None)
            place = tuple(0 if isinstance(part, int) else part for part in parts[:length])
            known = kinds.setdefault(place, (kind, path))
            if known[0] is not kind:
                return known[1], path
    return None


def nested(values: Iterable[tuple[str, JsonValue]]) -> dict[str, Any]:
    """One object of all values by path. A later value replaces an earlier one; gaps in lists are closed."""
    root: dict[str, Any] = {}
    for path, value in values:
        _put(root, segments(path), value)
    closed: dict[str, Any] = _closed(root)
    return closed


class _Items(dict[int, Any]):
    """A list being filled, by index."""


def _put(place: dict[Any, Any], path: tuple[str | int | None, ...], value: JsonValue) -> None:
    for here, following in pairwise(path):
        fresh: dict[Any, Any] = {} if isinstance(following, str) else _Items()
        inner = place.get(_key(place, here))
        if type(inner) is not type(fresh):
            inner = fresh
        place[_key(place, here)] = inner
        place = inner
    place[_key(place, path[-1])] = value


def _key(place: dict[Any, Any], segment: str | int | None) -> str | int:
    return len(place) if segment is None else segment


def _closed(value: Any) -> Any:
    match value:
        case _Items():
            return [_closed(value[index]) for index in sorted(value)]
        case dict():
            return {name: _closed(inner) for name, inner in value.items()}
        case _:
            return value


def fitted(output: JsonObject, output_schema: str | None) -> JsonObject:
    """The output as the schema wants it: `"72"` becomes 72 where a number is asked for.

    A schema that is not JSON Schema is passed over. Raises `OutputDoesNotFit`.
    """
    schema = _json_schema(output_schema)
    if schema is None:
        return output
    converted = _converted(output, schema)
    try:
        problems = sorted(errors_of(schema, converted), key=lambda problem: problem.json_path)
    except Uncheckable as why:
        raise OutputDoesNotFit(f"it {why}", output) from None
    if problems:
        raise OutputDoesNotFit(
            "; ".join(f"{problem.json_path}: {problem.message}" for problem in problems[:5]), output
        )
    assert isinstance(converted, dict)
    return converted


def _json_schema(written: str | None) -> dict[str, Any] | None:
    """The schema, if it is one: the simplified notation `{"field": "type"}` is not."""
    try:
        schema = json.loads(written or "null")
    except ValueError:
        return None
    return schema if isinstance(schema, dict) and is_json_schema(schema) else None


_WORDS = {"true": True, "yes": True, "false": False, "no": False}


def _converted(value: Any, schema: Any) -> Any:
    """Texts turned into what the schema asks for, where they can be; everything else as it is."""
    if not isinstance(schema, Mapping):
        return value
    wanted = schema.get("type")
    types = {wanted} if isinstance(wanted, str) else set(wanted or ())
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        return {name: _converted(inner, properties.get(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_converted(item, schema.get("items")) for item in value]
    if isinstance(value, str) and types and "string" not in types:
        return _converted_text(value.strip(), types, value)
    return value


def _converted_text(text: str, types: set[str], unchanged: str) -> Any:
    if not text and "null" in types:
        return None
    if "boolean" in types and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    number = text.replace(",", "") if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", text) else text
    if "integer" in types and re.fullmatch(r"[-+]?\d+", number):
        return int(number)
    if "number" in types and re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)", number):
        return float(number) if "." in number else int(number)
    return unchanged
