"""The command line against a real server and a real program: a workflow from a file to its result."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

COMMAND_SECONDS = 120

FORM = """---
name: Admit a patient
output_schema: {"type": "object"}
---
Wait until "New patient" appears
Type {name} into "Last name"
Type {$badge} into "Badge"
Read the text inside "Last name" as name
Click "OK"
"""


@pytest.fixture
def cyberdesk(site: Any, tmp_path: Path) -> Any:
    """Runs a command against the shared server, with its key in a file."""
    key_file = tmp_path / "api-key"
    key_file.write_text(site.server.api_key)

    def run(*arguments: str, expected: int = 0) -> subprocess.CompletedProcess[str]:
        shared = ("--base-url", site.server.base_url, "--api-key-file", str(key_file))
        done = subprocess.run(
            [sys.executable, "-m", "cyberdesk", *shared, *arguments],
            env={**os.environ, "CYBERDESK_SECRET_BADGE": "hunter2"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == expected, done.stderr
        return done

    return run


def test_a_workflow_goes_from_a_file_to_its_result(
    cyberdesk: Any, machine_for: Any, site: Any, tmp_path: Path
) -> None:
    machine = machine_for(
        "zenity", "--forms", "--text=New patient", "--add-entry=Last name", "--add-password=Badge",
        name="admissions",
    )  # fmt: skip
    file = tmp_path / "admit.md"
    file.write_text(FORM)

    assert cyberdesk("workflows", "push", str(file)).stdout == f"new        {file}\n"
    run = cyberdesk(
        "runs", "create", "Admit a patient", "--machine", "admissions",
        "--input", "name=Lovelace", "--secret", "badge", "--wait",
    )  # fmt: skip

    assert '"name": "Lovelace"' in run.stdout
    assert "hunter2" not in run.stdout + run.stderr
    assert 'Type {name} into "Last name"' in run.stderr
    assert (machine.folder / "program.log").read_text().splitlines()[-1] == "Lovelace|hunter2"

    run_id = run.stdout.split()[1]
    [listed] = json.loads(cyberdesk("runs", "list", "--machine", "admissions", "--json").stdout)["items"]
    assert (listed["id"], listed["status"], listed["output_data"]) == (
        run_id,
        "success",
        {"name": "Lovelace"},
    )
    assert "Read the text inside" in cyberdesk("runs", "show", run_id, "--history").stdout


def test_what_was_pulled_is_pushed_as_unchanged(cyberdesk: Any, site: Any, tmp_path: Path) -> None:
    prompt = 'Click "OK"\r\n\n---\n  Ende: Öl\n\n'
    workflow_id = site.workflow(prompt, input_schema='{"type":  "object"}', terminal_command_allowlist=[])
    folder = tmp_path / "flows"

    cyberdesk("workflows", "pull", workflow_id, str(folder))
    (file,) = folder.iterdir()
    assert cyberdesk("workflows", "push", str(folder)).stdout == f"unchanged  {file}\n"
    file.write_bytes(file.read_bytes().replace(b"Ende", b"Schluss"))
    assert cyberdesk("workflows", "push", str(folder)).stdout == f"changed    {file}  main_prompt\n"

    workflow = site.client.workflows.get_sync(workflow_id).unwrap()
    assert workflow.main_prompt == prompt.replace("Ende", "Schluss")
    assert workflow.input_schema == '{"type":  "object"}'


def test_refusals_of_a_real_server_are_one_line(cyberdesk: Any, site: Any, tmp_path: Path) -> None:
    workflow_id = site.workflow('Click "OK"')
    file = tmp_path / "long.md"
    file.write_text(f"---\nname: {'n' * 256}\n---\nClick OK\n")

    unknown = cyberdesk("runs", "show", workflow_id, expected=3)
    nameless = cyberdesk("workflows", "show", "no such workflow", expected=2)
    bad_field = cyberdesk("workflows", "push", str(file), expected=3)

    assert unknown.stderr.startswith("cyberdesk: the API refused: HTTP 404 Not Found")
    assert nameless.stderr == "cyberdesk: no workflow is called 'no such workflow'\n"
    assert "body.name: " in bad_field.stderr
    assert {done.stderr.count("\n") for done in (unknown, nameless, bad_field)} == {1}


def test_a_cancelled_run_ends_its_wait_with_1(cyberdesk: Any, site: Any) -> None:
    workflow_id = site.workflow('Click "OK"')
    machine_id = site.spare_machine()
    run_id = cyberdesk("runs", "create", workflow_id, "--machine", machine_id).stdout.strip()

    cyberdesk("runs", "wait", run_id, "--timeout", "0.1", expected=4)
    cyberdesk("runs", "cancel", run_id)

    assert "status    cancelled\n" in cyberdesk("runs", "wait", run_id, expected=1).stdout
    cyberdesk("runs", "delete", run_id, "--yes")
    cyberdesk("health")
