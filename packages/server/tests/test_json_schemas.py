"""JSON Schemas of inputs and outputs."""

from typing import Any

import pytest
from cyberdesk_server.json_schemas import misfits, optional_names, output_misfits, schema_problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"type": "object", "properties": {"a": {"type": "string"}}}', None),
        ('{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}', None),
        ('{"dob": "string", "medications": [{"name": "string"}]}', None),
        ("{}", None),
        ("[]", "must be a JSON object"),
        ("{", "is not valid JSON"),
        ('{"type": "text"}', "is not a valid JSON Schema"),
        ('{"properties": 1}', "is not a valid JSON Schema"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_schema_is_usable_or_told_why_not(text: str, problem: str | None) -> None:
    found = schema_problem(text)

    assert found is None if problem is None else (found or "").startswith(problem)


def test_what_a_schema_knows_and_does_not_require_is_optional() -> None:
    schema = '{"properties": {"a": {}, "b": {}}, "required": ["a"]}'

    assert optional_names(schema) == {"b"}
    assert optional_names(None) == frozenset()
    assert optional_names('{"a": "text"}') == frozenset()


AGE = (
    '{"type": "object", "properties": {"age": {"type": "integer"}, "$pin": {"type": "string"}},'
    ' "required": ["age"]}'
)


@pytest.mark.parametrize(
    ("inputs", "secrets", "places"),
    [
        ({"age": 1}, {}, []),
        ({"age": 1}, {"pin": "1"}, []),
        ({}, {}, [("body", "input_values", "age")]),
        ({"age": "__EMPTY__"}, {}, [("body", "input_values", "age")]),
        ({"age": "x"}, {}, [("body", "input_values", "age")]),
        ({"age": 1}, {"pin": 7}, [("body", "sensitive_input_values", "pin")]),
    ],
)
def test_values_fit_or_are_told_where_they_do_not(
    inputs: dict[str, Any], secrets: dict[str, Any], places: list[tuple[str, ...]]
) -> None:
    assert [problem.location for problem in misfits(AGE, inputs, secrets)] == places


def test_what_may_come_later_is_not_required() -> None:
    assert misfits(AGE, {}, {}, not_required={"age"}) == ()


@pytest.mark.parametrize(
    "schema",
    [
        AGE,
        '{"properties": {"$pin": {"enum": ["a"]}}}',
        '{"type": "object", "maxProperties": 0}',
        '{"type": "object", "not": {}}',
        '{"type": "object", "additionalProperties": false}',
        '{"anyOf": [{"required": ["zzz"]}, {"properties": {"$pin": {"const": 1}}}]}',
    ],
)
def test_no_message_quotes_a_secret(schema: str) -> None:
    """Invariant 6."""
    problems = misfits(schema, {}, {"pin": "s3cr3t"})

    assert problems
    assert "s3cr3t" not in str(problems)


def test_a_schema_cannot_make_the_server_fetch_anything() -> None:
    [problem] = misfits('{"$ref": "http://127.0.0.1:1/x"}', {}, {})

    assert problem.location == ("body", "input_values")


def test_a_schema_that_never_ends_is_told() -> None:
    [problem] = misfits('{"$ref": "#"}', {}, {})

    assert problem.message == "nested too deeply"


@pytest.mark.parametrize(
    ("schema", "output", "wrong"),
    [
        ('{"type": "object", "required": ["a"]}', {"a": 1}, ()),
        ('{"type": "object", "required": ["a"]}', {}, ("$: 'a' is a required property",)),
        ('{"$ref": "https://x.test/schema"}', {}, ("the output schema refers to something unknown: ",)),
        (
            '{"dob": "string", "of": [{"name": "string"}], "note": "in words"}',
            {"dob": "x", "of": [], "note": 1},
            (),
        ),
        ('{"of": [{"n": "integer"}]}', {"of": [{"n": 1}, {"n": "x"}, {}]}, ("$.of[1].n: ", "$.of[2]: ")),
        ('{"dob": "string"}', {}, ("$: 'dob' is a required property",)),
        ("{}", {"a": 1}, ()),
    ],
)
def test_outputs_are_checked_against_both_notations(
    schema: str, output: dict[str, Any], wrong: tuple[str, ...]
) -> None:
    found = output_misfits(schema, output)

    assert len(found) == len(wrong)
    assert all(one.startswith(start) for one, start in zip(found, wrong, strict=True))
