"""Whatever a prompt says it is read without a crash, and what is written down reads back."""

from cyberdesk_server.executor.reading.pages import Side
from cyberdesk_server.executor.steps.language import (
    LAST,
    CheckVisible,
    Destination,
    Label,
    Picture,
    ReadScreen,
    ReadTable,
    ReadText,
    Related,
)
from cyberdesk_server.executor.steps.marks import marked
from cyberdesk_server.executor.steps.readings import reading_of
from cyberdesk_server.executor.steps.script import script_of
from cyberdesk_server.executor.steps.wording import sentence_of
from hypothesis import given
from hypothesis import strategies as st


@given(st.text(max_size=80))
def test_every_prompt_is_read_without_a_crash(prompt: str) -> None:
    script_of(prompt)


WORDS = st.sampled_from(
    [
        "click",
        "type",
        "into",
        '"A"',
        '"B"',
        "{x}",
        "{{y}}",
        "{$z}",
        "the",
        "right",
        "of",
        "if",
        "is",
        "visible",
        ",",
        "and",
        "then",
        "press",
        "Enter",
        "as",
        "a.b",
        "for",
        "each",
        "in",
        ":",
        "read",
        "text",
        "otherwise",
        "wait",
        "until",
        "appears",
        "3",
        "seconds",
        "second",
        "(",
        "optional",
        ")",
        ".",
        "table",
        "under",
        "with",
        "columns",
    ]
)


@given(st.lists(st.one_of(WORDS, st.just("\n"), st.just("\n  ")), max_size=25).map(" ".join))
def test_every_mixture_of_the_words_is_read_without_a_crash(prompt: str) -> None:
    script_of(prompt)


@given(st.text(max_size=40))
def test_a_line_with_marks_can_be_written_back(line: str) -> None:
    text = line.translate(dict.fromkeys(range(57344, 63744)))

    assert marked(text).written == text


QUOTES = "\"'`\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"
LETTERS = st.characters(exclude_categories=["C", "Z"], exclude_characters="{}\\<>" + QUOTES)
TEXTS = st.text(LETTERS, min_size=1, max_size=8)
THINGS = st.recursive(
    st.one_of(st.builds(Label, TEXTS), st.builds(Picture, st.just("a.png"))),
    lambda inner: st.builds(
        Label,
        TEXTS,
        st.one_of(st.none(), st.integers(1, 12), st.just(LAST)),
        st.builds(Related, st.sampled_from([*Side, "near", "in the row of"]), inner),
    ),
    max_leaves=3,
)
DESTINATIONS = st.sampled_from(
    [Destination("a.b"), Destination("rows[2].x"), Destination(None, "n"), Destination("a", "n")]
)
READINGS = st.one_of(
    st.builds(ReadText, st.sampled_from(Side), THINGS, DESTINATIONS),
    st.builds(ReadText, st.just(Side.BELOW), THINGS, DESTINATIONS, st.just(True)),
    st.builds(ReadTable, THINGS, DESTINATIONS, st.lists(TEXTS, unique=True, max_size=3).map(tuple)),
    st.builds(ReadScreen, DESTINATIONS),
    st.builds(CheckVisible, st.lists(THINGS, min_size=1, max_size=2).map(tuple), DESTINATIONS),
)


@given(READINGS)
def test_a_reading_is_written_as_a_sentence_that_reads_back(
    reading: ReadText | ReadTable | ReadScreen | CheckVisible,
) -> None:
    assert reading_of(sentence_of(reading)) == reading
