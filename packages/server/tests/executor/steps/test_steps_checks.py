"""What is told before the first action."""

from dataclasses import replace

import pytest
from cyberdesk_server.domain.tasks import Refusal, Task
from cyberdesk_server.executor.steps.model import StepsModel
from cyberdesk_server.executor.tools import specs
from cyberdesk_server.testing.prompts import a_task
from cyberdesk_server.testing.screens import Canvas

INPUTS = {"x": "1", "list": ["a"]}


def refused(prompt: str, task: Task | None = None) -> list[str]:
    return [
        str(refusal)
        for refusal in StepsModel().check(task or a_task(prompt, INPUTS, secret_names=frozenset({"p"})))
    ]


@pytest.mark.parametrize(
    "prompt",
    [
        'Click "{x}"\nType {$p} into "Password"',
        'Read the text right of "A" as {{a}}\nType {{a}}',
        'For each {item} in {list}:\n  Click "{item}"\n  Click "{{loop_item}}"',
        'For each {item} in {list}: read the text right of "{item}" as rows[].value',
        'If "A" is visible, read the text right of "A" as a, otherwise read the text right of "B" as a',
        'Type "\\{y}"',
        'Use focused_action:\n  Remember "1" as {{a}}\nType {{a}}',
    ],
)
def test_a_prompt_that_can_be_followed_is_not_refused(prompt: str) -> None:
    assert refused(prompt) == []


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("Use focused_action:\n  Type {y}", "line 2 (Type {y}): {y} has no value: give it in input_values"),
        ('Click "A"\n\nClik "B"', 'line 3 (Clik "B"): it is no step; did you mean: Click "B"'),
        ("Type {y}", "line 1 (Type {y}): {y} has no value: give it in input_values"),
        ("Type {$q}", "line 1 (Type {$q}): {$q} has no value: give it in sensitive_input_values"),
        ("Type {{y}}", "line 1 (Type {{y}}): {{y}} is not set by any step before this one"),
        ('Click "{$p}"', 'line 1 (Click "{$p}"): {$p} is a secret: it can be typed, and used nowhere else'),
        (
            'Run the command "echo {$p}"',
            'line 1 (Run the command "echo {$p}"): {$p} is a secret: it can be typed, and used nowhere else',
        ),
        (
            "If {y} is empty, press Tab",
            "line 1 (If {y} is empty, press Tab): {y} has no value: give it in input_values",
        ),
        (
            "For each {i} in {ys}: press Tab",
            "line 1 (For each {i} in {ys}: press Tab): {ys} has no value: give it in input_values",
        ),
        (
            'For each {i} in "a", {$p}: press Tab',
            'line 1 (For each {i} in "a", {$p}: press Tab): '
            "{$p} is a secret: it can be typed, and used nowhere else",
        ),
        (
            "Repeat {n} times: press Tab",
            "line 1 (Repeat {n} times: press Tab): {n} has no value: give it in input_values",
        ),
        (
            'Read the text right of "A" as rows[].a',
            'line 1 (Read the text right of "A" as rows[].a): '
            "rows[].a has more [] than there are loops around it; each [] is one For each",
        ),
        (
            'Read the text right of "A" as a\nRead the text right of "A" as a.b',
            'line 2 (Read the text right of "A" as a.b): the output cannot hold both a and a.b',
        ),
        (
            'Click <img src="gone.png">',
            'line 1 (Click <img "gone.png">): the picture gone.png cannot be loaded',
        ),
        ("", "the prompt holds no steps"),
        ("# only a comment", "the prompt holds no steps"),
    ],
)
def test_a_prompt_that_cannot_be_followed_is_refused(prompt: str, reason: str) -> None:
    assert refused(prompt) == [reason]


def test_an_item_is_known_inside_its_loop_only() -> None:
    assert refused('For each {i} in {list}: click "{i}"\nClick "{i}"') == [
        'line 2 (Click "{i}"): {i} has no value: give it in input_values'
    ]


def test_pictures_must_show_something() -> None:
    prompt = 'Click <img src="flat.png">\nClick <img src="broken.png">'
    flat = Canvas(20, 20).screenshot().png

    assert refused(prompt, a_task(prompt, pictures={"flat.png": flat, "broken.png": b"no"})) == [
        'line 1 (Click <img "flat.png">): '
        "the picture flat.png shows one colour only and cannot be found on a screen",
        'line 2 (Click <img "broken.png">): '
        "the picture broken.png cannot be read: not a PNG, JPEG, GIF or WebP picture",
    ]


def test_refusals_come_in_the_order_of_the_lines() -> None:
    refusals = StepsModel().check(a_task("Type {b}\nFoo\nType {a}"))

    assert [refusal.line for refusal in refusals] == [1, 2, 3]
    assert all(isinstance(refusal, Refusal) and refusal.text for refusal in refusals)


def test_an_export_is_refused_unless_the_workflow_includes_some() -> None:
    prompt = 'Export the file "~/report.pdf"'

    assert refused(prompt) == []
    assert refused(prompt, replace(a_task(prompt), tools=specs(None))) == [
        f"line 1 ({prompt}): the workflow does not include file exports: set includes_file_exports"
    ]
