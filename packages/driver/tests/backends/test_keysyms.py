"""Keysyms of characters and keys."""

import pytest
from cyberdriver.backends.keys import Modifier, NamedKey
from cyberdriver.backends.x11.keysyms import (
    MODIFIER_KEYSYMS,
    NAMED_KEYSYMS,
    case_pair,
    keysym_of,
    keysyms_of,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("character", "keysym"), [("a", 0x61), ("é", 0xE9), ("ł", 0x1000142), ("€", 0x10020AC), ("😀", 0x101F600)]
)
def test_latin_1_is_itself_and_the_rest_is_marked(character: str, keysym: int) -> None:
    assert keysym_of(character) == keysym


@given(st.characters(exclude_categories=["Cc", "Cs", "Cn"]))
def test_both_letters_of_a_case_pair_have_the_same_pair(character: str) -> None:
    keysym = keysym_of(character)
    pair = case_pair(keysym)

    assert keysym in pair
    assert case_pair(pair[0]) == case_pair(pair[1]) == pair


def test_letters_with_one_small_and_one_capital_form_are_pairs() -> None:
    pairs = {character: case_pair(keysym_of(character)) for character in "Łяß漢"}

    assert pairs == {
        "Ł": (keysym_of("ł"), keysym_of("Ł")),
        "я": (keysym_of("я"), keysym_of("Я")),
        "ß": (keysym_of("ß"), keysym_of("ß")),
        "漢": (keysym_of("漢"), keysym_of("漢")),
    }


def test_a_line_of_text_is_its_keys() -> None:
    assert keysyms_of("a\r\n\tb\b") == [0x61, 0xFF0D, 0xFF09, 0x62, 0xFF08]


def test_every_key_and_modifier_has_a_keysym() -> None:
    assert set(NAMED_KEYSYMS) == set(NamedKey)
    assert set(MODIFIER_KEYSYMS) == set(Modifier)
