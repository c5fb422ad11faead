"""Arguments of tools: frozen dataclasses that are their own JSON Schema.

A tool declares its arguments once:

    @dataclass(frozen=True, slots=True)
    class Wait:
        seconds: Annotated[float | None, "How long.", Between(0, 3600)] = None

`schema` tells a model about them, `parse` turns what the model sent into the dataclass or says what is wrong.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.executor.signals import ToolFailed

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Between:
    """A number's bounds, both included."""

    least: float
    most: float


class Fill(StrEnum):
    """What is put into a text before the tool sees it; inputs and runtime values when nothing is said."""

    NOTHING = "nothing"
    """The text is a name, or a model fills it by itself."""

    SECRETS_TOO = "secrets too"
    """The tool itself fills the secrets in, at the last moment."""


def schema(arguments: type) -> JsonObject:
    """JSON Schema of an arguments class."""
    declared = _declared(arguments)
    return {
        "type": "object",
        "properties": {name: _schema_of(one) for name, one in declared.items()},
        "required": [name for name, one in declared.items() if one.is_required],
        "additionalProperties": False,
    }


def parse(arguments: type[A], sent: JsonObject) -> A:
    """The arguments a model sent, or `ToolFailed` naming the one that is wrong."""
    kind: type = arguments
    declared = _declared(kind)
    for name in sent:
        if name not in declared:
            raise ToolFailed(f"there is no argument `{name}`; there are: {', '.join(declared) or 'none'}")
    values: dict[str, Any] = {}
    for name, one in declared.items():
        if sent.get(name) is not None:
            values[name] = _value(one, sent[name])
        elif one.is_required:
            raise ToolFailed(f"the argument `{name}` is missing")
    return arguments(**values)


def fill_of(arguments: type) -> Mapping[str, Fill]:
    """The arguments that are not filled with inputs and runtime values alone."""
    return {name: one.fill for name, one in _declared(arguments).items() if one.fill is not None}


@dataclass(frozen=True, slots=True)
class _Declared:
    name: str
    type: Any
    description: str
    bounds: Between | None
    fill: Fill | None
    is_required: bool


@cache
def _declared(arguments: type) -> dict[str, _Declared]:
    hints = get_type_hints(arguments, include_extras=True)
    return {one.name: _declaration(one, hints[one.name]) for one in fields(arguments)}


def _declaration(one: Field[Any], hint: Any) -> _Declared:
    notes: Sequence[Any] = ()
    if get_origin(hint) is Annotated:
        hint, *notes = get_args(hint)
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(choice for choice in get_args(hint) if choice is not types.NoneType)
    return _Declared(
        name=one.name,
        type=hint,
        description=next((note for note in notes if type(note) is str), ""),
        bounds=next((note for note in notes if isinstance(note, Between)), None),
        fill=next((note for note in notes if isinstance(note, Fill)), None),
        is_required=one.default is MISSING and one.default_factory is MISSING,
    )


def _schema_of(one: _Declared) -> JsonObject:
    described: JsonObject = {"description": one.description} if one.description else {}
    bounds: JsonObject = {"minimum": one.bounds.least, "maximum": one.bounds.most} if one.bounds else {}
    return {**_type_schema(one.type), **bounds, **described}


def _type_schema(kind: Any) -> JsonObject:
    if get_origin(kind) is tuple:
        inner, *more = get_args(kind)
        length: JsonObject = (
            {} if Ellipsis in more else {"minItems": len(more) + 1, "maxItems": len(more) + 1}
        )
        return {"type": "array", "items": _type_schema(inner), **length}
    if get_origin(kind) is Mapping:
        return {"type": "object"}
    if issubclass(kind, StrEnum):
        return {"type": "string", "enum": [member.value for member in kind]}
    return {"type": {int: "integer", float: "number", str: "string"}[kind]}


def _value(one: _Declared, sent: JsonValue) -> Any:
    value = _typed(one.name, one.type, sent)
    if one.bounds and not one.bounds.least <= value <= one.bounds.most:
        raise ToolFailed(
            f"`{one.name}` is {value:g}, not between {one.bounds.least:g} and {one.bounds.most:g}"
        )
    return value


def _typed(name: str, kind: Any, sent: JsonValue) -> Any:
    if get_origin(kind) is tuple:
        return _items(name, kind, sent)
    if get_origin(kind) is Mapping:
        if not isinstance(sent, Mapping):
            raise ToolFailed(f"`{name}` must be an object")
        return sent
    if kind in (int, float):
        return _number(name, kind, sent)
    if kind is str:
        if not isinstance(sent, str):
            raise ToolFailed(f"`{name}` must be a text")
        return sent
    try:
        return kind(sent.lower() if isinstance(sent, str) else sent)
    except ValueError:
        raise ToolFailed(f"`{name}` must be one of: {', '.join(kind)}") from None


def _items(name: str, kind: Any, sent: JsonValue) -> tuple[Any, ...]:
    inner, *more = get_args(kind)
    items = [sent] if isinstance(sent, str) else sent
    if not isinstance(items, Sequence):
        raise ToolFailed(f"`{name}` must be a list")
    if Ellipsis not in more and len(items) != len(more) + 1:
        raise ToolFailed(f"`{name}` must have {len(more) + 1} items")
    return tuple(_typed(name, inner, item) for item in items)


def _number(name: str, kind: type[int] | type[float], sent: JsonValue) -> float:
    """A number, also one that arrived as text because it came out of a variable."""
    said = "a whole number" if kind is int else "a number"
    if isinstance(sent, bool) or not isinstance(sent, int | float | str):
        raise ToolFailed(f"`{name}` must be {said}")
    try:
        number = float(sent)
        value = kind(number)
    except (ValueError, OverflowError):
        raise ToolFailed(f"`{name}` must be {said}") from None
    if value != number:
        raise ToolFailed(f"`{name}` must be {said}")
    return value
