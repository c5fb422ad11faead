"""The small parts: keys, values inside loops, programs, cursors and outputs."""

import json

import pytest
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.prompt_lines import Line
from cyberdesk_server.domain.prompts import Kind, Placeholder
from cyberdesk_server.executor.steps.cursor import Cursor
from cyberdesk_server.executor.steps.keys import chords, is_key
from cyberdesk_server.executor.steps.language import (
    Compared,
    Do,
    ForEach,
    If,
    Press,
    Script,
    Statement,
    Visible,
)
from cyberdesk_server.executor.steps.outputs import (
    OutputDoesNotFit,
    at_items,
    conflict,
    fitted,
    nested,
    segments,
)
from cyberdesk_server.executor.steps.program import Again, Branch, Enter, Jump, program_of
from cyberdesk_server.executor.steps.unreadable import NotReadable
from cyberdesk_server.executor.steps.values import NoItems, Values
from hypothesis import given
from hypothesis import strategies as st

LINE = Line(1, "x")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Enter", "enter"),
        ("the Return key", "enter"),
        ("Page Down", "pagedown"),
        ("ctrl+s", "ctrl+s"),
        ("Control + Alt + Delete", "ctrl+alt+delete"),
        ("Windows+R", "win+r"),
        ("F12", "f12"),
        ("Ctrl++", "ctrl++"),
        ("Alt", "alt"),
        ("Ctrl+C and then Ctrl+V", "ctrl+c ctrl+v"),
        ("Tab 2 times, Space", "tab tab space"),
    ],
)
def test_keys_are_written_as_chords(written: str, expected: str) -> None:
    assert chords(written) == expected


@pytest.mark.parametrize("written", ["Foo", "Ctrl+Foo", "Foo+S", "", "Tab 9999 times"])
def test_what_is_no_key_is_refused(written: str) -> None:
    with pytest.raises(NotReadable):
        chords(written)


def test_a_word_is_a_key_or_not() -> None:
    assert is_key("Enter")
    assert not is_key("Save")


def a_loop(source: str | int, item: str | None = "p") -> ForEach:
    placeholder = source if isinstance(source, int) else Placeholder(Kind.INPUT, source)
    return ForEach(placeholder, LINE, (), Placeholder(Kind.INPUT, item) if item else None)


INPUTS: dict[str, JsonValue] = {
    "ps": [{"n": "Ann", "v": ["a", "b"]}, {"n": "Bob", "v": []}],
    "count": 2,
    "text": '[{"n": "Eve"}, "x"]',
    "none": "__EMPTY__",
    "scalar": "abc",
}


def test_an_item_of_a_loop_is_a_place_in_its_list() -> None:
    values = Values.at(INPUTS, {}, [(a_loop("ps"), 1)])

    assert values.bound("{p.n} {{loop_item.n}} {other}") == "{ps[1].n} {ps[1].n} {other}"
    assert values.filled("{p.n}") == "Bob"


def test_loops_inside_loops_are_places_in_places() -> None:
    inner = ForEach(Placeholder(Kind.INPUT, "p", ("v",)), LINE, (), Placeholder(Kind.INPUT, "q"))
    values = Values.at(INPUTS, {}, [(a_loop("ps"), 0), (inner, 1)])

    assert values.bound("{q} of {p.n}") == "{ps[0].v[1]} of {ps[0].n}"
    assert values.filled("{q} of {p.n}") == "b of Ann"


def test_items_that_are_no_place_are_values() -> None:
    assert Values.at(INPUTS, {}, [(a_loop("count"), 1)]).bound("{p}") == "1"
    assert Values.at(INPUTS, {}, [(a_loop("text"), 0)]).bound("{p.n}") == "Eve"
    assert Values.at(INPUTS, {}, [(a_loop(3, None), 2)]).bound("{{loop_item}}") == "2"


@pytest.mark.parametrize(
    ("source", "count"), [("ps", 2), ("count", 2), ("text", 2), ("none", 0), ("absent", 0), (4, 4)]
)
def test_a_loop_knows_how_often(source: str | int, count: int) -> None:
    assert len(Values(INPUTS, {}, {}).items(a_loop(source))) == count


def test_a_text_is_no_list() -> None:
    with pytest.raises(NoItems, match=r"\{scalar\} is neither a list nor a whole number: abc"):
        Values(INPUTS, {}, {}).items(a_loop("scalar"))


@pytest.mark.parametrize(
    ("compared", "expected"),
    [
        (Compared("{scalar}", "is", " ABC "), True),
        (Compared("{scalar}", "is", "ab"), False),
        (Compared("{scalar}", "contains", "B"), True),
        (Compared("{scalar}", "is empty"), False),
        (Compared("{none}", "is empty"), True),
        (Compared("{absent.x}", "is empty"), True),
        (Compared("{count}", "is", "2", is_negated=True), False),
    ],
)
def test_values_are_compared(compared: Compared, expected: bool) -> None:
    assert Values(INPUTS, {}, {}).holds(compared) is expected


def test_secrets_are_empty_to_the_model() -> None:
    assert Values(INPUTS, {}, {}).filled("{$p}") == "__EMPTY__"


def do(key: str) -> Do:
    return Do(Press(key), LINE)


BLOCKS = st.recursive(
    st.lists(st.sampled_from("abc").map(do), max_size=3),
    lambda inner: st.lists(
        st.one_of(
            st.sampled_from("abc").map(do),
            st.builds(If, st.builds(Visible, st.just(())), st.just(LINE), inner, inner),
            st.builds(ForEach, st.integers(0, 2), st.just(LINE), inner),
        ),
        max_size=3,
    ),
    max_leaves=6,
)


