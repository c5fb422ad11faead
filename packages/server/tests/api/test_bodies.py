"""What a body may hold."""

import json
from contextlib import suppress
from typing import Any

import pytest
from cyberdesk_server.api.bodies import MAX_DEPTH, parse
from cyberdesk_server.domain.base64_text import Base64Text
from cyberdesk_server.domain.refusals import InvalidFields
from cyberdesk_server.store.types import from_json, to_json
from hypothesis import given
from hypothesis import strategies as st

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=20,
)


@given(json_values)
def test_what_is_accepted_can_be_kept_and_answered_unchanged(value: Any) -> None:
    parsed = parse(json.dumps(value).encode())

    assert from_json(to_json(parsed)) == parsed == value


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(InvalidFields):
        parse(body)


@pytest.mark.parametrize(
    ("body", "location"),
    [
        (b"", ("body", 0)),
        (b"{", ("body", 1)),
        (b"\xff", ("body",)),
        (b"[NaN]", ("body",)),
        (b"1" * 5000, ("body",)),
        (b'{"a": {"b": ["\\u0000"]}}', ("body", "a", "b", 0)),
        (b'{"a": "\\ud800"}', ("body", "a")),
        (b'{"\\u0000": 1}', ("body",)),
        (b'{"a": 18446744073709551616}', ("body", "a")),
        (b'{"a": 1e999}', ("body", "a")),
        (b"[" * 100_000 + b"]" * 100_000, ("body",)),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), ("body", 0, 0, 0)),
    ],
)
def test_what_cannot_be_kept_is_refused_where_it_is(body: bytes, location: tuple[str | int, ...]) -> None:
    with pytest.raises(InvalidFields) as refused:
        parse(body)

    assert [problem.location for problem in refused.value.problems] == [location]


LONG = "QUJD" * 20_000
"""Of a file that is cut out instead of copied."""

FILES = frozenset({("content",), ("file_inputs", "content")})


def test_a_long_file_stays_in_the_body() -> None:
    body = json.dumps({"file_inputs": [{"filename": "a", "content": LONG}, {"content": "QUJD"}]}).encode()

    parsed = parse(body, FILES)

    first, second = parsed["file_inputs"]
    assert isinstance(first["content"], Base64Text)
    assert b"".join(first["content"].decoded()) == b"ABC" * 20_000
    assert second["content"] == "QUJD"


def test_a_long_text_in_another_place_is_a_text() -> None:
    value = {"input_values": {"content": LONG}, "content_": [{"content": LONG}]}

    assert parse(json.dumps(value).encode(), FILES) == value


def test_a_mark_that_a_caller_sends_is_refused_like_every_nul() -> None:
    for body in ({"content": LONG, "x": "\0" + "0"}, {"x": "\0" + "0", "content": LONG}):
        with pytest.raises(InvalidFields, match="NUL"):
            parse(json.dumps(body).encode(), FILES)


def test_deep_nesting_around_a_file_is_refused() -> None:
    body = b'{"content": "' + LONG.encode() + b'", "x": ' + b"[" * 500 + b"]" * 500 + b"}"

    with pytest.raises(InvalidFields, match="nested deeper"):
        parse(body, FILES)
