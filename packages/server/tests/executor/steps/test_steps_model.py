"""Following a prompt: what is done in which order, what is waited for, and how it ends."""

from collections.abc import Callable, Sequence

import pytest
from cyberdesk_server.domain.geometry import Point, Size
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.executor.steps.model import StepsModel
from cyberdesk_server.executor.steps.outputs import OutputDoesNotFit
from cyberdesk_server.ports import ModelError
from cyberdesk_server.testing.prompts import a_task, follow
from cyberdesk_server.testing.screens import Canvas, is_about
from hypothesis import given, settings
from hypothesis import strategies as st


def form(*, message: str = "", rows: Sequence[str] = ("Ann", "Bob")) -> Screenshot:
    canvas = Canvas(800, 500)
    canvas.text(20, 20, "Patient ID")
    canvas.field(140, 16)
    canvas.button(20, 60, "Search")
    canvas.button(160, 60, "Cancel")
    for number, name in enumerate(rows):
        canvas.text(20, 120 + number * 40, name)
        canvas.text(140, 120 + number * 40, f"2026-0{number + 1}-15")
        canvas.button(300, 114 + number * 40, "Open")
    canvas.text(20, 460, message)
    return canvas.screenshot()


def still(screenshot: Screenshot) -> Callable[[Sequence[ToolCall]], Screenshot]:
    return lambda calls: screenshot


def tools(calls: Sequence[ToolCall]) -> list[str]:
    return [call.tool for call in calls]


async def test_typing_into_a_field_is_a_click_and_then_the_text() -> None:
    followed = await follow(a_task('Type {x} into "Patient ID"', {"x": "12345"}), still(form()))

    click, typed = followed.calls
    assert click.target is not None
    assert is_about(click.target, Point(260, 28))
    assert typed == ToolCall("type", {"text": "{x}"})
    assert {step.turn for step in followed.history} == {1}
    assert followed.error is None


async def test_no_value_is_in_any_call() -> None:
    task = a_task(
        'Click "{x}"\nType {x} into "Patient ID"\nType {$p}\nRead the text right of "{x}" as a',
        {"x": "Bob"},
        secret_names=frozenset({"p"}),
    )

    followed = await follow(task, still(form()))

    assert followed.error is None
    assert "Bob" not in repr([call.arguments for call in followed.calls])


async def test_readings_in_a_row_are_one_turn() -> None:
    prompt = 'Read the text right of "Ann" as ann\nRead the text right of "Bob" as bob\nClick "Search"'

    followed = await follow(a_task(prompt), still(form()))

    assert [(step.turn, step.call.tool) for step in followed.history] == [
        (1, "screenshot"),
        (1, "screenshot"),
        (2, "click"),
    ]
    assert followed.output == {"ann": "2026-01-15", "bob": "2026-02-15"}


async def test_a_label_that_is_not_there_yet_is_waited_for() -> None:
    def screen(calls: Sequence[ToolCall]) -> Screenshot:
        return form(rows=("Ann", "Bob") if calls else ())

    followed = await follow(a_task('Click "Bob"'), screen)

    assert followed.error is None
    assert followed.calls[0] == ToolCall("wait", {"until_text": ["Bob"], "timeout_seconds": 10.0})
    assert tools(followed.calls) == ["wait", "click"]


async def test_a_label_that_never_comes_ends_the_run_with_what_is_nearest() -> None:
    followed = await follow(a_task('Click "Serch" within 3 seconds'), still(form()))

    assert tools(followed.calls) == ["wait"]
    assert followed.error == (
        'line 1 (Click "Serch" within 3 seconds): "Serch" is not on the screen; '
        'the nearest to it is "Search" (waited 3 seconds)'
    )


async def test_the_right_one_of_several_may_come_later() -> None:
    def screen(calls: Sequence[ToolCall]) -> Screenshot:
        return form(rows=("Ann", "Bob")[: 1 + len(calls)])

    followed = await follow(a_task('Click the second "Open"'), screen)

    assert [call.arguments for call in followed.calls[:1]] == [{"seconds": 1.0}]
    assert tools(followed.calls) == ["wait", "click"]