@given(BLOCKS, st.booleans())
def test_a_program_does_what_its_blocks_say(block: list[Statement], holds: bool) -> None:
    def told(statements: object) -> list[str]:
        done: list[str] = []
        for statement in statements:  # type: ignore[attr-defined]
            match statement:
                case Do(action=Press(keys)):
                    done.append(keys)
                case If():
                    done += told(statement.then if holds else statement.otherwise)
                case ForEach(source=int() as count):
                    done += told(statement.body) * count
        return done

    program = program_of(Script(block))
    done: list[str] = []
    position = 0
    items: list[int] = []
    while position < len(program):
        match program[position]:
            case Do(action=Press(keys)):
                done.append(keys)
                position += 1
            case Branch() as branch:
                position = position + 1 if holds else branch.otherwise
            case Jump(to):
                position = to
            case Enter(loop, end):
                assert isinstance(loop.source, int)
                items = [*items, 0] if loop.source else items
                position = position + 1 if loop.source else end
            case Again(enter):
                opening = program[enter]
                assert isinstance(opening, Enter)
                assert isinstance(opening.loop.source, int)
                *outer, item = items
                is_over = item + 1 >= opening.loop.source
                items = outer if is_over else [*outer, item + 1]
                position = position + 1 if is_over else enter + 1
    assert done == told(block)
    assert items == []


@given(st.builds(Cursor, st.integers(0), st.lists(st.integers(0)).map(tuple), st.integers(0), st.integers(1)))
def test_a_cursor_comes_back_from_its_memo(cursor: Cursor) -> None:
    assert Cursor.of(cursor.memo) == cursor


def test_values_become_one_object() -> None:
    values: list[tuple[str, JsonValue]] = [
        ("a.b", "1"),
        ("rows[0].x", 1),
        ("rows[2].x", 3),
        ("rows[2].y", [4]),
        ("a.b", "2"),
        ("m[1][0]", "deep"),
    ]

    assert nested(values) == {"a": {"b": "2"}, "rows": [{"x": 1}, {"x": 3, "y": [4]}], "m": [["deep"]]}


NAMES = st.sampled_from("abc")
PATHS = st.lists(st.one_of(NAMES.map(lambda name: f".{name}"), st.just("[0]")), max_size=3).flatmap(
    lambda rest: NAMES.map(lambda name: name + "".join(rest))
)


@given(st.lists(PATHS, min_size=1, max_size=4, unique=True))
def test_paths_without_a_conflict_keep_all_their_values(paths: list[str]) -> None:
    def at(output: object, path: str) -> object:
        for segment in segments(path):
            output = output[segment]  # type: ignore[index]
        return output

    output = nested((path, number) for number, path in enumerate(paths))

    kept = all(_has(output, path, number, at) for number, path in enumerate(paths))
    assert kept == (conflict(paths) is None)


def _has(output: object, path: str, number: int, at: object) -> bool:
    try:
        return bool(at(output, path) == number)  # type: ignore[operator]
    except (KeyError, IndexError, TypeError):
        return False


def test_items_of_loops_fill_brackets_from_the_outside() -> None:
    assert at_items("a[].b[].c", [3, 1]) == "a[3].b[1].c"
    assert at_items("a[].b", [3, 1]) == "a[3].b"


def a_schema(**properties: object) -> str:
    return json.dumps({"type": "object", "properties": properties, "required": list(properties)})


def test_texts_become_what_the_schema_asks_for() -> None:
    schema = a_schema(
        pulse={"type": "integer"},
        price={"type": "number"},
        open={"type": "boolean"},
        note={"type": ["string", "null"]},
        end={"type": ["number", "null"]},
        rows={"type": "array", "items": {"type": "object", "properties": {"n": {"type": "number"}}}},
    )
    read: dict[str, JsonValue] = {
        "pulse": "72",
        "price": "1,234.50",
        "open": "yes",
        "note": "7",
        "end": "",
        "rows": [{"n": "36.8"}],
    }

    assert fitted(read, schema) == {
        "pulse": 72, "price": 1234.5, "open": True, "note": "7", "end": None, "rows": [{"n": 36.8}],
    }  # fmt: skip


def test_an_output_that_does_not_fit_says_where() -> None:
    with pytest.raises(OutputDoesNotFit, match=r"\$\.pulse: 'high' is not of type 'integer'") as caught:
        fitted({"pulse": "high"}, a_schema(pulse={"type": "integer"}))

    assert caught.value.output == {"pulse": "high"}


def test_a_schema_is_never_fetched() -> None:
    schema = json.dumps({"$ref": "https://schemas.example/patient.json"})

    with pytest.raises(OutputDoesNotFit, match=r"refers to something unknown: https://schemas\.example"):
        fitted({"name": "1"}, schema)


def test_a_schema_that_never_ends_is_told() -> None:
    with pytest.raises(OutputDoesNotFit, match="it is nested too deeply"):
        fitted({"name": "1"}, json.dumps({"$ref": "#"}))


@pytest.mark.parametrize("schema", [None, "", "not json", '{"name": "string"}', "[1]"])
def test_what_is_no_json_schema_changes_nothing(schema: str | None) -> None:
    assert fitted({"name": "1"}, schema) == {"name": "1"}
