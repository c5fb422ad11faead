"""Which characters can be typed."""

import pytest
from cyberdriver.backends.base import UnsupportedCharacter
from cyberdriver.backends.text import typed_characters
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"])))
def test_every_assigned_character_is_typed_as_it_is(text: str) -> None:
    assert "".join(typed_characters(text)) == text


@given(st.lists(st.sampled_from(["a", "\n", "\r\n", "\r"])))
def test_every_sort_of_line_end_is_one_return(parts: list[str]) -> None:
    text = "a".join(["", *parts, ""])

    assert typed_characters(text) == list(text.replace("\r\n", "\n").replace("\r", "\n"))


@pytest.mark.parametrize(
    "character", ["\0", "\x1b", "\x7f", "\x85", "\ud800", "\uffff", "\ufdd0", "\U0001fffe"]
)
def test_a_character_without_a_key_is_named_with_its_place(character: str) -> None:
    with pytest.raises(UnsupportedCharacter) as refusal:
        typed_characters("ab" + character)

    assert (refusal.value.character, refusal.value.index) == (character, 2)
    assert str(refusal.value) == f"character 3 of the text (U+{ord(character):04X}) cannot be typed"
