"""References from the inputs of a run to what earlier runs of its session or chain put out.

    {"$ref": "step1.outputs.result"}        {"$ref": "step1.outputs.rows[0]['full name']"}

A reference may stand anywhere inside the inputs, several times and deep. The part before `.outputs` is the
`session_alias` of the earlier run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.prompts import Kind, PathError, Placeholder, lookup, path_of
from cyberdesk_server.domain.runs import RunStatus

MEMBER = "$ref"

_REFERENCE = re.compile(r"(?P<alias>.+?)\.outputs(?P<path>(?:[.\[].*)?)", re.DOTALL)

Location = tuple[str | int, ...]


class Unresolved(Exception):
    """A reference that leads to nothing; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference as it was written."""

    text: str
    alias: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run a reference names has ended."""

    status: RunStatus
    output_data: JsonObject | None


def refs_in(value: JsonValue, at: Location = ()) -> Iterator[tuple[Location, Ref | None]]:
    """Every reference inside `value` and where it stands; None for one that is malformed."""
    match value:
        case str() | bool() | int() | float() | None:
            return
        case Mapping():
            if _is_reference(value):
                yield at, _read(value[MEMBER])
                return
            for name, item in value.items():
                yield from refs_in(item, (*at, name))
        case _:
            for index, item in enumerate(value):
                yield from refs_in(item, (*at, index))


def resolved(value: JsonValue, outcomes: Mapping[str, Outcome]) -> JsonValue:
    """`value` with each reference replaced by what it leads to; a missing part of an output is `__EMPTY__`.

    `outcomes` are the earlier runs by alias. Raises `Unresolved` for a run that is not among them or did not
    succeed, and for a path that goes on below a text or a number.
    """
    match value:
        case str() | bool() | int() | float() | None:
            return value
        case Mapping():
            if _is_reference(value):
                return _target(_read(value[MEMBER]), value[MEMBER], outcomes)
            return {name: resolved(item, outcomes) for name, item in value.items()}
        case _:
            return [resolved(item, outcomes) for item in value]


def _is_reference(value: Mapping[str, JsonValue]) -> bool:
    return len(value) == 1 and MEMBER in value


def _read(text: JsonValue) -> Ref | None:
    match = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    path = None if match is None else path_of(match["path"])
    if match is None or path is None or not isinstance(text, str):
        return None
    return Ref(text, match["alias"], path)


def _target(ref: Ref | None, text: JsonValue, outcomes: Mapping[str, Outcome]) -> JsonValue:
    if ref is None:
        raise Unresolved(f"{text!r} is no reference of the form ALIAS.outputs.PATH")
    outcome = outcomes.get(ref.alias)
    if outcome is None:
        raise Unresolved(f"{ref.text}: there is no earlier run {ref.alias!r} in this session")
    if outcome.status is not RunStatus.SUCCESS:
        raise Unresolved(f"{ref.text}: the run {ref.alias!r} is {outcome.status}, not success")
    try:
        return lookup(Placeholder(Kind.INPUT, ref.alias, ref.path), {ref.alias: outcome.output_data})
    except PathError:
        raise Unresolved(f"{ref.text}: goes on below a value that has no parts") from None