async def test_too_few_of_several_are_counted_in_the_error() -> None:
    followed = await follow(a_task('Click the third "Open" within 1 second'), still(form()))

    assert followed.error is not None
    assert 'the third "Open" is not on the screen, which has only 2 of them' in followed.error


async def test_an_optional_step_is_passed_over() -> None:
    followed = await follow(a_task('Click "Later" (optional)\nClick "Search"'), still(form()))

    assert tools(followed.calls) == ["click"]
    assert followed.error is None


async def test_an_optional_step_may_fail() -> None:
    def fails(call: ToolCall) -> str | None:
        return "the desktop answered 500" if call.tool == "key" else None

    followed = await follow(a_task('Press F5 (optional)\nClick "Search"'), still(form()), fails=fails)

    assert tools(followed.calls) == ["key", "click"]
    assert followed.error is None


async def test_a_step_that_fails_ends_the_run_with_its_line() -> None:
    def fails(call: ToolCall) -> str | None:
        return "the desktop answered 500" if call.tool == "key" else None

    followed = await follow(a_task('Click "Search"\nPress F5\nClick "Cancel"'), still(form()), fails=fails)

    assert tools(followed.calls) == ["click", "key"]
    assert followed.error == "line 2 (Press F5): the desktop answered 500"


async def test_of_several_readings_the_one_that_fails_is_named() -> None:
    def fails(call: ToolCall) -> str | None:
        return "unreadable" if "Bob" in str(call.arguments) else None

    prompt = (
        'Read the text right of "Ann" as a\nRead the text right of "Bob" as b{}\nRead the whole screen as c'
    )
    strict = await follow(a_task(prompt.format("")), still(form()), fails=fails)
    lenient = await follow(a_task(prompt.format(" (optional)")), still(form()), fails=fails)

    assert strict.error == 'line 2 (Read the text right of "Bob" as b): unreadable'
    assert lenient.error is None
    assert sorted(lenient.output or {}) == ["a", "c"]


async def test_waiting_for_a_text_that_comes() -> None:
    def screen(calls: Sequence[ToolCall]) -> Screenshot:
        return form(message="Ready" if calls else "Loading")

    followed = await follow(a_task('Wait until "Ready" or "Failed" appears\nPress Tab'), screen)

    assert followed.calls == [
        ToolCall("wait", {"until_text": ["Ready", "Failed"], "timeout_seconds": 30.0}),
        ToolCall("key", {"keys": "tab"}),
    ]


async def test_waiting_for_a_text_that_goes() -> None:
    def screen(calls: Sequence[ToolCall]) -> Screenshot:
        return form(message="" if calls else "Loading")

    followed = await follow(a_task('Wait until "Loading" disappears, up to 5 seconds\nPress Tab'), screen)

    assert followed.calls[0] == ToolCall("wait", {"until_gone": ["Loading"], "timeout_seconds": 5.0})
    assert tools(followed.calls) == ["wait", "key"]


async def test_waiting_in_vain_ends_the_run() -> None:
    task = a_task('Wait until "Redy" appears, up to 5 seconds')

    followed = await follow(task, still(form(message="Ready")))

    assert followed.error == (
        'line 1 (Wait until "Redy" appears, up to 5 seconds): "Redy" did not appear within 5 seconds; '
        'the nearest to it is "Ready"'
    )


async def test_a_text_that_came_and_went_was_seen() -> None:
    seen: list[int] = []

    def flashing(calls: Sequence[ToolCall]) -> Screenshot:
        seen.append(len(calls))
        return form(message="Saved" if seen.count(1) == 1 and len(calls) == 1 else "")

    followed = await follow(a_task('Wait until "Saved" appears\nPress Tab'), flashing)

    assert tools(followed.calls) == ["wait", "key"]


