"""Which values variables have."""

from typing import Any

import pytest
from cyberdesk_server.domain.inputs import Missing, effective_inputs, missing_variables, provided
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.dictionaries(st.sampled_from("abc"), st.sampled_from([None, "", 0, False, "x", "__EMPTY__", []]))


@given(VALUES, VALUES, VALUES)
def test_the_machine_wins_over_the_run_over_the_pools_and_a_blank_lets_the_next_in(
    run: dict[str, Any], machine: dict[str, Any], pool: dict[str, Any]
) -> None:
    effective = effective_inputs(run, machine, pool)

    assert effective.keys() == run.keys() | machine.keys() | pool.keys()
    for name, value in effective.items():
        said = [layer[name] for layer in (machine, run, pool) if layer.get(name) not in (None, "")]
        assert value == (said[0] if said else "__EMPTY__")


def test_without_values_there_are_none() -> None:
    assert effective_inputs(None, None) == {}


@pytest.mark.parametrize(
    ("prompt", "inputs", "secrets"),
    [
        ("Type {a.b[0]} and {c}", {"a", "c"}, set()),
        ("Type {{later}} and \\{literal}", set(), set()),
        ("<ul><li>Type {$pin['x']}</li></ul>", set(), {"pin"}),
        ("For each {patient} in {patients}:\n  Type {patient.name}", {"patients"}, set()),
        ("For all row in {rows}:\n  Type {row.id}, {loop_item.id}", {"rows"}, set()),
        ("Type {optional}", set(), set()),
    ],
)
def test_what_nobody_gave_is_missing(prompt: str, inputs: set[str], secrets: set[str]) -> None:
    missing = missing_variables(prompt, inputs=(), secrets=(), optional=("optional",))

    assert missing == Missing(frozenset(inputs), frozenset(secrets))
    assert missing_variables(prompt, inputs=inputs, secrets=secrets, optional=("optional",)) == Missing(
        frozenset(), frozenset()
    )


def test_what_is_empty_is_not_provided() -> None:
    assert provided({"a": "__EMPTY__", "b": ["__EMPTY__", 1, {"c": "__EMPTY__"}], "d": "__CLEAR__"}) == {
        "b": [1, {}],
        "d": "__CLEAR__",
    }
