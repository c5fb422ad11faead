"""What a prompt says: variables, and texts with values in them."""

import json

import pytest
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.prompts import (
    EMPTY,
    LOOP_ITEM,
    Kind,
    PathError,
    Placeholder,
    Variables,
    escape,
    fill,
    fill_secrets,
    parts,
    template,
    variables,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True)
SEGMENTS = st.one_of(NAMES, st.integers(0, 20), st.text(alphabet="ab -./{}$", min_size=1, max_size=5))
PLACEHOLDERS = st.builds(Placeholder, st.sampled_from(Kind), NAMES, st.lists(SEGMENTS, max_size=3).map(tuple))
TRICKY_TEXT = st.text(alphabet="ab{}$\\ .x['\"]0", max_size=20)


@given(TRICKY_TEXT)
def test_an_escaped_text_says_itself(text: str) -> None:
    written = fill_secrets(fill(escape(text), {"a": 1, "x": 2}, {"a": 3}), {"a": 4})

    assert written == text


@given(st.lists(st.one_of(TRICKY_TEXT, PLACEHOLDERS), max_size=6))
def test_a_template_is_read_back_as_its_parts(pieces: list[str | Placeholder]) -> None:
    read = parts("".join(str(piece) for piece in pieces))

    assert parts(template(read)) == read


@given(TRICKY_TEXT, TRICKY_TEXT)
def test_no_input_can_ask_for_a_secret(value: str, after: str) -> None:
    filled = fill("{v}" + escape(after), {"v": value}, {})

    assert fill_secrets(filled, {"a": "SECRET", "x": "SECRET"}) == value + after


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner)))
def test_a_value_is_typed_as_itself_or_as_json(value: object) -> None:
    filled = fill_secrets(fill("{v}", {"v": value}, {}), {})  # type: ignore[dict-item]

    if value is None:
        assert filled == EMPTY
    elif isinstance(value, str):
        assert filled == value
    else:
        assert json.loads(filled) == value


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{a.b}", "deep"),
        ("{ a.b }", "deep"),
        ("{list[1]}", "two"),
        ("{list.1}", "two"),
        ("{a['k-x']}", "dash"),
        ('{a["Content-Type"]}', "text/html"),
        ("{a.list[0].k}", "v"),
        ("{a['list'][0][\"k\"]}", "v"),
        ("{{run.x}}", "7"),
        ("{{run}}", '{"x": 7}'),
        ("{missing}", EMPTY),
        ("{a.missing.deeper}", EMPTY),
        ("{list[9]}", EMPTY),
        ("{list['²']}", EMPTY),
        (f"{{list.{'9' * 5000}}}", EMPTY),
        (f"{{list[{'9' * 5000}]}}", f"{{list[{'9' * 5000}]}}"),
        ("{none.below}", EMPTY),
        ("{empty.below[3]}", EMPTY),
        ("{text}", "é\n"),
        (r"\{a.b}", "{a.b}"),
        (r"\{{run}}", "{{run}}"),
        (r"C:\\{a.b}", r"C:\deep"),
        (r"C:\folder", r"C:\folder"),
        ('{"json": 1}', '{"json": 1}'),
        ("{}", "{}"),
        ("{$p}", "s3cret"),
        (r"\{$p}", "{$p}"),
        ("{$deep.pin[0]}", "1"),
        ("{$missing}", EMPTY),
        ("{slash}{$p}", "C:\\s3cret"),
    ],
)
def test_variables_are_filled_in(written: str, expected: str) -> None:
    inputs: dict[str, JsonValue] = {
        "a": {"b": "deep", "k-x": "dash", "Content-Type": "text/html", "list": [{"k": "v"}]},
        "list": ["one", "two"],
        "none": None,
        "empty": EMPTY,
        "text": "é\n",
        "slash": "C:\\",
    }

    filled = fill(written, inputs, {"run": {"x": 7}})

    assert fill_secrets(filled, {"p": "s3cret", "deep": {"pin": [1, 2]}}) == expected


@pytest.mark.parametrize("value", ["hello", 3, True])
def test_a_path_into_something_without_parts_is_an_error(value: object) -> None:
    with pytest.raises(PathError, match=r"\{v\.part\} goes into"):
        fill("{v.part}", {"v": value}, {})  # type: ignore[dict-item]


def test_an_error_about_a_secret_does_not_tell_it() -> None:
    with pytest.raises(PathError) as caught:
        fill_secrets("{$p.part}", {"p": "hunter2"})

    assert "hunter2" not in str(caught.value)


def test_secrets_stay_open_until_the_last_moment() -> None:
    assert fill("{user}: {$password}", {"user": "ann", "password": "wrong"}, {}) == "ann: {$password}"


def test_the_names_of_a_prompt_are_found() -> None:
    prompt = (
        r"<p>Log in to {site.url} as {user} with {$login['pass']}</p><p>Type {{order_id}} \{not} {{a.b}}</p>"
    )

    assert variables(prompt) == Variables(
        inputs=frozenset({"site", "user"}),
        runtime=frozenset({"order_id", "a"}),
        secrets=frozenset({"login"}),
        items=frozenset({LOOP_ITEM}),
    )


@pytest.mark.parametrize(
    ("loop", "item"),
    [
        ("For each {patient} in {patients}:", "patient"),
        ("1. For every { patient } of the {patients.open}", "patient"),
        ("Repeat for each patient in {{patients}}:", "patient"),
        ("For all patient_id in the {ids}, press Tab", "patient_id"),
    ],
)
def test_a_loop_names_its_item(loop: str, item: str) -> None:
    assert variables(loop).items == {item, LOOP_ITEM}


def test_quotes_written_as_html_entities_are_quotes() -> None:
    assert variables("<p>{a[&#39;b c&#39;]} {x[&quot;y&quot;]}</p>").inputs == {"a", "x"}
