"""JSON Schemas of inputs and outputs."""

import json
from typing import Any

import pytest
from cyberdesk_server.json_schemas import (
    MOST_ERRORS,
    MOST_STEPS,
    Uncheckable,
    errors_of,
    misfits,
    optional_names,
    output_misfits,
    schema_problem,
)


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
        ('{"properties": {"a": {"pattern": "("}}}', "is not a valid JSON Schema: '(' is not a 'regex'"),
        ('{"properties": {"a": {"pattern": "^(?=.*1)"}}}', "its pattern '^(?=.*1)' cannot be used: look-"),
        ('{"allOf": [{"patternProperties": {"(a)\\\\1": {}}}]}', "its patternProperties"),
        ('{"type": "object", "properties": {"pattern": {"type": "string"}}}', None),
        ('{"enum": [{"pattern": "("}], "type": "object"}', None),
        (
            '{"patternProperties": {"^a": {}}, "unevaluatedProperties": false, "type": "object"}',
            "has patternProperties and unevaluatedProperties",
        ),
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


def test_values_that_are_nested_too_deeply_are_told() -> None:
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"x": deep}

    assert output_misfits('{"type": "object"}', deep) == ("the output schema is nested too deeply",)


def test_a_schema_that_never_ends_is_told() -> None:
    [problem] = misfits('{"$ref": "#"}', {}, {})

    assert problem.message == "the input schema is nested too deeply"


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


SLOW = "^(a+)+$"
BAIT = "a" * 60 + "!"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"x": {"type": "string", "pattern": SLOW}}},
        {"type": "object", "patternProperties": {SLOW: {"type": "string"}}},
        {
            "type": "object",
            "properties": {"x": {}},
            "patternProperties": {SLOW: {}},
            "additionalProperties": {"type": "string"},
        },
        {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"x": {"pattern": SLOW}}},
        {"properties": {"x": {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": SLOW}}},
    ],
)
def test_no_regular_expression_of_a_caller_can_hold_the_server_up(schema: dict[str, Any]) -> None:
    """With an engine that backtracks this test would not end."""
    text = json.dumps(schema)

    assert schema_problem(text) is None
    misfits(text, {"x": BAIT, BAIT: "1"}, {})
    output_misfits(text, {"x": BAIT, BAIT: "1"})


def test_names_that_fit_a_pattern_are_not_additional() -> None:
    schema = {"type": "object", "patternProperties": {"^x_": {"type": "integer"}}, "properties": {"y": {}}}

    assert output_misfits(json.dumps({**schema, "additionalProperties": False}), {"x_1": 1, "y": 2}) == ()
    assert output_misfits(json.dumps({**schema, "additionalProperties": False}), {"x_1": 1, "z": 2}) == (
        "$: Additional properties are not allowed ('z' was unexpected)",
    )
    assert output_misfits(json.dumps(schema), {"x_1": "one", "z": 2}) == (
        "$.x_1: 'one' is not of type 'integer'",
    )


def test_a_pattern_is_searched_for_and_need_not_be_the_whole() -> None:
    schema = json.dumps({"type": "object", "properties": {"id": {"type": "string", "pattern": "[0-9]+"}}})

    assert output_misfits(schema, {"id": "no. 7"}) == ()
    assert output_misfits(schema, {"id": "none"}) == ("$.id: 'none' does not match '[0-9]+'",)


def forking(levels: int, **leaf: Any) -> dict[str, Any]:
    """A value is held against 0 once, against 1 twice, against 2 four times, and so on."""
    forks = {str(one): {"allOf": [{"$ref": f"#/$defs/{one + 1}"}] * 2} for one in range(levels)}
    return {"$ref": "#/$defs/0", "$defs": {**forks, str(levels): leaf}}


def steps_of(levels: int) -> int:
    """The schema a reference leads to is one step, each of the two it forks into another."""
    return 1 if levels == 0 else 1 + 2 * (1 + steps_of(levels - 1))


@pytest.mark.parametrize("levels", [0, 1, 5])
def test_every_schema_that_a_value_is_held_against_is_a_step(levels: int) -> None:
    steps = steps_of(levels)

    assert errors_of(forking(levels, type="integer"), 1, most_steps=steps) == []
    with pytest.raises(Uncheckable, match=f"takes more than {steps - 1} steps to check"):
        errors_of(forking(levels, type="integer"), 1, most_steps=steps - 1)


DEEP: dict[str, Any] = {"x": 1}
for _ in range(40):
    DEEP = {"x": DEEP}


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (forking(40, type="object"), {}),
        ({**forking(40, type="object"), "$ref": "#/$defs/40", "not": {"$ref": "#/$defs/0"}}, {}),
        ({"allOf": [{"properties": {"x": {"$ref": "#"}}}, {"properties": {"x": {"$ref": "#"}}}]}, DEEP),
        (
            {
                "unevaluatedProperties": False,
                "$ref": "#/$defs/0",
                "$defs": {
                    str(one): {
                        "unevaluatedProperties": False,
                        "dependentSchemas": {name: {"$ref": f"#/$defs/{one + 1}"} for name in "xy"},
                    }
                    for one in range(40)
                }
                | {"40": {}},
            },
            {"x": 1, "y": 1},
        ),
    ],
)
def test_no_references_of_a_caller_can_hold_the_server_up(schema: dict[str, Any], values: Any) -> None:
    """Each of these takes 2**40 steps, unless somebody counts."""
    with pytest.raises(Uncheckable, match="takes more than 1,000 steps to check"):
        errors_of(schema, values, most_steps=1000)


def test_no_more_errors_are_looked_for_than_are_told() -> None:
    """2**40 times the same one, unless somebody stops."""
    errors = errors_of(forking(40, type="string"), 1, most_steps=1000)

    assert {error.message for error in errors} == {"1 is not of type 'string'"}
    assert len(errors) == MOST_ERRORS


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"allOf": [{"not": {"type": "integer"}}] * 10}, "x" * 100_000),
        ({"allOf": [{"not": {"enum": ["x" * 50_000, "y" * 50_000]}}] * 10}, "z"),
    ],
)
def test_what_is_long_takes_more_steps(schema: dict[str, Any], value: str) -> None:
    """Each error quotes all of it."""
    assert errors_of(schema, value, most_steps=5000) == []
    with pytest.raises(Uncheckable):
        errors_of(schema, value, most_steps=1000)


def test_a_check_that_takes_too_many_steps_is_told() -> None:
    schema = json.dumps(forking(40, type="object"))
    refused = f"schema takes more than {MOST_STEPS:,} steps to check"

    assert schema_problem(schema) is None
    [problem] = misfits(schema, {}, {})
    assert (problem.location, problem.message) == (("body", "input_values"), f"the input {refused}")
    assert output_misfits(schema, {}) == (f"the output {refused}",)
