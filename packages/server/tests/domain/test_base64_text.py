"""Base64 inside JSON, against the standard library."""

import base64
import json

import pytest
from cyberdesk_server.domain.base64_text import (
    LONG_TEXT_CHARACTERS,
    PIECE_CHARACTERS,
    Base64Text,
    NotBase64,
    cut_out,
)
from hypothesis import given
from hypothesis import strategies as st

LONG = base64.b64encode(bytes(LONG_TEXT_CHARACTERS)).decode()


@given(st.binary())
def test_a_file_comes_back_byte_by_byte(content: bytes) -> None:
    text = Base64Text(base64.b64encode(content))

    assert b"".join(text.decoded()) == content
    assert text.size_bytes == len(content)


@pytest.mark.parametrize("beyond", range(-4, 5))
def test_a_file_in_several_pieces_comes_back(beyond: int) -> None:
    content = bytes(range(256)) * (2 * PIECE_CHARACTERS // 256) + b"x" * 4
    content = content[: 2 * PIECE_CHARACTERS // 4 * 3 + beyond]

    assert b"".join(Base64Text(base64.b64encode(content)).decoded()) == content


@pytest.mark.parametrize(
    "text",
    [
        "QQ",
        "QQ=",
        "Q===",
        "====",
        "QQ==QQ==",
        "Q Q=",
        "QQ\n=",
        "żółw",
        "_-8=",
        base64.b64encode(b"x" * (PIECE_CHARACTERS // 4 * 3 - 1)).decode() + "QQ==",
    ],
)
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(NotBase64):
        list(Base64Text(text).decoded())


@pytest.mark.parametrize(
    "document",
    [
        {"content": LONG},
        {"filename": "a", "content": LONG, "more": [{"content": LONG}, {"content": "short"}]},
        {"other": LONG, "content": ""},
        {"note": f'"content": "{LONG}"'},
        {"note": f'\\"content":"{LONG}', 'x"content': LONG, "content": 5},
        {"content": LONG + "\\"},
        {"content": LONG[1:]},
    ],
)
def test_a_document_without_its_long_texts_reads_as_with_them(document: object) -> None:
    for written in (json.dumps(document), json.dumps(document, indent=1)):
        rest, texts = cut_out(written.encode())

        def put_back(members: dict[str, object], texts: dict[str, Base64Text] = texts) -> dict[str, object]:
            return {
                name: texts[value].as_text() if isinstance(value, str) and value in texts else value
                for name, value in members.items()
            }

        assert json.loads(rest, object_hook=put_back) == document


def test_only_long_contents_are_cut_out() -> None:
    rest, texts = cut_out(json.dumps({"content": LONG, "other": LONG, "inner": {"content": "QQ=="}}).encode())

    assert [text.as_text() for text in texts.values()] == [LONG]
    assert json.loads(rest) == {"content": next(iter(texts)), "other": LONG, "inner": {"content": "QQ=="}}
