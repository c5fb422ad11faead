"""What prompts say: sentences, blocks, and a clear reason for every line that is none."""

import pytest
from cyberdesk_server.domain.actions import Button, Direction
from cyberdesk_server.domain.geometry import Point
from cyberdesk_server.domain.prompt_lines import picture
from cyberdesk_server.domain.prompts import Kind, Placeholder, variables
from cyberdesk_server.executor.reading.pages import Side
from cyberdesk_server.executor.steps.language import (
    LAST,
    Action,
    CheckVisible,
    Clear,
    Click,
    Compared,
    Copy,
    Destination,
    Do,
    Drag,
    Fail,
    Focus,
    ForEach,
    Hover,
    If,
    Label,
    Pause,
    Picture,
    Press,
    ReadScreen,
    ReadTable,
    ReadText,
    Related,
    Remember,
    RunCommand,
    SaveScreenshot,
    Scroll,
    Spot,
    Statement,
    Succeed,
    Type,
    Visible,
    WaitUntil,
)
from cyberdesk_server.executor.steps.script import script_of
from cyberdesk_server.executor.steps.wording import sentence_of

OK = Label("OK")


def statements(prompt: str) -> list[Statement]:
    script = script_of(prompt)
    assert not script.unreadable, script.unreadable
    return list(script.block)


def actions(prompt: str) -> list[Action]:
    return [statement.action for statement in statements(prompt) if isinstance(statement, Do)]


def reasons(prompt: str) -> list[tuple[int, str]]:
    return [(unreadable.line.number, unreadable.reason) for unreadable in script_of(prompt).unreadable]


def related(text: str, relation: Side, to: str) -> Label:
    return Label(text, relation=Related(relation, Label(to)))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ('Click "OK"', Click(OK)),
        ("click on the 'OK' button.", Click(OK)),
        ("TAP “OK”", Click(OK)),
        ("Select «OK»!", Click(OK)),
        ('Press "OK"', Click(OK)),
        ('Double-click "OK"', Click(OK, count=2)),
        ('double click on "OK"', Click(OK, count=2)),
        ('Right-click "OK"', Click(OK, Button.RIGHT)),
        ('Middle click "OK"', Click(OK, Button.MIDDLE)),
        ("Click 'Don't save'", Click(Label("Don't save"))),
        ("Click at 300, 250", Click(Spot(Point(300, 250)))),
        ("Click the point (300, 250)", Click(Spot(Point(300, 250)))),
        ('Click the second "OK"', Click(Label("OK", 2))),
        ('Click the 3rd "OK" link', Click(Label("OK", 3))),
        ('Click the last "OK"', Click(Label("OK", LAST))),
        ('Click the "OK" to the right of "Discount"', Click(related("OK", Side.RIGHT, "Discount"))),
        ('Click "OK" beneath "Discount"', Click(related("OK", Side.BELOW, "Discount"))),
        ('Click "OK" for "Smith"', Click(Label("OK", relation=Related("near", Label("Smith"))))),
        ('Click "OK" in the row of "A"', Click(Label("OK", relation=Related("in the row of", Label("A"))))),
        ('Click <img src="a.png">', Click(Picture("a.png"))),
        ('Hover over "OK"', Hover(OK)),
        ("Move the mouse to 3, 4", Hover(Spot(Point(3, 4)))),
        ('Type {x} into "OK"', Type("{x}", OK)),
        ('Enter "a {x}" in the "OK" field', Type("a {x}", OK)),
        ("Type {a} {b}", Type("{a} {b}")),
        ("Type 12345", Type("12345")),
        ("Write {$p} into the focused field", Type("{$p}")),
        ('Set "OK" to {x}', Type("{x}", OK, replaces=True)),
        ('Replace the text in "OK" with "y"', Type("y", OK, replaces=True)),
        ('Clear the "OK" field', Clear(OK)),
        ("Clear the field", Clear()),
        ("Press Enter", Press("enter")),
        ('Press "Enter"', Press("enter")),
        ("Hit the Esc key", Press("esc")),
        ("Press Ctrl + Shift + s", Press("ctrl+shift+s")),
        ("Press Ctrl+A, then Backspace", Press("ctrl+a backspace")),
        ("Press Tab twice", Press("tab tab")),
        ("Press the down arrow 3 times", Press("down down down")),
        ("Scroll down", Scroll(Direction.DOWN, 3)),
        ('Scroll left by 2 in "OK"', Scroll(Direction.LEFT, 2, OK)),
        ('Drag "OK" to 5, 6', Drag(OK, Spot(Point(5, 6)))),
        ("Wait 2.5 seconds", Pause(2.5)),
        ("Wait for half a minute", Pause(30.0)),
        ('Wait for "OK"', WaitUntil((OK,))),
        ('Wait until "OK" or "A" appears', WaitUntil((OK, Label("A")))),
        ('Wait for "OK" to disappear', WaitUntil((OK,), is_gone=True)),
        ('Wait until "OK" is no longer visible', WaitUntil((OK,), is_gone=True)),
        ('Read the text right of "OK" as a.b', ReadText(Side.RIGHT, OK, Destination("a.b"))),
        ('Read the value below "OK" as {{x}}', ReadText(Side.BELOW, OK, Destination(runtime="x"))),
        ('Get the number left of "OK" as n', ReadText(Side.LEFT, OK, Destination("n"))),
        ('Read the field "OK" as a and as {{x}}', ReadText(Side.INSIDE, OK, Destination("a", "x"))),
        ('Read the lines below "OK" as a', ReadText(Side.BELOW, OK, Destination("a"), is_paragraph=True)),
        ('Read the table under "OK" as t', ReadTable(OK, Destination("t"))),
        (
            'Read the table "OK" as t with columns name, "how often" and since',
            ReadTable(OK, Destination("t"), ("name", "how often", "since")),
        ),
        ("Read the whole screen as notes", ReadScreen(Destination("notes"))),
        ('Check whether "OK" is visible as has.ok', CheckVisible((OK,), Destination("has.ok"))),
        ("Copy the selection as {{x}} and a.b", Copy(Destination("a.b", "x"))),
        ("Remember {a.b} as {{c}}", Remember("{a.b}", "c")),
        ('Set {{c}} to "5"', Remember("5", "c")),
        ('Fail with "no"', Fail("no")),
        ('Stop the task with the error "no {x}"', Fail("no {x}")),
        ("Succeed", Succeed()),
        ('Finish with "done"', Succeed("done")),
        ('Take a screenshot and save it as "a.png"', SaveScreenshot("a.png")),
        ('Run the command "dir C:\\"', RunCommand("dir C:\\")),
    ],
)
def test_a_sentence_says(sentence: str, expected: Action) -> None:
    assert actions(sentence) == [expected]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('Type {x} into "OK" and press Enter', [Type("{x}", OK), Press("enter")]),
        ('Please click "OK", wait 1 second, then press Tab.', [Click(OK), Pause(1.0), Press("tab")]),
        ('Click "OK". Press Enter.', [Click(OK), Press("enter")]),
        ('Choose "File" > "Save" > "OK"', [Click(Label("File")), Click(Label("Save")), Click(OK)]),
        ('Right-click "OK", then "Copy"', [Click(OK, Button.RIGHT), Click(Label("Copy"), Button.RIGHT)]),
    ],
)
def test_a_line_may_hold_several_sentences(line: str, expected: list[Action]) -> None:
    assert actions(line) == expected


