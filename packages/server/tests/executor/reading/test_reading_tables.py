"""Tables: what stands under the headings comes back as rows."""

import string

import pytest
from cyberdesk_server.domain.geometry import Box, Size
from cyberdesk_server.executor.reading.pages import Page, Phrase, Word, page_of
from cyberdesk_server.executor.reading.tables import NoTable, table_under
from hypothesis import given
from hypothesis import strategies as st

SIZE = Size(1280, 800)
COLUMN_PX, ROW_PX = 240, 24
CELLS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)


def a_phrase(text: str, left: int, top: int) -> Phrase:
    words = []
    for word in text.split():
        words.append(Word(word, Box(left, top, left + 8 * len(word), top + 12)))
        left += 8 * len(word) + 6
    return Phrase(tuple(words))


def a_table(name: str, headings: list[str], rows: list[list[str]], *, top: int = 100) -> list[Phrase]:
    phrases = [a_phrase(name, 30, top)]
    for line, cells in enumerate([headings, *rows], start=1):
        phrases += [
            a_phrase(cell, 40 + COLUMN_PX * column, top + ROW_PX * line)
            for column, cell in enumerate(cells)
            if cell
        ]
    return phrases


def name_of(page: Page, name: str) -> Box:
    return next(phrase.box for phrase in page.phrases if phrase.text == name)


@given(st.data())
def test_a_table_is_read_back(data: st.DataObject) -> None:
    headings = data.draw(st.lists(CELLS, min_size=2, max_size=5, unique=True))
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(headings), max_size=len(headings)), max_size=6))
    page = page_of(SIZE, a_table("The name", headings, rows))

    table = table_under(page, name_of(page, "The name"))

    assert table.columns == tuple(headings)
    assert [list(row.values()) for row in table.rows] == rows


def test_an_empty_cell_is_an_empty_text() -> None:
    page = page_of(
        SIZE, a_table("Orders", ["Item", "Price", "Note"], [["Pen", "", "late"], ["Ink", "2", ""]])
    )

    assert table_under(page, name_of(page, "Orders")).rows == (
        {"Item": "Pen", "Price": "", "Note": "late"},
        {"Item": "Ink", "Price": "2", "Note": ""},
    )


def test_the_next_heading_ends_a_table() -> None:
    first = a_table("Medications", ["Name", "Dose"], [["Metformin", "500 mg"], ["Ramipril", "10 mg"]])
    second = a_table("Recent vitals", ["Date", "Pulse"], [["2026-02-24", "72"]], top=100 + 4 * ROW_PX + 12)
    page = page_of(SIZE, first + second)

    assert [row["Name"] for row in table_under(page, name_of(page, "Medications")).rows] == [
        "Metformin",
        "Ramipril",
    ]
    assert table_under(page, name_of(page, "Recent vitals")).rows == ({"Date": "2026-02-24", "Pulse": "72"},)


def test_a_heading_names_its_table_too() -> None:
    page = page_of(SIZE, a_table("Orders", ["Item", "Price"], [["Pen", "3"]]))

    assert table_under(page, name_of(page, "Price")).rows == ({"Item": "Pen", "Price": "3"},)


def test_numbers_may_stand_at_the_right_of_their_column() -> None:
    phrases = a_table("Orders", ["Item", "Price"], [["Pen", ""], ["Ink", ""]])
    right = 40 + COLUMN_PX + 8 * len("Price")
    phrases += [a_phrase("3", right - 8, 148), a_phrase("12", right - 16, 172)]
    page = page_of(SIZE, phrases)

    assert [row["Price"] for row in table_under(page, name_of(page, "Orders")).rows] == ["3", "12"]


def test_cells_that_nearly_touch_are_parted_at_the_next_heading() -> None:
    phrases = [
        a_phrase("Number", 40, 100), a_phrase("Name", 112, 100), a_phrase("12345678 Doe", 40, 124),
    ]  # fmt: skip
    page = page_of(SIZE, phrases)

    assert table_under(page, Box(30, 60, 90, 72)).rows == ({"Number": "12345678", "Name": "Doe"},)


def test_headings_of_the_same_name_are_told_apart() -> None:
    page = page_of(SIZE, a_table("Visits", ["Date", "Date"], [["1", "2"]]))

    assert table_under(page, name_of(page, "Visits")).rows == ({"Date": "1", "Date 2": "2"},)


def test_where_there_are_no_headings_there_is_no_table() -> None:
    page = page_of(SIZE, [a_phrase("Orders", 30, 100), a_phrase("None yet", 30, 130)])

    with pytest.raises(NoTable):
        table_under(page, name_of(page, "Orders"))
