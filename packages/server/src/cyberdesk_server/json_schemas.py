"""The JSON Schemas that callers write: which texts are some, and how values are checked against them.

Regular expressions in them are matched in linear time (`patterns.py`), and a check has a bound.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from cyberdesk_server.domain.inputs import provided
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.refusals import Problem
from cyberdesk_server.patterns import is_found, pattern_problem

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
_KEYWORDS = frozenset({"type", "properties", "$schema", "$ref", "anyOf", "allOf", "oneOf"})


def is_json_schema(schema: Mapping[str, Any]) -> bool:
    """False for the short notation `{"field": "type"}`."""
    return not _KEYWORDS.isdisjoint(schema)


MOST_STEPS = 100_000
"""How often one check holds a value against a schema, at most. Without a bound, references that fork (a to b
twice, b to c twice, and so on) would ask for more than ever ends, in a short text."""

STEP_CHARACTERS = 1000
"""Of a long value or schema, so many are one step more: each error quotes them."""

MOST_ERRORS = 50


class Uncheckable(Exception):
    """Values cannot be held against a schema. The text says of the schema why: "is nested too deeply"."""


class _Steps:
    """Those of one check."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._of_long: dict[int, int] = {}

    def take(self, number: int) -> None:
        self._taken += number
        if self._taken > self._most:
            raise Uncheckable(f"takes more than {self._most:,} steps to check")

    def of(self, one: Any) -> int:
        """The steps that a measured value or schema is long."""
        return self._of_long.get(id(one), 0)

    def measure(self, one: Any) -> int:
        """The characters of a value or a schema, about; what is long in it is remembered."""
        match one:
            case str():
                characters = len(one)
            case Mapping():
                characters = sum(len(name) + self.measure(inner) for name, inner in one.items())
            case list() | tuple():
                characters = sum(map(self.measure, one))
            case _:
                return 1
        if characters >= STEP_CHARACTERS:
            self._of_long[id(one)] = characters // STEP_CHARACTERS
        return characters


_steps: ContextVar[_Steps] = ContextVar("_steps")
"""Of the check under way."""


def errors_of(
    schema: Mapping[str, Any], values: Any, *, most_steps: int = MOST_STEPS
) -> "list[ValidationError]":
    """Where the values do not fit the schema, by the draft it names or 2020-12: the first `MOST_ERRORS`.

    Raises `Uncheckable` when the schema refers to another document (nothing is ever fetched), is nested too
    deeply, or takes more steps.
    """
    from referencing.exceptions import Unresolvable

    steps = _Steps(most_steps)
    before = _steps.set(steps)
    try:
        steps.measure(schema)
        steps.measure(values)
        return list(islice(_validator_of(schema).iter_errors(values), MOST_ERRORS))
    except Unresolvable as error:
        raise Uncheckable(f"refers to something unknown: {error.ref}") from None
    except RecursionError:
        raise Uncheckable(f"is {DEPTH_TOO_LARGE}") from None
    finally:
        _steps.reset(before)


def _validator_of(schema: Mapping[str, Any]) -> "Validator":
    import jsonschema  # only who uses a schema waits for it
    import referencing

    draft = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    return _bounded(draft)(schema, registry=referencing.Registry())