def test_words_around_a_sentence_say_how_patient_it_is() -> None:
    first, second, third = statements(
        'Click "OK" within 30 seconds\nOptionally, click "OK"\nClick "OK" if visible'
    )

    assert isinstance(first, Do)
    assert (first.patience_seconds, first.is_optional) == (30.0, False)
    assert isinstance(second, Do)
    assert second.is_optional
    assert isinstance(third, Do)
    assert third.is_optional


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('"OK" is visible', Visible((OK,))),
        ('"OK" or "A" is shown', Visible((OK, Label("A")))),
        ('"OK" isn\'t visible', Visible((OK,), is_negated=True)),
        ('there is no "OK"', Visible((OK,), is_negated=True)),
        ('"OK" does not appear', Visible((OK,), is_negated=True)),
        ('{x} is "Male"', Compared("{x}", "is", "Male")),
        ("{{x}} is not {y}", Compared("{{x}}", "is", "{y}", is_negated=True)),
        ('{x} contains "a"', Compared("{x}", "contains", "a")),
        ('{x} does not contain "a"', Compared("{x}", "contains", "a", is_negated=True)),
        ("{x} is empty", Compared("{x}", "is empty")),
        ("{x} is given", Compared("{x}", "is empty", is_negated=True)),
        ("{x} is not empty", Compared("{x}", "is empty", is_negated=True)),
    ],
)
def test_a_condition_says(condition: str, expected: Visible | Compared) -> None:
    (inline,) = statements(f"If {condition}, press Tab")
    (block,) = statements(f"If {condition}:\n  Press Tab")
    (behind,) = statements(f"Press Tab if {condition}")

    for statement in (inline, block, behind):
        assert isinstance(statement, If)
        assert statement.condition == expected
        assert [inner.action for inner in statement.then if isinstance(inner, Do)] == [Press("tab")]


