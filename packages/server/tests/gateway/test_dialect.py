"""Questions in the words of each generation of drivers."""

import json

import pytest
from cyberdesk_server.gateway.dialect import dialect_of, is_input
from cyberdesk_server.questions import DriverAnswer, Question
from hypothesis import given
from hypothesis import strategies as st

OURS = frozenset({"action-journal", "key-hold"})


@pytest.mark.parametrize(
    ("version", "most"),
    [("0.0.39", 1), ("0.0.40", 1), ("1.0.2", 4), ("12.1", 4), (None, 1), ("", 1), ("v1", 1), ("²", 1)],
)
def test_the_version_says_how_many_requests_a_driver_takes(version: str | None, most: int) -> None:
    assert dialect_of(version, frozenset()).max_in_flight == most


def test_a_driver_with_features_orders_its_inputs_itself() -> None:
    dialect = dialect_of("2.0.0", OURS)

    assert dialect.orders_inputs
    assert dialect.max_in_flight > 4


def test_action_ids_and_conditions_reach_drivers_with_features_only() -> None:
    headers = {"if-none-match": '"1"', "x-idempotency-key": "k", "authorization": "Bearer ak_1"}
    question = Question("GET", "/computer/display/screenshot", headers=headers)

    ours, vendors = dialect_of("2.0.0", OURS).put(question), dialect_of("1.0.2", frozenset()).put(question)

    assert isinstance(ours, Question)
    assert isinstance(vendors, Question)
    assert ours.headers == {"if-none-match": '"1"', "x-idempotency-key": "k"}
    assert vendors.headers == {"x-idempotency-key": "k"}


@pytest.mark.parametrize("features", [frozenset[str](), frozenset({"key-hold"})])
def test_an_action_id_never_reaches_a_driver_without_a_journal(features: frozenset[str]) -> None:
    question = Question("POST", "/computer/input/mouse/click", headers={"x-action-id": "1"}, body=b"{}")

    answer = dialect_of("2.0.0", features).put(question)

    assert isinstance(answer, DriverAnswer)
    assert answer.status == 501


@given(
    fields=st.dictionaries(st.text(), st.none() | st.integers() | st.text() | st.lists(st.none())),
    version=st.sampled_from(["0.0.39", "1.0.2"]),
)
def test_nulls_are_dropped_and_nothing_else(fields: dict[str, object], version: str) -> None:
    question = Question("POST", "/computer/input/mouse/click", body=json.dumps(fields).encode())

    put = dialect_of(version, frozenset()).put(question)

    assert isinstance(put, Question)
    expected = {name: value for name, value in fields.items() if value is not None}
    assert json.loads(put.body) == expected


@given(body=st.binary())
def test_any_body_passes(body: bytes) -> None:
    put = dialect_of("0.0.39", frozenset()).put(Question("POST", "/computer/input/keyboard/key", body=body))

    assert isinstance(put, Question | DriverAnswer)


def test_copying_is_an_input() -> None:
    assert is_input("/computer/copy_to_clipboard")
    assert is_input("/computer/input/mouse/move")
    assert not is_input("/computer/display/screenshot")
