"""What people see at a terminal: the program itself, on a pseudo-terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from cyberdesk.testing import Scripted, a_page, a_run

pty = pytest.importorskip("pty", reason="pseudo-terminals are of POSIX systems")

RUN = "0b9f7c1e-4f0a-4f6e-9b57-0d9c8f6f2c55"
WORKFLOW = "6d3f0a52-6f0c-4f0e-9a51-6b3f5c1d2e4a"
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def at_a_terminal(api, *arguments, columns=120):
    """The exit code, and what the terminal was sent."""
    ours, theirs = pty.openpty()
    environment = {"CYBERDESK_API_KEY": "key", "CYBERDESK_BASE_URL": api.base_url, "COLUMNS": str(columns)}
    process = subprocess.Popen(
        [sys.executable, "-m", "cyberdesk", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **environment, "TERM": "xterm"},
    )
    os.close(theirs)
    try:
        seen = read_to_the_end(ours)
        return process.wait(60), seen
    finally:
        process.kill()
        os.close(ours)


def read_to_the_end(terminal):
    read = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says the end of a pseudo-terminal like this
            return read.decode()
        if not part:
            return read.decode()
        read += part


def test_a_table_keeps_ids_whole_and_names_as_they_are(api):
    listed = a_run(id=RUN, workflow_id=WORKFLOW, status="success")
    included = [{"type": "workflow", "id": WORKFLOW, "name": "[bold]A very long[/bold] name \x1b[2J of it"}]
    api.answers(Scripted(200, json=a_page(listed, included=included)))

    exit_code, seen = at_a_terminal(api, "runs", "list", columns=90)

    assert exit_code == 0
    assert RUN in seen
    assert "[bold]" in seen
    assert "\x1b[2J" not in seen


def test_waiting_for_a_machine_shows_why(api):
    waiting = a_run(id=RUN, waiting_reason="machine [bold]Desk is not connected")
    api.answers(Scripted(200, json=waiting), Scripted(200, json=a_run(id=RUN, status="success")))

    exit_code, seen = at_a_terminal(api, "runs", "wait", RUN)

    assert exit_code == 0
    assert "scheduling: machine [bold]Desk is not connected" in _CONTROL.sub("", seen)


def test_waiting_shows_the_status_below_the_steps(api):
    step = {
        "role": "assistant",
        "timestamp": "2025-01-31T12:00:01Z",
        "content": [{"type": "tool_use", "tool_use_id": "1", "tool_name": "click", "tool_input": {"x": 5}}],
    }
    result = {
        "role": "user",
        "timestamp": "2025-01-31T12:00:02Z",
        "content": [{"type": "tool_result", "tool_use_id": "1", "tool_result": "[red]clicked"}],
    }
    done = a_run(id=RUN, status="success", run_message_history=[step, result])
    api.answers(Scripted(200, json=a_run(id=RUN, status="running")), Scripted(200, json=done))

    exit_code, seen = at_a_terminal(api, "runs", "wait", RUN)

    plain = _CONTROL.sub("", seen)
    assert exit_code == 0
    assert "running, steps done: 0" in plain
    assert "  1  12:00:01     1.0 s  click(x=5) -> [red]clicked\r\n" in plain
    assert "status    success\r\n" in plain