async def test_a_table_can_be_gone_through() -> None:
    canvas = Canvas(700, 300)
    canvas.text(20, 20, "Orders", is_bold=True)
    canvas.table(20, 50, (("Item", 200), ("Price", 200)), (("Pen", "3"), ("Ink", "12")))
    prompt = (
        'Read the table under "Orders" as orders and as {{rows}}\n'
        "For each {{row}} in {{rows}}:\n"
        '  If {{row.Item}} is "Ink", type {{row.Price}}\n'
        '  Double-click "{{row.Item}}"'
    )

    followed = await follow(a_task(prompt), still(canvas.screenshot()))

    assert followed.error is None
    assert tools(followed.calls) == ["screenshot", "click", "type", "click"]
    assert followed.calls[2].arguments == {"text": "{{rows[1].Price}}"}
    assert followed.output == {"orders": [{"Item": "Pen", "Price": "3"}, {"Item": "Ink", "Price": "12"}]}


async def test_a_list_without_items_is_passed_over() -> None:
    followed = await follow(a_task('For each {p} in {ps}: click "{p}"\nPress Tab', {"ps": []}), still(form()))

    assert tools(followed.calls) == ["key"]


async def test_a_loop_over_what_is_no_list_ends_the_run() -> None:
    followed = await follow(a_task("For each {p} in {ps}: press Tab", {"ps": "abc"}), still(form()))

    assert followed.error == (
        "line 1 (For each {p} in {ps}: press Tab): {ps} is neither a list nor a whole number: abc"
    )


async def test_a_loop_goes_over_what_the_prompt_lists() -> None:
    prompt = 'For each {p} in "1e3", {name}, "no. {number}": type {p}\nFor each {p} in {a}, {b}: type {p.age}'

    task = a_task(prompt, {"name": "Ann", "number": 1, "a": {"age": 7}, "b": {}})
    followed = await follow(task, still(form()))

    typed = [call.arguments["text"] for call in followed.calls]
    assert typed == ["1e3", "{name}", "no. 1", "{a.age}", "{b.age}"]


@pytest.mark.parametrize(("count", "rounds"), [(2, 2), ("3", 3), (0, 0), (-1, 0), ("", 0), (None, 0)])
async def test_a_value_says_how_often(count: JsonValue, rounds: int) -> None:
    prompt = "Repeat {count} times: press Tab\nPress Enter"

    followed = await follow(a_task(prompt, {"count": count}), still(form()))

    assert [call.arguments["keys"] for call in followed.calls] == ["tab"] * rounds + ["enter"]


async def test_a_path_into_a_text_ends_the_run() -> None:
    followed = await follow(a_task('Click "{x.y}"', {"x": "abc"}), still(form()))

    assert followed.error == 'line 1 (Click "{x.y}"): {x.y} goes into a text, which has no parts'


async def test_an_empty_label_is_not_looked_for() -> None:
    followed = await follow(a_task('Click "{x}"', {"x": "__EMPTY__"}), still(form()))

    assert followed.error == 'line 1 (Click "{x}"): there is nothing to look for: {x} is empty'


async def test_setting_a_field_to_nothing_leaves_it_as_it_is() -> None:
    followed = await follow(a_task('Set "Patient ID" to {x}', {"x": "__EMPTY__"}), still(form()))

    assert followed.calls[-1] == ToolCall("type", {"text": "{x}"})


async def test_failing_ends_the_run_at_once() -> None:
    prompt = 'If "No patient found" is visible, fail with "no {x}"\nClick "Search"'

    followed = await follow(a_task(prompt, {"x": "1"}), still(form(message="No patient found")))

    assert followed.calls == [ToolCall("declare_task_failed", {"reason": "no {x}"})]


async def test_a_point_outside_the_screen_is_told() -> None:
    followed = await follow(a_task("Click at 900, 10 within 1 second"), still(form()))

    assert followed.error is not None
    assert "900, 10 is outside the screen of 800x500" in followed.error