@cache
def _bounded(draft: "type[Validator]") -> "type[Validator]":
    """The draft, counting its steps, and matching regular expressions in linear time."""
    import attrs
    import jsonschema

    usual_additional: Any = draft.VALIDATORS["additionalProperties"]

    def pattern(validator: Any, wanted: str, instance: Any, schema: Any) -> Iterator[Any]:
        if validator.is_type(instance, "string") and not is_found(wanted, instance):
            yield jsonschema.ValidationError(f"{instance!r} does not match {wanted!r}")

    def pattern_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        for one, inner in wanted.items() if validator.is_type(instance, "object") else ():
            for name, value in instance.items():
                if is_found(one, name):
                    yield from validator.descend(value, inner, path=name, schema_path=one)

    def additional_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Iterator[Any]:
        patterns = schema.get("patternProperties", {})
        if patterns and validator.is_type(instance, "object"):
            found = {name for name in instance if any(is_found(one, name) for one in patterns)}
            instance = {name: value for name, value in instance.items() if name not in found}
        yield from usual_additional(validator, wanted, instance, {"properties": schema.get("properties", {})})

    matching = {
        "pattern": pattern,
        "patternProperties": pattern_properties,
        "additionalProperties": additional_properties,
    }
    extend: Any = jsonschema.validators.extend  # it has no types
    bounded: Any = extend(draft, matching)
    usual_iter_errors, usual_descend = bounded.iter_errors, bounded.descend

    def evolve(self: Any, **changes: Any) -> Any:
        """Goes on with another schema; theirs would leave this class where that one names a draft."""
        steps = _steps.get()
        steps.take(1 + steps.of(changes.get("schema")))
        return attrs.evolve(self, **changes)

    def iter_errors(self: Any, instance: Any) -> Any:
        steps = _steps.get()
        steps.take(steps.of(instance))
        return usual_iter_errors(self, instance)

    def descend(self: Any, instance: Any, schema: Any, **where: Any) -> Any:
        steps = _steps.get()
        steps.take(steps.of(instance))
        return usual_descend(self, instance, schema, **where)

    bounded.evolve, bounded.iter_errors, bounded.descend = evolve, iter_errors, descend
    checker: type[Validator] = bounded
    return checker


class Places(NamedTuple):
    """Where in a request the values of a run stand."""

    inputs: tuple[str | int, ...] = ("body", "input_values")
    secrets: tuple[str | int, ...] = ("body", "sensitive_input_values")


IN_BODY = Places()

SECRET_PREFIX = "$"
"""A schema sees the secret `{$x}` as the member `$x`."""

DEPTH_TOO_LARGE = "nested too deeply"


def schema_problem(text: str) -> str | None:
    """Why this text is no usable schema; None when it is one.

    Besides JSON Schema the short notation `{"field": "type"}` is accepted.
    """
    import jsonschema

    try:
        schema = json.loads(text)
    except RecursionError:
        return DEPTH_TOO_LARGE
    except ValueError as error:
        return f"is not valid JSON: {error}"
    if not isinstance(schema, dict):
        return "must be a JSON object"
    if not is_json_schema(schema):
        return None
    try:
        _validator_of(schema).check_schema(schema)
        return next(_pattern_problems(schema), None) or _unmatchable(schema)
    except jsonschema.SchemaError as error:
        return f"is not a valid JSON Schema: {error.message}"
    except RecursionError:
        return DEPTH_TOO_LARGE


def _pattern_problems(schema: Any) -> Iterator[str]:
    """Why regular expressions of the schema cannot be used."""
    for keyword, value in _keywords(schema):
        patterns = [value] if keyword == "pattern" else value if keyword == "patternProperties" else ()
        for pattern in patterns:
            problem = pattern_problem(pattern) if isinstance(pattern, str) else None
            if problem is not None:
                yield f"its {keyword} {pattern!r} cannot be used: {problem}"


def _unmatchable(schema: Any) -> str | None:
    """`unevaluatedProperties` would match the names of `patternProperties` by itself, in any time."""
    both = {"patternProperties", "unevaluatedProperties"}
    if both <= {keyword for keyword, _ in _keywords(schema)}:
        return "has patternProperties and unevaluatedProperties; use additionalProperties with the former"
    return None


_DATA = frozenset({"const", "enum", "default", "examples"})
"""Keywords whose values are no schemas."""

_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords whose values are schemas by names, which are no keywords."""


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every keyword of the schema and of all schemas inside it, with its value."""
    for name, value in schema.items() if isinstance(schema, dict) else ():
        yield name, value
        inner: list[Any] = [] if name in _DATA else value if isinstance(value, list) else [value]
        if name in _NAMED and isinstance(value, dict):
            inner = list(value.values())
        for one in inner:
            yield from _keywords(one)


