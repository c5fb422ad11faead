"""The how-to of the command line: its examples run, it names every command, and its tables are true."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyberdesk.cli import workflow_files
from cyberdesk.cli.app import app
from cyberdesk.cli.failures import (
    INTERRUPTED_EXIT_CODE,
    RUN_DID_NOT_SUCCEED_EXIT_CODE,
    ApiFailure,
    Misuse,
    StillGoing,
)
from cyberdesk.testing import Asked, Scripted, ScriptedApi, a_page, a_run

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "command-line.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE_SECONDS = 60

ID = "6d3f0a52-6f0c-4f0e-9a51-6b3f5c1d2e4a"
A_DAY = "2025-01-31T12:00:00+00:00"
WORKFLOW = {"id": ID, "name": "Register a patient", "main_prompt": "Click OK"}
THINGS = {
    "workflows": {**WORKFLOW, "created_at": A_DAY, "updated_at": A_DAY},
    "machines": {"id": ID, "name": "front-desk", "status": "connected", "last_seen": A_DAY},
    "pools": {"id": ID, "name": "reception"},
    "runs": a_run(id=ID, status="success", output_data={"name": "Ada"}),
    "trajectories": {"id": ID, "workflow_id": ID, "created_at": A_DAY},
    "run-attachments": {"id": ID, "filename": "report.pdf"},
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def answer(asked: Asked) -> Scripted:
    """What a server with one of everything would answer."""
    _, version, noun, *rest = asked.path.split("/")
    match asked.method, noun, rest:
        case "GET", "health", _:
            return Scripted(200, json={"status": "ok", "version": version})
        case "GET", "webhooks", ["messages"]:
            return Scripted(200, json=a_page())
        case "GET", "workflow-tags", []:
            return Scripted(200, json=[])
        case "GET", _, [_, "download"]:
            return Scripted(200, content=b"%PDF")
        case "GET", _, []:
            return Scripted(200, json=a_page(THINGS[noun]))
        case "GET", _, _:
            return Scripted(200, json=THINGS[noun])
        case "POST", _, []:
            return Scripted(201, json=THINGS[noun])
        case "DELETE", _, _:
            return Scripted(204)
        case _:
            return Scripted(200, json=THINGS[noun])


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Any]:
    """Runs an example in an empty folder, with `cyberdesk` of this checkout and a server to talk to."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "cyberdesk"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cyberdesk "$@"\n')
    command.chmod(0o700)
    for name, text in (("inputs.json", "{}"), ("letter.pdf", "%PDF"), ("api-key", "key-of-the-file")):
        (tmp_path / name).write_text(text)

    with ScriptedApi(answer) as api:

        def run(script: str) -> subprocess.CompletedProcess[str]:
            script = script.replace("http://127.0.0.1:8080", api.base_url)
            environment = {
                **os.environ,
                "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
                "CYBERDESK_BASE_URL": api.base_url,
                "CYBERDESK_API_KEY": "key-of-the-environment",
            }
            return subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=tmp_path,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=EXAMPLE_SECONDS,
                check=False,
            )

        yield run


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(blocks("bash"))))
def test_every_example_runs(shell: Any, number: int) -> None:
    done = shell(blocks("bash")[number])

    assert done.returncode == 0, done.stderr


def test_every_group_of_commands_has_an_example_or_a_mention() -> None:
    named = {group.name for group in app.registered_groups} | {one.name for one in app.registered_commands}

    assert named == {name for name in named if f"cyberdesk {name}" in TEXT}


def test_every_exit_code_is_explained() -> None:
    explained = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE)}

    failures = {Misuse.exit_code, ApiFailure.exit_code, StillGoing.exit_code}
    assert explained == {0, RUN_DID_NOT_SUCCEED_EXIT_CODE, INTERRUPTED_EXIT_CODE, *failures}


def test_the_file_in_the_page_is_a_workflow() -> None:
    (example,) = blocks("markdown")

    file = workflow_files.WorkflowFile.read(example)

    assert (file.id, file.name) == (ID, "Register a patient")


def test_every_member_of_a_file_is_named() -> None:
    assert [name for name in workflow_files.DEFAULTS if f"`{name}`" not in TEXT] == []
