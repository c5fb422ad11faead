"""The lines of prompts."""

from cyberdesk_server.domain.prompt_lines import Line, plain_lines
from hypothesis import given
from hypothesis import strategies as st


def test_html_becomes_lines() -> None:
    prompt = (
        '<h2>Log&nbsp;in</h2>\n<p>Click <b>"OK"</b>\n now.<br>Type &lt;b&gt;</p>'
        '<ul><li>One<ul><li>Two <img src="a.png" alt="A"></li></ul></li><li>Three</li></ul><p>End'
    )

    assert plain_lines(prompt) == (
        Line(1, "# Log in"),
        Line(2, 'Click "OK" now.'),
        Line(3, "Type <b>"),
        Line(4, "One", is_item=True),
        Line(5, 'Two <img "a.png">', indent=4, is_item=True),
        Line(6, "Three", is_item=True),
        Line(7, "End"),
    )


def test_plain_text_keeps_its_line_numbers() -> None:
    prompt = '1. Click "A < B"\n\n   - Type &amp; <img src=x.png alt="x">\n\t* Tab\nb) End\n'

    assert plain_lines(prompt) == (
        Line(1, 'Click "A < B"', is_item=True),
        Line(3, 'Type &amp; <img "x.png">', indent=3, is_item=True),
        Line(4, "Tab", indent=4, is_item=True),
        Line(5, "End", is_item=True),
    )


def test_preformatted_text_keeps_its_indentation() -> None:
    assert plain_lines("<pre>If so:\n  do it</pre>") == (Line(1, "If so:"), Line(2, "do it", indent=2))


def test_items_are_inside_the_line_they_follow() -> None:
    opener, item, nested = Line(1, "For each:"), Line(2, "a", is_item=True), Line(3, "b", indent=4)

    assert item.is_deeper_than(opener)
    assert nested.is_deeper_than(item)
    assert not opener.is_deeper_than(item)


@given(st.text(alphabet="<>/pliub r=\"'&;#\n\t-1.a{}$\\", max_size=60))
def test_every_prompt_has_lines_without_breaks(prompt: str) -> None:
    lines = plain_lines(prompt)

    assert all(line.text and line.text == line.text.strip() and "\n" not in line.text for line in lines)
    assert [line.number for line in lines] == sorted({line.number for line in lines})
