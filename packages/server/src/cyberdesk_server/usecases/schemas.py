"""JSON Schemas of inputs and outputs: are they usable, and do values fit?"""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from cyberdesk_server.domain.inputs import provided
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.refusals import Problem
from cyberdesk_server.json_schemas import is_json_schema, validator_of

SECRET_PREFIX = "$"
"""A schema sees the secret `{$x}` as the member `$x`."""

DEPTH_TOO_LARGE = "nested too deeply"
MOST_PROBLEMS = 50


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
        validator_of(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"is not a valid JSON Schema: {error.message}"
    except RecursionError:
        return DEPTH_TOO_LARGE
    return None


def optional_names(input_schema: str | None) -> frozenset[str]:
    """Inputs the schema knows and does not require."""
    if input_schema is None:
        return frozenset()
    schema = json.loads(input_schema)
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return frozenset()
    return frozenset(properties) - frozenset(required if isinstance(required, list) else ())


def misfits(
    input_schema: str,
    inputs: JsonObject,
    secrets: Mapping[str, JsonValue],
    *,
    not_required: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Where the effective inputs do not fit the schema, as locations in the body of a run's creation.

    `not_required` are members that may come later, from a machine that is not known yet. No message
    quotes a secret.
    """
    from referencing.exceptions import Unresolvable

    schema = json.loads(input_schema)
    if not is_json_schema(schema):
        return ()
    required = schema.get("required")
    if isinstance(required, list):
        schema["required"] = [name for name in required if name not in not_required]
    instance = provided({**inputs, **{SECRET_PREFIX + name: value for name, value in secrets.items()}})
    try:
        found = [
            problem
            for error in validator_of(schema).iter_errors(instance)
            for problem in _problems(error, may_quote_root=not secrets)
        ]
    except Unresolvable as error:
        return (
            Problem(("body", "workflow_id"), f"the input schema refers to something unknown: {error.ref}"),
        )
    except RecursionError:
        return (Problem(("body", "input_values"), DEPTH_TOO_LARGE),)
    return tuple(dict.fromkeys(found))[:MOST_PROBLEMS]


def _problems(error: Any, *, may_quote_root: bool) -> Iterator[Problem]:
    path = list(error.absolute_path)
    if error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield Problem(_location([*path, name]), "is required by the input schema", "missing")
        return
    quotes_a_secret = str(path[0]).startswith(SECRET_PREFIX) if path else not may_quote_root
    message = f"does not fit the input schema ({error.validator})" if quotes_a_secret else error.message
    yield Problem(_location(path), message, f"json_schema.{error.validator}")


def _location(path: list[str | int]) -> tuple[str | int, ...]:
    if path and isinstance(path[0], str) and path[0].startswith(SECRET_PREFIX):
        return ("body", "sensitive_input_values", path[0].removeprefix(SECRET_PREFIX), *path[1:])
    return ("body", "input_values", *path)
