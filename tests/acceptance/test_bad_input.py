"""Bad input: one clear line, the right status, no traceback."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

pytestmark = pytest.mark.slow

PROGRAM_SECONDS = 60


@pytest.fixture
def http(site: Any) -> Any:
    """The API without the SDK's own checks."""
    headers = {"authorization": f"Bearer {site.server.api_key}"}
    with httpx.Client(base_url=site.server.base_url, headers=headers) as client:
        yield client


def the_complaint(response: httpx.Response) -> tuple[int, list[Any], str]:
    """Status, place and words of an answer that complains about exactly one thing."""
    detail = response.json()["detail"]
    if isinstance(detail, str):
        return response.status_code, [], detail
    (only,) = detail
    return response.status_code, only["loc"], only["msg"]


def test_an_unknown_workflow_is_not_found(http: httpx.Client) -> None:
    status, _, words = the_complaint(http.post("/v1/runs", json={"workflow_id": str(uuid4())}))

    assert status == 404
    assert "workflow" in words.lower()


def test_a_machine_of_another_organization_is_not_found(site: Any, http: httpx.Client, stranger: Any) -> None:
    """Invariant 8."""
    workflow_id = site.workflow('Click "OK"')

    status, _, words = the_complaint(
        http.post("/v1/runs", json={"workflow_id": workflow_id, "machine_id": stranger})
    )

    assert status == 404
    assert "machine" in words.lower()
    assert http.get(f"/v1/machines/{stranger}").status_code == 404


def test_a_malformed_id_is_named(http: httpx.Client) -> None:
    status, place, _ = the_complaint(http.post("/v1/runs", json={"workflow_id": "not-an-id"}))

    assert (status, place) == (422, ["body", "workflow_id"])
    assert http.get("/v1/runs/not-an-id").status_code == 422


def test_a_missing_variable_is_named(site: Any, http: httpx.Client) -> None:
    workflow_id = site.workflow('Type {patient_id} into "Patient ID"')

    status, place, _ = the_complaint(http.post("/v1/runs", json={"workflow_id": workflow_id}))

    assert (status, place) == (422, ["body", "input_values", "patient_id"])


def test_a_missing_secret_is_named(site: Any, http: httpx.Client) -> None:
    workflow_id = site.workflow('Type {$badge} into "Badge"')

    status, place, _ = the_complaint(http.post("/v1/runs", json={"workflow_id": workflow_id}))

    assert (status, place) == (422, ["body", "sensitive_input_values", "badge"])


def test_a_step_that_cannot_be_read_ends_the_run_before_anything_is_done(site: Any, clinic: Any) -> None:
    run = site.run('Click "OK"\nFrobnicate the patient', clinic)

    assert run.status == "error"
    assert len(run.error) == 1
    assert run.error[0].startswith("line 2 (Frobnicate the patient): ")
    assert run.run_message_history == []


def test_a_wrong_key_is_refused_by_the_api(site: Any) -> None:
    response = httpx.get(f"{site.server.base_url}/v1/machines", headers={"authorization": "Bearer wrong"})

    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert isinstance(response.json()["detail"], str)


def test_a_wrong_key_is_refused_by_the_tunnel(site: Any, tmp_path: Path) -> None:
    said = complaint_of(
        "cyberdriver", "desktop", f"--server={site.server.base_url}", f"--config-dir={tmp_path}", "--",
        "xterm", key="wrong",
    )  # fmt: skip

    assert "key" in said


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        said = complaint_of("cyberdesk-server", "up", f"--data-dir={tmp_path}", f"--port={port}")

    assert str(port) in said


def test_a_data_folder_that_is_not_writable_is_one_line(tmp_path: Path) -> None:
    not_a_folder = tmp_path / "file"
    not_a_folder.touch()

    said = complaint_of("cyberdesk-server", "up", f"--data-dir={not_a_folder / 'data'}", "--port=0")

    assert str(not_a_folder) in said


def test_a_missing_display_is_one_line(site: Any, tmp_path: Path) -> None:
    said = complaint_of(
        "cyberdriver", "join", f"--server={site.server.base_url}", f"--config-dir={tmp_path}",
        key=site.server.api_key, display=":4711",
    )  # fmt: skip

    assert ":4711" in said


def complaint_of(program: str, *arguments: str, key: str = "", display: str = "") -> str:
    """The one line on standard error of a program that ends with an error by itself."""
    ended = subprocess.run(
        [str(Path(sys.executable).parent / program), *arguments],
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "CYBERDESK_AGENT_KEY": key, "DISPLAY": display},
        check=False,
    )
    assert ended.returncode not in (0, -9)
    assert "Traceback" not in ended.stderr
    complaints = [line for line in ended.stderr.splitlines() if re.match(r"cyberd\S+: ", line)]
    assert len(complaints) == 1, ended.stderr
    return complaints[0]
