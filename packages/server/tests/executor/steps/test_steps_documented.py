"""Every example of docs/reference/steps.md: read, checked, and followed on the window of that page."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from cyberdesk_server.domain.geometry import Box, Point
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.steps import ToolCall
from cyberdesk_server.executor.steps.script import script_of
from cyberdesk_server.executor.steps.sentences import SENTENCES
from cyberdesk_server.testing.prompts import a_task, follow
from cyberdesk_server.testing.screens import NAVY, Canvas, screenshot_of

PAGE = Path(__file__).parents[5] / "docs" / "reference" / "steps.md"
INPUTS: Mapping[str, JsonValue] = {
    "patient_id": "12345",
    "patient": {"name": "Smith, Ann", "visits": ["2026-02-24"]},
    "names": ["Smith, Ann", "Jones, Bob"],
    "times": 2,
    "sex": "Male",
    "middle_name": "__EMPTY__",
}
CLIPBOARD = "A-17"


@dataclass(frozen=True)
class Example:
    """One fenced block of steps, with what the page says comes of it."""

    heading: str
    prompt: str
    calls: list[str] | None
    output: JsonValue


def examples() -> list[Example]:
    found: list[Example] = []
    heading = ""
    blocks = re.finditer(
        r"^#+ (?P<heading>[^\n]+)$|^```(?P<kind>\w+)\n(?P<body>.*?)^```$", PAGE.read_text(), re.M | re.S
    )
    for block in blocks:
        kind, body = block["kind"], block["body"]
        if block["heading"]:
            heading = block["heading"]
        elif kind == "steps":
            found.append(Example(heading, body, None, None))
        elif kind == "calls":
            found[-1] = Example(heading, found[-1].prompt, body.splitlines(), found[-1].output)
        elif kind == "json":
            found[-1] = Example(heading, found[-1].prompt, found[-1].calls, json.loads(body))
    return found


@dataclass(frozen=True)
class Window:
    """The window of the page, and how its parts are called."""

    canvas: Canvas
    parts: Mapping[str, Box]
    printer: bytes

    def part_at(self, point: Point) -> str:
        return next((name for name, box in self.parts.items() if box.contains(point)), f"{point.x},{point.y}")


@pytest.fixture(scope="module")
def window() -> Window:
    canvas = Canvas(1000, 720)
    parts: dict[str, Box] = {}
    for number, name in enumerate(("File", "Patient", "Reports", "Help")):
        parts[f"the menu {name}"] = canvas.text(20 + number * 80, 10, name)
    icon = canvas.rectangle(Box(900, 8, 924, 32), fill="#ffffff", outline="#000000")
    canvas.rectangle(Box(905, 14, 919, 20), fill=NAVY)
    canvas.rectangle(Box(908, 22, 916, 29), fill="#c00000")
    parts["the printer"] = icon
    for number, (name, value) in enumerate((("Patient ID", ""), ("Last name", "Doe"), ("Notes", ""))):
        canvas.text(20, 60 + number * 34, name)
        parts[f"the field {name}"] = canvas.field(120, 56 + number * 34, value)
    for number, name in enumerate(("Discount", "Shipping")):
        canvas.text(440, 60 + number * 34, name)
        parts[f"the button OK of {name}"] = canvas.button(540, 54 + number * 34, "OK")
    for number, name in enumerate(("Search", "Clear")):
        parts[f"the button {name}"] = canvas.button(20 + number * 130, 170, name)
    for number, (name, date) in enumerate((("Smith, Ann", "2026-02-24"), ("Jones, Bob", "2025-11-18"))):
        parts[name] = canvas.text(20, 222 + number * 34, name)
        canvas.text(180, 222 + number * 34, date)
        parts[f"the button Edit of {name.split(',')[0]}"] = canvas.button(320, 216 + number * 34, "Edit")
    canvas.text(20, 300, "Demographics", ink=NAVY, is_bold=True)
    for number, row in enumerate(
        (("DOB", "1968-04-23", "Email", "john.doe@example.org"), ("Phone", "(312) 555-0147", "Fax", ""))
    ):
        for x, text in zip((20, 120, 440, 540), row, strict=True):
            canvas.text(x, 326 + number * 24, text)
    parts["Medications"] = canvas.text(20, 390, "Medications", ink=NAVY, is_bold=True)
    columns = (("Medication", 200), ("Dose", 140), ("Frequency", 200))
    canvas.table(
        20, 416, columns, (("Atorvastatin", "20 mg", "Every evening"), ("Metformin", "500 mg", "Twice daily"))
    )
    canvas.text(20, 520, "Allergies", ink=NAVY, is_bold=True)
    canvas.text(20, 544, "Penicillin")
    canvas.text(20, 566, "Peanuts")
    canvas.text(20, 690, "Ready")
    picture = canvas.picture.crop((icon.left, icon.top, icon.right, icon.bottom))
    return Window(canvas, parts, screenshot_of(picture).png)


def told(call: ToolCall, window: Window) -> str:
    """A call in the words of the page."""
    arguments = call.arguments

    def part(x: str, y: str) -> str:
        return window.part_at(Point(int(str(arguments[x])), int(str(arguments[y]))))

    match call.tool:
        case "click":
            times = f" ({arguments['clicks']} times)" if arguments["clicks"] != 1 else ""
            button = f" ({arguments['button']} button)" if arguments["button"] != "left" else ""
            return f"click {part('x', 'y')}{times}{button}"
        case "move":
            return f"move {part('x', 'y')}"
        case "scroll":
            at = "the middle" if (arguments["x"], arguments["y"]) == (500, 360) else part("x", "y")
            return f"scroll {arguments['direction']} {arguments['amount']} at {at}"
        case "drag":
            return f"drag {part('start_x', 'start_y')} to {part('to_x', 'to_y')}"
        case "wait":
            return f"wait {arguments['seconds']:g} seconds"
        case "type":
            return f"type {arguments['text']}"
        case "key":
            return f"key {arguments['keys']}"
        case "focused_action":
            return "focused_action " + " / ".join(str(arguments["instruction"]).splitlines())
        case "screenshot":
            return f"screenshot {arguments['extract_prompt']}"
        case _:
            values = arguments.get("values", arguments)
            assert isinstance(values, Mapping)
            return f"{call.tool} " + " ".join(f"{name}={value}" for name, value in values.items())


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.heading)
async def test_an_example_does_what_the_page_says(example: Example, window: Window) -> None:
    screenshot = window.canvas.screenshot()
    task = a_task(
        example.prompt,
        INPUTS,
        secret_names=frozenset({"password"}),
        pictures={"printer.png": window.printer},
    )

    followed = await follow(task, lambda calls: screenshot, clipboard=CLIPBOARD)

    assert followed.error is None
    if example.calls is not None:
        assert [told(call, window) for call in followed.calls] == example.calls
    if example.output is not None:
        assert followed.output == example.output


def test_every_sentence_is_on_the_page() -> None:
    """Each sentence of the language is used by an example."""
    page = [example.prompt for example in examples()]
    used = {action_name(statement) for prompt in page for statement in flat(script_of(prompt).block)}

    for sentence in SENTENCES:
        (statement,) = script_of(sentence.example).block
        assert action_name(statement) in used, sentence.example


def action_name(statement: object) -> str:
    return type(getattr(statement, "action", statement)).__name__


def flat(block: object) -> list[object]:
    statements: list[object] = []
    for statement in block:  # type: ignore[attr-defined]
        statements.append(statement)
        for inner in ("then", "otherwise", "body"):
            statements += flat(getattr(statement, inner, ()))
    return statements
