"""Where a label is, on pages that were read well or badly."""

import string

from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.executor.reading.labels import matches, nearest
from cyberdesk_server.executor.reading.pages import Page, Phrase, Word, page_of
from hypothesis import assume, given
from hypothesis import strategies as st

SIZE = Size(1280, 800)
TEXTS = st.text(string.ascii_letters + string.digits + "  -/", min_size=1, max_size=24).map(
    lambda text: " ".join(text.split())
)
LABELS = TEXTS.filter(lambda text: any(letter.isalnum() for letter in text))


def a_phrase(text: str, left: int = 100, top: int = 100, *, confidence: int = 96) -> Phrase:
    words = []
    for word in text.split():
        words.append(Word(word, Box(left, top, left + 8 * len(word), top + 12)))
        left += 8 * len(word) + 6
    return Phrase(tuple(words), confidence)


def a_page(*lines: str | Phrase) -> Page:
    """A page with one phrase a line."""
    phrases = [
        line if isinstance(line, Phrase) else a_phrase(line, top=20 + 30 * number)
        for number, line in enumerate(lines)
    ]
    return page_of(SIZE, phrases)


def found(page: Page, label: str) -> list[str]:
    return [match.text for match in matches(page, label)]


@given(LABELS, st.lists(LABELS, max_size=5))
def test_a_label_that_is_there_is_found_first(label: str, others: list[str]) -> None:
    page = a_page(*others, label)

    assert (
        found(page, label)[:1] == [label]
        or label in others
        or found(page, label)[0].strip(" -") == label.strip(" -")
    )


@given(LABELS)
def test_a_label_is_found_whatever_its_case_and_what_follows_it(label: str) -> None:
    page = a_page(label + ":")

    assert len(matches(page, label.swapcase())) == 1


@given(LABELS, st.integers(60, 100))
def test_another_number_is_never_the_label(label: str, confidence: int) -> None:
    assume(any(letter in "23456789" for letter in label))
    changed = "".join("3" if letter == "2" else "2" if letter in "3456789" else letter for letter in label)
    page = a_page(a_phrase(changed, confidence=confidence))

    assert found(page, label) == []


def test_the_same_letters_come_before_another_case() -> None:
    assert found(a_page("SEARCH", "search", "Search"), "Search") == ["Search", "SEARCH", "search"]


def test_a_whole_phrase_comes_before_a_part_of_one() -> None:
    assert [match.is_whole for match in matches(a_page("Find a patient", "Patient"), "patient")] == [
        True,
        False,
    ]


def test_equal_matches_come_in_reading_order() -> None:
    page = page_of(SIZE, [a_phrase("Edit", 500, 100), a_phrase("Edit", 100, 100), a_phrase("Edit", 300, 40)])

    assert [(match.box.left, match.box.top) for match in matches(page, "Edit")] == [
        (300, 40),
        (100, 100),
        (500, 100),
    ]


def test_letters_that_look_alike_are_equal() -> None:
    assert found(a_page("Ctri+O"), "Ctrl+O") == ["Ctri+O"]
    assert found(a_page("lNV-OO17"), "INV-0017") == ["lNV-OO17"]


def test_a_lost_or_an_invented_space_does_not_matter() -> None:
    assert found(a_page("Login"), "Log in") == ["Login"]
    assert found(a_page("Pass word"), "Password") == ["Pass word"]


def test_similar_words_count_only_where_the_reading_was_unsure() -> None:
    assert found(a_page(a_phrase("Serch", confidence=60)), "Search") == ["Serch"]
    assert found(a_page(a_phrase("Serch", confidence=96)), "Search") == []


def test_two_similar_words_are_no_match_at_all() -> None:
    unsure = [a_phrase("Ctrl+O", top=20, confidence=40), a_phrase("Ctrl+X", top=60, confidence=40)]

    assert found(a_page(*unsure), "Ctrl+W") == []


def test_a_short_word_is_never_only_similar() -> None:
    assert found(a_page(a_phrase("No", confidence=30)), "On") == []


def test_words_of_neighbouring_phrases_make_one_label() -> None:
    page = page_of(SIZE, [a_phrase("Baker,", 100), a_phrase("Bruno", 160)])

    (match,) = matches(page, "Baker, Bruno")

    assert match.box == Box(100, 100, 200, 112)
    assert match.is_whole


def test_words_far_apart_are_not_one_label() -> None:
    page = page_of(SIZE, [a_phrase("Baker,", 100), a_phrase("Bruno", 400)])

    assert found(page, "Baker, Bruno") == []


def test_a_label_of_signs_is_compared_as_it_is() -> None:
    assert found(a_page("...", "+"), "...") == ["..."]


def test_what_is_nearest_to_a_missing_label_is_told() -> None:
    assert nearest(a_page("Serch", "Search all", "Cancel"), "Search") == ["Serch", "Search all"]
    assert nearest(a_page("Cancel"), "12345") == []
