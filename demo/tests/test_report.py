"""The page of a run: everything is on it once, nothing on it is markup that a program wrote."""

from __future__ import annotations

import base64
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report import page, png_size, write
from story import Mark, Step, Story

SCREEN = "supabase://run-images/one.png"
_VOID = {"meta", "input"}


def png(width: int = 4, height: int = 3) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    lines = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


class Outline(HTMLParser):
    """The tags of a page, with the check that each one is closed, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def a_story(**changes: object) -> Story:
    values = {"run_id": "r1", "status": "success", "workflow": "Patient lookup", **changes}
    return Story(**values)  # type: ignore[arg-type]


def a_click(**changes: object) -> Step:
    return Step(**{"words": "Click", "tool": "click", "screen": SCREEN, **changes})  # type: ignore[arg-type]


def test_a_screen_shown_twice_is_stored_once() -> None:
    picture = png()
    story = a_story(steps=(a_click(marks=(Mark(1, 2),)), a_click(marks=(Mark(2, 1),))))

    html = page(story, {SCREEN: picture})

    assert html.count(base64.b64encode(picture).decode()) == 1
    assert html.count('<use href="#screen-1"/>') == 2


def test_a_point_is_a_circle_and_a_box_a_rectangle_in_the_pixels_of_the_screen() -> None:
    story = a_story(steps=(a_click(marks=(Mark(120, 48), Mark(10, 20, 30, 40))),))

    html = page(story, {SCREEN: png(1280, 800)})

    assert 'viewBox="0 0 1280 800"' in html
    assert '<circle class="mark" cx="120" cy="48"' in html
    assert '<rect class="mark" x="6" y="16" width="38" height="48"' in html


def test_a_step_whose_picture_is_missing_is_shown_without_one() -> None:
    html = page(a_story(steps=(a_click(),)), {})

    assert "<h3>Click</h3>" in html
    assert "<use" not in html


def test_a_list_of_objects_is_a_table_with_their_names_as_headings() -> None:
    output = {"medications": [{"Medication": "Metformin", "Dose": "500 mg"}, {"Medication": "Ramipril"}]}

    html = page(a_story(output=output), {})

    assert "<th>Medication</th><th>Dose</th>" in html
    assert "<td>Metformin</td><td>500 mg</td>" in html
    assert "<td>Ramipril</td><td></td>" in html


def test_a_failed_run_says_why() -> None:
    html = page(a_story(status="task_failed", errors=("The clinic has no patient 99999",)), {})

    assert "task failed" in html
    assert "<li>The clinic has no patient 99999</li>" in html


def test_an_answer_in_json_is_laid_out() -> None:
    html = page(a_story(steps=(a_click(answers=('[{"Date": "2026-02-24"}]',)),)), {})

    assert "<th>Date</th>" in html


@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_no_text_becomes_markup(words: str, answer: str, value: str) -> None:
    plain = Outline(page(a_story(output={"a": "x"}, steps=(a_click(words="w", answers=("x",)),)), {}))

    wild = Outline(
        page(a_story(output={"a": value}, steps=(a_click(words=words, answers=(f"> {answer}",)),)), {})
    )

    assert wild.tags == plain.tags


def test_the_page_has_no_script_and_asks_the_network_for_nothing() -> None:
    html = page(a_story(steps=(a_click(),)), {SCREEN: png()})

    assert "script" not in Outline(html).tags
    assert "http" not in html


def test_writing_makes_the_folder(tmp_path: Path) -> None:
    path = write(a_story(), {}, tmp_path / "pages" / "run.html")

    assert path.is_absolute()
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


@given(st.integers(1, 5000), st.integers(1, 5000))
def test_the_size_is_read_from_the_picture(width: int, height: int) -> None:
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)

    assert png_size(header) == (width, height)


def test_what_is_not_a_png_is_refused() -> None:
    with pytest.raises(ValueError, match="not a PNG"):
        png_size(b"<html>")
