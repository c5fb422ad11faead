"""References from the inputs of a run to the outputs of earlier ones."""

from typing import Any

import pytest
from cyberdesk_server.domain.prompts import EMPTY
from cyberdesk_server.domain.refs import Outcome, Unresolved, refs_in, resolved
from cyberdesk_server.domain.runs import RunStatus
from hypothesis import given
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OUTPUTS = {"result": "red panda", "rows": [{"full name": "Ada", "n": 1}], "nothing": None}
EARLIER = {
    "step1": Outcome(RunStatus.SUCCESS, OUTPUTS),
    "failed": Outcome(RunStatus.TASK_FAILED, {"result": 1}),
    "empty": Outcome(RunStatus.SUCCESS, None),
}


def ref(text: str) -> dict[str, Any]:
    return {"$ref": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("step1.outputs.result", "red panda"),
        ("step1.outputs.rows[0].n", 1),
        ("step1.outputs.rows[0]['full name']", "Ada"),
        ("step1.outputs.rows", OUTPUTS["rows"]),
        ("step1.outputs", OUTPUTS),
        ("step1.outputs.nothing", EMPTY),
        ("step1.outputs.rows[7].n", EMPTY),
        ("step1.outputs.unknown.deeper", EMPTY),
        ("empty.outputs.result", EMPTY),
    ],
)
def test_a_reference_becomes_what_it_leads_to(text: str, value: Any) -> None:
    assert resolved(ref(text), EARLIER) == value


def test_references_stand_anywhere_several_times_and_deep() -> None:
    inputs = {"a": [ref("step1.outputs.result"), {"b": ref("step1.outputs.rows[0].n")}], "c": "plain"}

    assert resolved(inputs, EARLIER) == {"a": ["red panda", {"b": 1}], "c": "plain"}
    assert [location for location, _ in refs_in(inputs)] == [("a", 0), ("a", 1, "b")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("failed.outputs.result", "is task_failed, not success"),
        ("later.outputs.result", "there is no earlier run 'later'"),
        ("step1.outputs.result.more", "has no parts"),
        ("step1.result", "is no reference"),
        ("", "is no reference"),
    ],
)
def test_a_reference_that_leads_nowhere_says_why(text: str, reason: str) -> None:
    with pytest.raises(Unresolved, match=reason):
        resolved(ref(text), EARLIER)


@pytest.mark.parametrize(
    "text", ["step1", "step1.outputs.", "step1.outputs[", ".outputs.x", "a.outputsx", 7, None]
)
def test_a_malformed_reference_is_found_as_such(text: object) -> None:
    assert list(refs_in({"x": {"$ref": text}})) == [(("x",), None)]


@given(JSON)
def test_what_holds_no_reference_stays_as_it_is(value: Any) -> None:
    if not list(refs_in(value)):
        assert resolved(value, {}) == value


@given(JSON)
def test_a_resolved_value_holds_no_reference_of_ours(output: Any) -> None:
    earlier = {"s": Outcome(RunStatus.SUCCESS, {"v": output})}

    found = resolved({"x": ref("s.outputs.v")}, earlier)

    assert found == {"x": EMPTY if output is None else output}
