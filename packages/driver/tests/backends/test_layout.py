"""What keys mean, from the server's table."""

from cyberdriver.backends.x11.layout import KeyTable, Stroke, layout_of

A, CAPITAL_A, CYRILLIC_EF, CAPITAL_CYRILLIC_EF = 0x61, 0x41, 0x6C6, 0x6E6
LESS, GREATER, COMMA, SHIFT, VOLUME_UP = 0x3C, 0x3E, 0x2C, 0xFFE1, 0x1008FF13

ROWS = {
    38: (A, CAPITAL_A, CYRILLIC_EF, CAPITAL_CYRILLIC_EF),
    50: (SHIFT, 0, 0, 0),
    59: (COMMA, LESS, 0, 0),
    60: (0, 0, 0, 0),
    61: (0, 0, 0, 0),
    94: (LESS, GREATER, 0, 0),
    123: (VOLUME_UP, 0, 0, 0),
}


def table(group: int = 0) -> KeyTable:
    return KeyTable(ROWS, frozenset({50, 61}), group)


def test_the_first_key_of_the_keyboard_types_a_character() -> None:
    strokes = layout_of(table(), frozenset()).strokes

    assert strokes[LESS] == Stroke(59, with_shift=True)
    assert strokes[A] == Stroke(38)
    assert CYRILLIC_EF not in strokes


def test_a_named_key_is_looked_up_without_shift() -> None:
    assert layout_of(table(), frozenset()).plain[LESS] == 94


def test_the_group_in_force_counts_and_other_keys_keep_their_first() -> None:
    strokes = layout_of(table(group=1), frozenset()).strokes

    assert strokes[CYRILLIC_EF] == Stroke(38)
    assert strokes[COMMA] == Stroke(59)
    assert A not in strokes


def test_in_a_group_without_fixed_columns_no_character_is_known() -> None:
    layout = layout_of(table(group=2), frozenset())

    assert not layout.strokes
    assert layout.plain[SHIFT] == 50


def test_modifiers_are_never_spare_keys() -> None:
    layout = layout_of(table(), frozenset())

    assert (layout.unused, layout.multimedia) == ((60,), (123,))


def test_a_lent_key_is_no_part_of_the_layout() -> None:
    layout = layout_of(table(), frozenset({38, 60}))

    assert A not in layout.strokes
    assert layout.unused == ()