PROMPT = """
Click "Search"
For each {p} in {ps}:
  Type {p} into "Patient ID"
  If "{p}" is visible:
    Read the text right of "{p}" as visits[].date and as {{date}}
    Type {{date}}
  Otherwise: press Tab
Wait for "Ready"
Read the text right of "Bob" as bob
"""


@pytest.mark.slow
@settings(max_examples=3)
@given(st.lists(st.sampled_from(["Ann", "Bob", "Eve"]), max_size=3))
async def test_any_worker_can_go_on_from_the_journal(names: list[str]) -> None:
    def screen(calls: Sequence[ToolCall]) -> Screenshot:
        return form(message="Ready" if any(call.tool == "wait" for call in calls) else "")

    task = a_task(PROMPT, {"ps": names})

    together = await follow(task, screen)
    apart = await follow(task, screen, new_worker_each_turn=True)

    assert together.error is None
    assert apart == together
    dates = {"Ann": "2026-01-15", "Bob": "2026-02-15"}
    visits = [{"date": dates[name]} for name in names if name in dates]
    assert together.output == {**({"visits": visits} if visits else {}), "bob": "2026-02-15"}


async def test_a_reading_can_be_asked_for_alone() -> None:
    task = a_task("Press Tab", {"who": "Bob"})

    observation = await StepsModel().extract('Read the text right of "{who}" as date', task, form())

    assert observation.output == {"date": "2026-02-15"}
    assert observation.text == "2026-02-15"


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("What is the patient's name?", 'cannot read "What is the patient\'s name?" from a screen'),
        ('Click "Search"', "it does not ask for anything to be read"),
        ('Read the text right of "Eve" as x', '"Eve" is not on the screen'),
        ('Read the table under "Cancel" as x', 'there are no column headings under "Cancel"'),
    ],
)
async def test_what_cannot_be_read_is_told(instruction: str, reason: str) -> None:
    with pytest.raises(ModelError) as caught:
        await StepsModel().extract(instruction, a_task("Press Tab"), form(rows=()))

    assert reason in str(caught.value)
    assert not caught.value.is_retryable


async def test_the_output_fits_its_schema_or_says_why() -> None:
    prompt = 'Read the text right of "Ann" as date\nCheck whether "Bob" is visible as has.bob'
    schema = '{"type": "object", "properties": {"date": {"type": "%s"}}, "required": ["date"]}'

    followed = await follow(a_task(prompt, output_schema=schema % "string"), still(form()))
    model, history = StepsModel(), tuple(followed.history)

    assert followed.output == {"date": "2026-01-15", "has": {"bob": True}}
    with pytest.raises(OutputDoesNotFit):
        await model.conclude(a_task(prompt, output_schema=schema % "integer"), history, {})


async def test_what_nothing_was_read_for_has_no_output() -> None:
    followed = await follow(a_task('Click "Search"'), still(form()))

    assert followed.output is None


async def test_a_screenshot_that_is_no_picture_is_told() -> None:
    broken = Screenshot(b"\x89PNG", Size(10, 10), "0")

    with pytest.raises(ModelError, match="the screenshot cannot be read"):
        await StepsModel().next_turn(a_task('Click "A"'), (), {}, broken)


@pytest.mark.parametrize(
    "prompt", ['Click "Search"', 'If "Ann" is visible:\n  Click "Search"\nOtherwise: press Tab']
)
async def test_behind_the_last_sentence_no_screen_is_needed(prompt: str) -> None:
    task = a_task(prompt)
    followed = await follow(task, still(form()))
    model = StepsModel()

    finished = [model.has_finished(task, followed.history[:steps]) for steps in (0, 1)]

    assert finished == [False, True]


async def test_a_last_sentence_that_failed_has_not_finished() -> None:
    task = a_task('Click "Search"')

    followed = await follow(task, still(form()), fails=lambda call: "refused")

    assert not StepsModel().has_finished(task, followed.history)