def known_names(input_schema: str | None) -> frozenset[str]:
    """Inputs the schema knows."""
    return _properties(input_schema)[0]


def optional_names(input_schema: str | None) -> frozenset[str]:
    """Inputs the schema knows and does not require."""
    known, required = _properties(input_schema)
    return known - required


def _properties(input_schema: str | None) -> tuple[frozenset[str], frozenset[str]]:
    """The names the schema knows, and those it requires."""
    if input_schema is None:
        return frozenset(), frozenset()
    schema = json.loads(input_schema)
    properties, required = schema.get("properties"), schema.get("required")
    return (
        frozenset(properties if isinstance(properties, dict) else ()),
        frozenset(required if isinstance(required, list) else ()),
    )


def misfits(
    input_schema: str,
    inputs: JsonObject,
    secrets: Mapping[str, JsonValue],
    *,
    not_required: Collection[str] = (),
    unknown_yet: Collection[str] = (),
    places: Places = IN_BODY,
) -> tuple[Problem, ...]:
    """Where the effective inputs do not fit the schema, as locations in a request.

    `not_required` are members that may come later, from a machine that is not known yet; `unknown_yet` are
    inputs whose value is not known yet, which are left out. No message quotes a secret.
    """
    schema = json.loads(input_schema)
    if not is_json_schema(schema):
        return ()
    required = schema.get("required")
    if isinstance(required, list):
        later = {*not_required, *unknown_yet}
        schema["required"] = [name for name in required if name not in later]
    known = {name: value for name, value in inputs.items() if name not in unknown_yet}
    instance = provided({**known, **{SECRET_PREFIX + name: value for name, value in secrets.items()}})
    try:
        errors = errors_of(schema, instance)
    except Uncheckable as why:
        return (Problem(places.inputs, f"the input schema {why}", "json_schema"),)
    found = [problem for error in errors for problem in _problems(error, places, may_quote_root=not secrets)]
    return tuple(dict.fromkeys(found))[:MOST_ERRORS]


def output_misfits(output_schema: str, output_data: JsonObject) -> tuple[str, ...]:
    """Where the output data do not fit the schema, a line for each place; nothing when they fit.

    In the short notation `{"field": "type"}` every field must be there, of a type that JSON Schema has.
    """
    schema = json.loads(output_schema)
    if not is_json_schema(schema):
        schema = _written_out(schema)
    try:
        errors = sorted(errors_of(schema, output_data), key=lambda error: error.json_path)
    except Uncheckable as why:
        return (f"the output schema {why}",)
    return tuple(f"{error.json_path}: {error.message}" for error in errors)


def _written_out(short: Any) -> dict[str, Any]:
    match short:
        case str() if short in _TYPES:
            return {"type": short}
        case dict():
            members = {name: _written_out(inner) for name, inner in short.items()}
            return {"type": "object", "required": list(short), "properties": members}
        case [item]:
            return {"type": "array", "items": _written_out(item)}
        case _:
            return {}


def _problems(error: Any, places: Places, *, may_quote_root: bool) -> Iterator[Problem]:
    path = list(error.absolute_path)
    if error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield Problem(_location([*path, name], places), "is required by the input schema", "missing")
        return
    quotes_a_secret = str(path[0]).startswith(SECRET_PREFIX) if path else not may_quote_root
    message = f"does not fit the input schema ({error.validator})" if quotes_a_secret else error.message
    yield Problem(_location(path, places), message, f"json_schema.{error.validator}")


def _location(path: list[str | int], places: Places) -> tuple[str | int, ...]:
    if path and isinstance(path[0], str) and path[0].startswith(SECRET_PREFIX):
        return (*places.secrets, path[0].removeprefix(SECRET_PREFIX), *path[1:])
    return (*places.inputs, *path)
