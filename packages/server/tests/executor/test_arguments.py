"""Arguments of tools: what a model sends becomes a dataclass, or a sentence it can act on."""

from dataclasses import asdict
from typing import Any

import jsonschema
import pytest
from cyberdesk_server.domain.actions import Button
from cyberdesk_server.executor.arguments import parse, schema
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools import TOOLS, specs
from cyberdesk_server.executor.tools.mouse import ClickArguments, ScrollArguments
from cyberdesk_server.executor.tools.reading import SaveArguments
from cyberdesk_server.executor.tools.waiting import WaitArguments
from hypothesis import given
from hypothesis import strategies as st

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


def test_what_was_left_out_has_its_default() -> None:
    assert parse(ClickArguments, {"x": 1, "y": 2, "button": None}) == ClickArguments(1, 2, Button.LEFT, 1)


def test_a_number_may_come_out_of_a_variable_as_text() -> None:
    assert parse(WaitArguments, {"seconds": "2.5"}).seconds == 2.5
    assert parse(ClickArguments, {"x": "10", "y": 2.0}) == ClickArguments(10, 2)


def test_one_text_is_a_list_of_one() -> None:
    assert parse(WaitArguments, {"until_text": "Chart"}).until_text == ("Chart",)


@pytest.mark.parametrize(
    ("arguments", "sent", "complaint"),
    [
        (ClickArguments, {"x": 1}, "the argument `y` is missing"),
        (ClickArguments, {"x": 1, "y": 1.5}, "`y` must be a whole number"),
        (ClickArguments, {"x": 1, "y": True}, "`y` must be a whole number"),
        (ClickArguments, {"x": 1, "y": float("inf")}, "`y` must be a whole number"),
        (ClickArguments, {"x": 1, "y": -1}, "`y` is -1, not between 0 and 65535"),
        (ClickArguments, {"x": 1, "y": 2, "clicks": 4}, "`clicks` is 4, not between 1 and 3"),
        (ClickArguments, {"x": 1, "y": 2, "button": "top"}, "`button` must be one of: left, middle, right"),
        (
            ScrollArguments,
            {"x": 1, "y": 2, "direction": 3},
            "`direction` must be one of: up, down",
        ),
        (
            SaveArguments,
            {"filename": "a", "zoom_bounding_box": [1, 2]},
            "`zoom_bounding_box` must have 4 items",
        ),
        (WaitArguments, {"second": 1}, "there is no argument `second`; there are: seconds, until_text,"),
    ],
)
def test_what_is_wrong_is_named(arguments: type, sent: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ToolFailed) as failure:
        parse(arguments, sent)

    assert str(failure.value).startswith(complaint)


@given(st.sampled_from(sorted(TOOLS)), st.data())
def test_no_arguments_at_all_raise_anything_but_a_tool_failure(name: str, data: st.DataObject) -> None:
    arguments = TOOLS[name].arguments
    sent = data.draw(st.dictionaries(st.sampled_from(sorted(schema(arguments)["properties"])), ANYTHING))  # type: ignore[call-overload, index, arg-type]

    try:
        parse(arguments, sent)
    except ToolFailed:
        return


@pytest.mark.parametrize("name", sorted(TOOLS))
def test_every_tool_describes_its_arguments_as_json_schema(name: str) -> None:
    described = TOOLS[name].spec

    jsonschema.Draft202012Validator.check_schema(described.parameters)
    assert described.description


def test_a_schema_accepts_what_the_parser_accepts() -> None:
    click = asdict(ClickArguments(1, 2))

    jsonschema.validate(click, schema(ClickArguments))


def test_the_tools_have_the_names_of_the_product() -> None:
    assert {spec.name for spec in specs(None, includes_file_exports=True)} == {
        "click",
        "copy_to_clipboard",
        "focused_action",
        "start_loop",
        "end_loop_iteration",
        "declare_task_failed",
        "declare_task_succeeded",
        "drag",
        "execute_terminal_command",
        "key",
        "mark_file_for_export",
        "move",
        "save_screenshot_as_run_attachment",
        "screenshot",
        "scroll",
        "type",
        "upsert_runtime_values",
        "wait",
    }
