"""Key sequences."""

import pytest
from cyberdriver.backends.keys import Character, Chord, Key, Modifier, NamedKey, UnknownKey, parse_keys
from hypothesis import given
from hypothesis import strategies as st


def characters() -> st.SearchStrategy[str]:
    return st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]).filter(
        lambda character: character.isprintable()
    )


def keys() -> st.SearchStrategy[Key]:
    return st.sampled_from(NamedKey) | characters().map(Character)


def chords() -> st.SearchStrategy[Chord]:
    modifiers = st.lists(st.sampled_from(Modifier), unique=True).map(tuple)
    return st.builds(Chord, modifiers, st.lists(keys(), max_size=3).map(tuple)).filter(
        lambda chord: bool(chord.modifiers or chord.keys)
    )


def named(text: str) -> list[str]:
    return [str(chord) for chord in parse_keys(text)]


@given(st.lists(chords(), min_size=1, max_size=4))
def test_what_a_chord_says_of_itself_means_it(chords: list[Chord]) -> None:
    assert parse_keys(" ".join(map(str, chords))) == tuple(chords)


@given(st.text())
def test_any_text_is_keys_or_one_unknown_key(text: str) -> None:
    refused = ""
    chords: tuple[Chord, ...] = ()
    try:
        chords = parse_keys(text)
    except UnknownKey as refusal:
        refused = str(refusal)

    assert bool(chords) != bool(refused)
    assert "\n" not in refused


@given(st.sampled_from(NamedKey), st.data())
def test_names_ignore_case_and_separators(key: NamedKey, data: st.DataObject) -> None:
    spelled = data.draw(
        st.sampled_from([key.value.upper(), key.value.replace("_", ""), key.value.replace("_", "-").title()])
    )

    assert parse_keys(spelled) == (Chord((), (key,)),)


@pytest.mark.parametrize(
    ("sequence", "chords"),
    [
        ("ctrl+a shift+tab", ["ctrl+a", "shift+tab"]),
        ("Control_L+Shift_R+Page_Down", ["ctrl+shift_r+page_down"]),
        ("ctrl+plus", ["ctrl++"]),
        ("ctrl++", ["ctrl++"]),
        ("+", ["+"]),
        ("+++", ["+++"]),
        ("ctrl+minus", ["ctrl+-"]),
        ("A", ["a"]),
        ("q+w+e", ["q+w+e"]),
        ("Return KP_Enter prior", ["enter", "kp_enter", "page_up"]),
        ("win cmd meta super", ["super"] * 4),
        ("option+x", ["alt+x"]),
        ("num0 numpad9 kp_5", ["kp_0", "kp_9", "kp_5"]),
        ("space U20AC u0142", ["space", "€", "ł"]),
        ("  f1\tF24\n", ["f1", "f24"]),
    ],
)
def test_sequences_of_every_generation_are_understood(sequence: str, chords: list[str]) -> None:
    assert named(sequence) == chords


@pytest.mark.parametrize(
    ("sequence", "name"),
    [
        ("", ""),
        ("   ", ""),
        ("ctrl+foo", "foo"),
        ("ctrl+a pagina_down", "pagina_down"),
        ("ctrl+", "ctrl+"),
        ("++", "++"),
        ("control+ab", "ab"),
        ("U110000", "U110000"),
        ("U0007", "U0007"),
    ],
)
def test_an_unknown_key_is_named(sequence: str, name: str) -> None:
    with pytest.raises(UnknownKey) as refusal:
        parse_keys(sequence)

    assert refusal.value.name == name


def test_a_modifier_alone_is_a_chord() -> None:
    assert parse_keys("super") == (Chord((Modifier.SUPER,), ()),)
