"""Every kind of action, on a window that records what really happened to it."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).resolve().parent / "programs" / "many_widgets.py"


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def icons(tmp_path: Path) -> Path:
    return tmp_path / "icons"


@pytest.fixture
def machine(machine_for: Any, events: Path, icons: Path, until: Any) -> Any:
    made = machine_for(sys.executable, str(PROGRAM), str(events), "--icons", str(icons), name="widgets")
    until(lambda: (icons / "tree.png").exists(), what="the window")
    return made


def recorded(events: Path) -> list[dict[str, Any]]:
    """What the window says happened; of the changes of a text, the last."""
    lines = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    return [
        line
        for line, following in zip(lines, [*lines[1:], {}], strict=True)
        if line["event"] not in ("typed", "scrolled") or line["event"] != following.get("event")
    ]


def test_every_kind_of_action_does_what_it_says(site: Any, machine: Any, events: Path, icons: Path) -> None:
    picture = base64.b64encode((icons / "flag.png").read_bytes()).decode()

    run = site.run(
        f"""<ol>
        <li>Wait until "Drop here" appears</li>
        <li>Click the second "Edit"</li>
        <li>Click the "OK" right of "Gamma"</li>
        <li>Click <img src="data:image/png;base64,{picture}"></li>
        <li>Clear "Subject"</li>
        <li>Type {{subject}} into "Subject"</li>
        <li>Double-click "Double click here"</li>
        <li>Right-click "Right click here"</li>
        <li>Click "Delete row"</li>
        <li>Drag "Drag me" to "Drop here"</li>
        <li>Scroll down 3 over "Item 05"</li>
        <li>Press ctrl+s</li>
        <li>Click "Start"</li>
        <li>Wait until "Loading" disappears</li>
        <li>Check whether "Report is ready" is visible as report.isReady</li>
        <li>Save a screenshot as "{{subject}}"</li>
        </ol>""",
        machine,
        input_values={"subject": "Zażółć <gęślą> jaźń"},
    )

    assert (run.status, run.error) == ("success", None)
    assert run.output_data == {"report": {"isReady": True}}
    assert len(run.output_attachment_ids) == 1
    assert [
        {name: value for name, value in event.items() if name != "first_visible"}
        for event in recorded(events)
    ] == [
        {"event": "clicked", "button": "Edit", "row": "Beta"},
        {"event": "clicked", "button": "OK", "row": "Gamma"},
        {"event": "clicked", "button": "flag", "row": "icons"},
        {"event": "typed", "field": "Subject", "text": "Zażółć <gęślą> jaźń"},
        {"event": "double_clicked", "area": "Double click here"},
        {"event": "right_clicked", "area": "Right click here"},
        {"event": "chosen", "entry": "Delete row"},
        {"event": "dropped", "on": "Drop here"},
        {"event": "scrolled"},
        {"event": "pressed", "keys": "ctrl+s"},
        {"event": "clicked", "button": "Start", "row": "late text"},
        {"event": "finished", "text": "Report is ready"},
    ]


def test_the_history_of_a_run_shows_where_it_clicked(site: Any, machine: Any) -> None:
    run = site.run('Click the second "Edit"', machine)

    kinds = [
        (message["role"], [block["type"] for block in message["content"]])
        for message in run.run_message_history
    ]
    assert kinds == [
        ("user", ["text"]),
        ("user", ["image"]),
        ("assistant", ["text", "tool_use"]),
        ("user", ["tool_result"]),
    ]
    click = run.run_message_history[2]["content"][1]["tool_input"]
    left, top, right, bottom = click["target"]
    assert left <= click["x"] < right
    assert top <= click["y"] < bottom
    address = run.run_message_history[1]["content"][0]["image_url"]
    link = site.client.runs.get_image_signed_url_sync(run.id, image_url=address).data.signed_url
    assert httpx.get(link).content.startswith(b"\x89PNG")


def test_a_label_that_is_not_there_is_told_with_what_is_nearest(site: Any, machine: Any) -> None:
    run = site.run('Click "Subjekt" within 2 seconds', machine)

    assert run.status == "error"
    assert len(run.error) == 1
    assert "Subjekt" in run.error[0]
    assert '"Subject"' in run.error[0]
    images = [
        block
        for message in run.run_message_history
        for block in message["content"]
        if block["type"] == "image"
    ]
    assert images
