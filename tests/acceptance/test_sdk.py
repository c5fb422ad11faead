"""What the SDK offers beyond the published methods, against a real server and a real desktop."""

import asyncio
import base64
import os
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk import (
    AttachmentType,
    AttemptResult,
    CyberdeskClient,
    KeyAlreadyUsed,
    NotFound,
    RunAttachmentCreate,
    RunCreate,
    TrajectoryCreate,
    Unauthorized,
    ValidationFailed,
)

pytestmark = pytest.mark.slow

PROGRAMS = Path(__file__).resolve().parent / "programs"


def test_a_machine_is_driven_by_hand(site: Any, machine_for: Any, until: Any, tmp_path: Path) -> None:
    typed = tmp_path / "typed.bin"
    recorder = (sys.executable, str(PROGRAMS / "byte_recorder.py"), str(typed))
    machine = machine_for("xterm", "-geometry", "80x20", "-e", *recorder, name="by hand").id
    computer = site.client.computer
    until(typed.exists, what="the recorder")
    empty = computer.screenshot_sync(machine).unwrap()

    computer.mouse_click_sync(machine, 200, 200).unwrap()
    computer.keyboard_type_sync(machine, "Ada").unwrap()
    computer.keyboard_key_sync(machine, "ctrl+d").unwrap()

    until(lambda: typed.exists() and typed.read_bytes().startswith(b"Ada"), what="what was typed")
    place = computer.mouse_position_sync(machine).unwrap()
    size = computer.display_dimensions_sync(machine).unwrap()
    assert (place.x, place.y, size.width, size.height) == (200, 200, 1280, 800)
    assert empty.startswith(b"\x89PNG")
    assert computer.diagnostics_sync(machine).unwrap()["version"]


def test_files_and_commands_reach_a_machine(site: Any, machine_for: Any, tmp_path: Path) -> None:
    machine = machine_for("xterm", name="files").id
    computer, path = site.client.computer, str(tmp_path / "new" / "a.bin")

    computer.write_file_sync(machine, path, b"\x00Ada").unwrap()
    computer.write_file_sync(machine, path, b"\xff", mode="append").unwrap()
    said = computer.powershell_exec_sync(machine, f"wc -c < {path}").unwrap()
    missing = computer.read_file_sync(machine, str(tmp_path / "nowhere"))

    assert computer.read_file_sync(machine, path).unwrap() == b"\x00Ada\xff"
    assert [
        entry["name"] for entry in computer.list_folder_sync(machine, str(tmp_path / "new")).data["entries"]
    ] == ["a.bin"]
    assert (said["stdout"].strip(), said["exit_code"]) == ("5", 0)
    assert isinstance(missing.error, NotFound)


def test_two_calls_with_one_key_make_one_run(site: Any) -> None:
    data = RunCreate(workflow_id=site.workflow('Click "OK"'), machine_id=site.spare_machine())
    first = site.client.with_options(idempotency_key="order-4711")

    made = first.runs.create_sync(data).unwrap()
    again = site.client.with_options(idempotency_key="order-4711").runs.create_sync(data)

    assert again.unwrap().id == made.id
    assert again.headers["idempotency-status"] == "replayed"
    assert isinstance(first.runs.create_sync(data).error, KeyAlreadyUsed)


def test_all_runs_of_a_workflow_are_iterated(site: Any) -> None:
    workflow = site.workflow('Click "OK"')
    order = RunCreate(workflow, machine_id=site.spare_machine())
    made = [site.client.runs.create_sync(order).unwrap().id for _ in range(7)]

    async def iterated() -> list[Any]:
        async with CyberdeskClient(site.server.api_key, site.server.base_url) as client:
            return [run.id async for run in client.runs.iterate(workflow_id=workflow, limit=3)]

    found = [run.id for run in site.client.runs.iterate_sync(workflow_id=workflow, limit=3)]
    assert sorted(found) == sorted(made)
    assert asyncio.run(iterated()) == found


def test_a_file_of_a_run_comes_back_whole_and_in_its_folder(site: Any, tmp_path: Path) -> None:
    order = RunCreate(site.workflow('Click "OK"'), machine_id=site.spare_machine())
    run = site.client.runs.create_sync(order).unwrap()
    content = os.urandom(3 << 20)
    attachment = site.client.run_attachments.create_sync(
        RunAttachmentCreate(
            run.id,
            "../../.report.bin",
            base64.b64encode(content).decode(),
            "application/octet-stream",
            AttachmentType.OUTPUT,
        )
    ).unwrap()

    saved = site.client.run_attachments.save_to_file_sync(attachment.id, f"{tmp_path}/new/").unwrap()

    assert saved == {"path": str(tmp_path / "new" / "report.bin"), "size": len(content)}
    assert (tmp_path / "new" / "report.bin").read_bytes() == content
    assert os.listdir(tmp_path / "new") == ["report.bin"]


def test_both_kinds_of_trajectories_are_one_list(site: Any) -> None:
    workflow = site.workflow('Click "OK"')
    made = site.client.trajectories.create_sync(TrajectoryCreate(workflow, steps=[])).unwrap()

    kinds = [
        [one.id for one in site.client.trajectories.iterate_sync(workflow_id=workflow, is_generated=kind)]
        for kind in (True, False, None)
    ]

    assert kinds == [[], [made.id], [made.id]]


def test_fields_of_a_tag_are_cleared(site: Any) -> None:
    tags = site.client.workflow_tags
    group = site.client.workflow_tag_groups.create_sync(name=f"group {uuid4()}").unwrap()
    tag = tags.create_sync(name=f"tag {uuid4()}", description="urgent", group_id=group.id).unwrap()

    cleared = tags.update_sync(tag.id, description="", group_id="").unwrap()

    assert (tag.description, tag.group_id) == ("urgent", group.id)
    assert (cleared.description, cleared.group_id) == (None, None)


def test_what_the_server_refuses_is_raised_by_its_name(site: Any) -> None:
    heard: list[AttemptResult] = []

    with CyberdeskClient(site.server.api_key, site.server.base_url, on_response=heard.append) as client:
        with pytest.raises(NotFound) as missing:
            client.runs.get_sync(uuid4()).unwrap()
        with pytest.raises(ValidationFailed, match=r"body\.workflow_id: ") as refused:
            client.runs.create_sync(RunCreate("no id")).unwrap()
    with (
        CyberdeskClient("nobody", site.server.base_url) as stranger,
        pytest.raises(Unauthorized),
    ):
        stranger.runs.list_sync().unwrap()

    assert [error.value.request_id for error in (missing, refused)] == [one.request_id for one in heard]
    assert missing.value.request_id


def test_health_needs_nothing_but_an_address(site: Any) -> None:
    health = site.client.health

    answers = [
        health.about_sync(),
        health.live_sync(),
        health.ready_sync(),
        health.database_sync(),
        health.api_sync(),
    ]

    assert [answer.status for answer in answers] == [200] * 5