def shape(block: object) -> object:
    """A block without lines: actions, and nested lists for what is inside."""
    match block:
        case Do():
            return block.action
        case If():
            return ("if", shape(block.then), shape(block.otherwise))
        case ForEach():
            return ("each", shape(block.body))
        case _:
            return [shape(statement) for statement in block]  # type: ignore[attr-defined]


A, B, C = Press("a"), Press("b"), Press("c")


@pytest.mark.parametrize(
    "prompt",
    [
        'If "X" is visible:\n  Press a\n  Press b\nOtherwise:\n  Press c\nPress a',
        '1. If "X" is visible:\n   - Press a\n   - Press b\n2. Otherwise:\n   - Press c\n3. Press a',
        'If "X" is visible:\n- Press a\n- Press b\nElse:\n- Press c\nPress a',
        '<p>If "X" is visible:</p><ul><li>Press a</li><li>Press b</li></ul>'
        "<p>Otherwise: press c</p><p>Press a</p>",
        '<ol><li>If "X" is visible:<ol><li>Press a</li><li>Press b</li></ol></li><li>Otherwise press c</li>'
        "<li>Press a</li></ol>",
        'If "X" is visible, press a and press b, otherwise press c\nPress a',
    ],
)
def test_blocks_are_indentation_lists_or_one_line(prompt: str) -> None:
    assert shape(statements(prompt)) == [("if", [A, B], [C]), A]


def test_otherwise_if_is_a_chain() -> None:
    prompt = 'If "X" is visible, press a\nOtherwise if "Y" is visible:\n  Press b\nOtherwise:\n  Press c'

    assert shape(statements(prompt)) == [("if", [A], [("if", [B], [C])])]


def test_a_loop_names_its_items() -> None:
    each, bare, nameless, times = statements(
        "For each {p} in {ps.open}:\n  Press a\nFor every row in {{rows}}: press a\n"
        "For each of {ps}: press a\nRepeat 3 times: press a"
    )

    assert isinstance(each, ForEach)
    assert (each.source, each.item) == (
        Placeholder(Kind.INPUT, "ps", ("open",)),
        Placeholder(Kind.INPUT, "p"),
    )
    assert isinstance(bare, ForEach)
    assert (bare.source, bare.item) == (Placeholder(Kind.RUNTIME, "rows"), Placeholder(Kind.INPUT, "row"))
    assert isinstance(nameless, ForEach)
    assert nameless.item is None
    assert isinstance(times, ForEach)
    assert times.source == 3


def test_a_loop_goes_over_what_the_prompt_lists_or_as_often_as_a_value_says() -> None:
    listed, one, bracketed, counted = statements(
        'For each {p} in "Ann", {{who}} and \'Dr. {name}\': press a\nFor each p in "Ann":\n  Press a\n'
        'For each {p} in ["Ann", "Bob"]: press a\nRepeat {count} times: press a'
    )

    assert isinstance(listed, ForEach)
    assert listed.source == ("Ann", "{{who}}", "Dr. {name}")
    assert isinstance(one, ForEach)
    assert (one.source, one.item) == (("Ann",), Placeholder(Kind.INPUT, "p"))
    assert isinstance(bracketed, ForEach)
    assert bracketed.source == ("Ann", "Bob")
    assert isinstance(counted, ForEach)
    assert (counted.source, counted.item) == (Placeholder(Kind.INPUT, "count"), None)


@pytest.mark.parametrize("words", ["For each", "for every", "For all", "Repeat for each"])
@pytest.mark.parametrize("item", ["{p}", "{ p }", "p"])
@pytest.mark.parametrize("source", ["in {ps}", "of the {{ps}}", "in {ps[0].open}", 'in "A", "B"', "of ['A']"])
def test_what_a_loop_calls_its_item_is_no_input_of_the_prompt(words: str, item: str, source: str) -> None:
    prompt = f"{words} {item} {source}:\n  Type {{p.name}}"

    (loop,) = statements(prompt)

    assert isinstance(loop, ForEach)
    assert loop.item == Placeholder(Kind.INPUT, "p")
    assert "p" in variables(prompt).items


