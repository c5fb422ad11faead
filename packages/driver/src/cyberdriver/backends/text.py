"""Which characters a keyboard can type: the rule all backends share."""

from __future__ import annotations

import unicodedata

from cyberdriver.backends.base import UnsupportedCharacter

CONTROL_KEYS = frozenset("\n\t\b")
"""The control characters that are keys: Return, Tab and Backspace."""


def typed_characters(text: str) -> list[str]:
    """The characters of a text as keys are tapped for them; every sort of line end is one line feed.

    Raises `UnsupportedCharacter` for other control characters, lone surrogates and the code points that
    Unicode will never assign.
    """
    characters: list[str] = []
    for index, character in enumerate(text):
        if character == "\n" and index > 0 and text[index - 1] == "\r":
            continue
        typed = "\n" if character == "\r" else character
        if typed not in CONTROL_KEYS and not _has_a_key(typed):
            raise UnsupportedCharacter(character, index)
        characters.append(typed)
    return characters


def _has_a_key(character: str) -> bool:
    code_point = ord(character)
    is_noncharacter = code_point & 0xFFFE == 0xFFFE or 0xFDD0 <= code_point <= 0xFDEF
    return not is_noncharacter and unicodedata.category(character) not in ("Cc", "Cs")
