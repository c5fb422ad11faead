"""docs/reference/tools.md and the registry of tools say the same, and its examples do what they say.

A head that does not fit the registry fails with the text that belongs there.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault.envelope import EnvelopeVault, MasterKey
from cyberdesk_server.domain.actions import Action, ActionResult, CopyToClipboard, RunCommand
from cyberdesk_server.domain.geometry import Size
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.screens import Screenshot
from cyberdesk_server.domain.steps import Observation, Step, ToolCall, Turn
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.arguments import Fill, fill_of
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.tools import TOOLS, Tool
from cyberdesk_server.store import steps
from cyberdesk_server.testing.ports import (
    ManualClock,
    MemoryBlobs,
    PrintedReader,
    ScriptedDesktop,
    a_screenshot,
    turns,
)
from cyberdesk_server.testing.rows import (
    HERE,
    a_database,
    a_machine,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)

SCREEN = a_screenshot("Search results", "DOB 1968-04-23", size=Size(1280, 800))
INPUTS = {"patient_id": "12345"}


def head_of(tool: Tool) -> str:
    """How the section of this tool begins: what it does, and a row for each argument."""
    said = tool.description + (" *An action.*" if tool.is_action else "")
    rows = [row_of(tool, field) for field in fields(tool.arguments)]
    return "\n".join(
        [said, "", "| argument | type | default | meaning |", "| --- | --- | --- | --- |", *rows, ""]
    )


def row_of(tool: Tool, field: Any) -> str:
    properties: Any = tool.spec.parameters["properties"]
    declared = properties[field.name]
    meaning = declared.get("description", "")
    if fill_of(tool.arguments).get(field.name) is Fill.NOTHING:
        meaning += " Taken as written."
    return f"| `{field.name}` | {type_text(declared)} | {default_text(field.default)} | {meaning} |"


def type_text(declared: Mapping[str, Any]) -> str:
    match declared:
        case {"enum": [*choices, last]}:
            return ", ".join(f"`{choice}`" for choice in choices) + f" or `{last}`"
        case {"type": "array", "items": {"type": kind}, "minItems": count}:
            return f"list of {count} {kind}s"
        case {"type": "array", "items": {"type": kind}}:
            return f"list of {kind}s"
        case {"type": kind, "minimum": least, "maximum": most}:
            return f"{kind}, {least:g} to {most:g}"
        case _:
            return str(declared["type"])


def default_text(default: Any) -> str:
    match default:
        case _ if default is MISSING:
            return "required"
        case None | ():
            return "none"
        case float():
            return f"`{default:g}`"
        case _:
            return f"`{default}`"


def test_the_page_has_a_section_for_each_tool_in_the_order_of_the_registry(
    page: Callable[[str], Any],
) -> None:
    headings = [section.heading for section in page("tools.md").sections]

    assert [heading.strip("`") for heading in headings if heading.startswith("`")] == list(TOOLS)


@pytest.mark.parametrize("name", TOOLS)
def test_a_section_begins_with_what_the_registry_says(name: str, page: Callable[[str], Any]) -> None:
    head = head_of(TOOLS[name])

    text = page("tools.md").section(f"`{name}`").text

    assert text.startswith(head + "\n```json\n"), f"write below the heading `{name}`:\n\n{head}\n```json"


@pytest.mark.parametrize("name", TOOLS)
async def test_an_example_answers_what_the_page_says(
    name: str, page: Callable[[str], Any], tmp_path: Path
) -> None:
    arguments, result = map(json.loads, page("tools.md").section(f"`{name}`").blocks("json"))

    step = await carried_out(ToolCall(name, arguments), tmp_path)

    assert (step.error, step.result) == (None, result)


async def carried_out(call: ToolCall, folder: Path) -> Step:
    """The step of a run whose model asks for this call alone, on a desktop that answers as the page tells."""
    model = turns(*BEFORE.get(call.tool, ()), Turn((call,)))
    model = replace(model, read=read_the_date, decide=answering(model.decide))
    async with a_database(folder) as database:
        async with database.transaction() as conn:
            organization_id = await an_organization(conn)
            await a_machine(conn, organization_id)
            run = await a_run(
                conn, await a_workflow(conn, organization_id, includes_file_exports=True), input_values=INPUTS
            )
        clock = ManualClock()
        async with database.transaction() as conn:
            claim = await claim_next(conn, server_id=HERE, now=clock.now(), lease_seconds=60)
        assert claim is not None
        parts = ExecutorParts(
            database=database,
            desktop=ScriptedDesktop(
                SCREEN, react=react, files={"/home/user/reports/12345.pdf": b"%PDF-1.7\n"}
            ),
            model=model,
            reader=PrintedReader(),
            blobs=MemoryBlobs(),
            vault=EnvelopeVault(MasterKey(b"k" * 32)),
            bus=InProcessBus(),
            clock=clock,
        )
        await execute(claim, parts)
        async with database.read() as conn:
            history = await steps.history(conn, run.id)
    return next(step for step in history if step.call == call)


LOOP = ToolCall("start_loop", {"text": '[{"name": "Ann"}, {"name": "Bob"}]'})
BEFORE = {
    "end_loop_iteration": (Turn((LOOP,)), Turn((ToolCall("type", {"text": "{{loop_item.name}}"}),))),
}
"""Turns without which an example would not work."""


def answering(decide: Any) -> Any:
    """The same, and in a focused action an answer at once."""

    def either(task: Task, *asked: Any) -> Turn:
        return Turn(thought="The newest order is A-17.") if task.is_focused else decide(task, *asked)

    return either


def react(action: Action) -> ActionResult:
    match action:
        case CopyToClipboard():
            return ActionResult(text="A-17")
        case RunCommand():
            return ActionResult(text="front-desk\n", error_text="", exit_code=0)
        case _:
            return ActionResult()


def read_the_date(instruction: str, task: Task, screenshot: Screenshot) -> Observation:
    output: JsonObject = {"demographics.date_of_birth": "1968-04-23"}
    return Observation("1968-04-23", output)