def test_comments_and_headings_are_no_steps() -> None:
    assert actions(
        "<h2>First</h2><p># x</p><p>Note: y</p><p>---</p><p>Steps:</p><ul><li>Press a</li></ul>"
    ) == [A]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('Clik "OK"', 'it is no step; did you mean: Click "OK"'),
        ("Click OK", 'labels stand in quotes: "OK"'),
        ("Click", 'it is no step; did you mean something like: Click "Search"'),
        ("Press Foo", "there is no key 'Foo'; keys look like Enter, Ctrl+S or Shift+Tab"),
        ('Click "OK', "a quotation mark is not closed"),
        ('Click ""', "a label between quotes is empty"),
        (
            'Click the "A" somewhere "B"',
            "'somewhere \"B\"' does not say where: "
            "right of, left of, below, above, inside, near, in the row of",
        ),
        (
            'Read the text right of "A"',
            "it is no step; did you mean something like: "
            'Read the text right of "DOB" as demographics.dateOfBirth',
        ),
        (
            'Read the text right of "A" as {x}',
            "{x} cannot take a value: write {{name}}, or a name of the output such as a.b",
        ),
        (
            'Read the text right of "A" as 1a',
            "'1a' is no name of an output; names look like demographics.dateOfBirth or rows[].id",
        ),
        ("Otherwise: press a", '"Otherwise" stands right after the steps of an "If"'),
        ('If "X" is visible:', "there are no steps inside it; indent them below"),
        ('If X is visible, click "A"', 'labels stand in quotes: "X"'),
        (
            "Navigate to patient chart and extract data",
            'it is no step; steps look like: Click "Search", Type {x} into "Name", Wait until "Done" appears',
        ),
    ],
)
def test_a_line_that_is_no_step_has_a_reason(line: str, reason: str) -> None:
    assert reasons(f"Press a\n{line}\n") == [(2, reason)]


def test_all_lines_that_are_no_steps_are_told_at_once() -> None:
    prompt = 'Foo\nPress a\n  Press b\nIf "X" is visible:\n  Bar\n  Press c\nBaz:\n  Qux'

    assert [number for number, _ in reasons(prompt)] == [1, 2, 5, 7, 8]


def test_a_picture_is_written_as_it_is_in_a_line() -> None:
    assert picture("a.png") in sentence_of(ReadTable(Picture("a.png"), Destination("t")))


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("Press Tab " + "9" * 5000 + " times", "a line has 1000 characters at most"),
        ('If "a" is visible, ' * 3000 + 'click "b"', "a line has 1000 characters at most"),
        ("Press Tab 999999999 times", "between 1 and 200 keys can be pressed in one step"),
        ("Wait 99999 seconds", "one step waits for 3600 seconds at most"),
        ('Click "a" within 99999 minutes', "one step waits for 3600 seconds at most"),
        ("\n".join(" " * level + 'If "a" is visible:' for level in range(500)), "inside more than 50 lines"),
    ],
)
def test_what_is_far_too_much_is_refused_at_once(prompt: str, reason: str) -> None:
    (refused,) = script_of(prompt).unreadable

    assert reason in refused.reason


def test_steps_inside_a_focused_action_are_a_prompt_of_their_own() -> None:
    (do,) = statements('Use focused_action:\n    - Click "OK"\n    - If "A" is visible:\n        - Press F5')

    assert isinstance(do, Do)
    assert isinstance(do.action, Focus)
    assert do.action.instruction == '- Click "OK"\n- If "A" is visible:\n    - Press F5'
    assert statements(do.action.instruction) == [
        statement if isinstance(statement, If) else Do(Click(OK), statement.line)  # type: ignore[union-attr]
        for statement in statements(do.action.instruction)
    ]


@pytest.mark.parametrize("written", ['Use focused_action to click "OK"', 'focused_action: click "OK"'])
def test_a_focused_action_may_stand_on_one_line(written: str) -> None:
    (action,) = actions(written)

    assert isinstance(action, Focus)
    assert actions(action.instruction) == [Click(OK)]


@pytest.mark.parametrize(
    ("prompt", "line", "told"),
    [
        ("Use focused_action:", 1, "there are no steps inside it; indent them below"),
        ('Use focused_action:\n  Clik "OK"', 2, 'it is no step; did you mean: Click "OK"'),
        (
            'Click "OK" in the background',
            1,
            "only what is read from the screen can be read in the background",
        ),
        (
            'Read the field "A" as {{a}} in the background',
            1,
            "{{a}} would have no value while the run goes on: what is read in the background goes into the "
            "output",
        ),
    ],
)
def test_what_cannot_be_live_or_in_the_background(prompt: str, line: int, told: str) -> None:
    assert reasons(prompt) == [(line, told)]


def test_a_reading_in_the_background() -> None:
    assert actions("Read the whole screen as notes (in the background)") == [
        ReadScreen(Destination("notes", in_background=True))
    ]
