"""Files come and go as they are; what is outside, missing or forbidden is refused with its own status."""

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cyberdriver.commands import files
from cyberdriver.rehearsal import StagedMachine
from cyberdriver.settings import Allowed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LIST, READ, WRITE = (f"/computer/fs/{verb}" for verb in ("list", "read", "write"))


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(content=st.one_of(st.binary(max_size=2_000), st.integers(190_000, 400_000).map(os.urandom)))
async def test_what_is_written_is_read_back(machine: StagedMachine, tmp_path: Path, content: bytes) -> None:
    path = str(tmp_path / "new folder" / "file")

    written = await machine.ask("POST", WRITE, {"path": path, "content": encoded(content)})
    read = json.loads((await machine.ask("GET", READ, query=f"path={path}")).body)

    assert json.loads(written.body)["size"] == len(content)
    assert read == {"path": path, "content": encoded(content), "size": len(content)}


async def test_appending_adds_to_the_end(machine: StagedMachine, tmp_path: Path) -> None:
    for part in (b"one ", b"two"):
        await machine.ask(
            "POST", WRITE, {"path": str(tmp_path / "f"), "content": encoded(part), "mode": "append"}
        )

    assert (tmp_path / "f").read_bytes() == b"one two"


async def test_a_shorter_content_replaces_a_longer_one(machine: StagedMachine, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("long content")

    await machine.ask("POST", WRITE, {"path": str(tmp_path / "f"), "content": encoded(b"short")})

    assert (tmp_path / "f").read_text() == "short"


async def test_a_bare_name_lands_among_the_transfers(machine: StagedMachine) -> None:
    await machine.ask("POST", WRITE, {"path": "report.pdf", "content": encoded(b"x")})

    assert (machine.desk.transfers / "report.pdf").read_bytes() == b"x"


async def test_a_tilde_is_the_home_folder(
    machine: StagedMachine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    await machine.ask("POST", WRITE, {"path": "~/in/f", "content": ""})

    assert (tmp_path / "home" / "in" / "f").read_bytes() == b""


async def test_a_folder_lists_folders_first_and_under_both_names(
    machine: StagedMachine, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    (folder / "z").mkdir(parents=True)
    (folder / "a").write_text("four")
    (folder / "dangling").symlink_to("nowhere")

    listed = json.loads((await machine.ask("GET", LIST, query=f"path={folder}")).body)

    assert listed["path"] == str(folder)
    assert listed["entries"] == listed["items"]
    assert [entry["name"] for entry in listed["entries"]] == ["z", "a", "dangling"]
    assert listed["entries"][1] == {
        "name": "a",
        "path": str(folder / "a"),
        "is_dir": False,
        "is_file": True,
        "size": 4,
        "modified": (folder / "a").stat().st_mtime,
    }
    assert "error" in listed["entries"][2]


async def test_without_a_path_the_transfers_are_listed(machine: StagedMachine) -> None:
    listed = await machine.ask("GET", LIST)

    assert json.loads(listed.body)["entries"] == []


@pytest.mark.parametrize(
    ("method", "path", "given_path", "status"),
    [
        ("GET", READ, "missing", 404),
        ("GET", READ, "folder", 400),
        ("GET", READ, "pipe", 400),
        ("GET", READ, "file/below", 400),
        ("GET", READ, "~nosuchuser/x", 404),
        ("GET", LIST, "missing", 404),
        ("GET", LIST, "file", 400),
        ("POST", WRITE, "folder", 400),
        ("POST", WRITE, "file/below", 400),
        ("POST", WRITE, "pipe", 400),
        ("GET", READ, "/proc/1/mem/x", 400),
    ],
)
async def test_a_path_of_the_wrong_kind_has_its_status(
    machine: StagedMachine, method: str, path: str, given_path: str, status: int
) -> None:
    transfers = machine.desk.transfers
    (transfers / "folder").mkdir(parents=True)
    (transfers / "file").touch()
    os.mkfifo(transfers / "pipe")
    body = {"path": given_path, "content": ""} if method == "POST" else None

    response = await machine.ask(method, path, body, query=f"path={given_path}")

    assert response.status == status
    assert given_path in json.loads(response.body)["detail"]


async def test_what_the_system_forbids_is_403(
    machine: StagedMachine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def forbidden(*arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("cyberdriver.commands.files.os.open", forbidden)

    response = await machine.ask("GET", READ, query=f"path={tmp_path}/f")

    assert response.status == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": ""}, "path"),
        ({"path": "f"}, "content"),
        ({"path": "f", "content": "not base64!"}, "content"),
        ({"path": "f", "content": "é"}, "content"),
        ({"path": "f", "content": "", "mode": "x"}, "mode"),
        ({"path": "f\0", "content": ""}, "path"),
    ],
)
async def test_a_wrong_field_is_named(machine: StagedMachine, body: object, field: str) -> None:
    response = await machine.ask("POST", WRITE, body)

    assert response.status == 422
    assert json.loads(response.body)["detail"][0]["loc"] == ["body", field]


async def test_a_file_too_large_is_413(
    machine: StagedMachine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 3)
    (tmp_path / "f").write_text("four")

    read = await machine.ask("GET", READ, query=f"path={tmp_path / 'f'}")
    write = await machine.ask("POST", WRITE, {"path": "g", "content": encoded(b"four")})

    assert (read.status, write.status) == (413, 413)


@pytest.fixture
def confined(make_machine: Callable[..., StagedMachine], tmp_path: Path) -> StagedMachine:
    """A machine that allows one folder, with a link inside that leads out."""
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed" / "inside").write_text("inside")
    (tmp_path / "outside").write_text("outside")
    (tmp_path / "allowed" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "allowed" / "loop").symlink_to(tmp_path / "allowed" / "loop")
    return make_machine(allowed=Allowed(file_roots=(tmp_path / "allowed",)))


@pytest.mark.parametrize(
    "way", ["outside", "allowed/../outside", "allowed/link", "allowed-too", "allowed/loop/x", "."]
)
async def test_nothing_leads_out_of_the_allowed_folders(
    confined: StagedMachine, tmp_path: Path, way: str
) -> None:
    path = f"{tmp_path}/{way}"

    read = await confined.ask("GET", READ, query=f"path={path}")
    write = await confined.ask("POST", WRITE, {"path": path, "content": encoded(b"overwritten")})
    listed = await confined.ask("GET", LIST, query=f"path={path}")

    assert (read.status, write.status, listed.status) == (403, 403, 403)
    assert (tmp_path / "outside").read_text() == "outside"


async def test_what_is_inside_the_allowed_folders_works(confined: StagedMachine, tmp_path: Path) -> None:
    read = await confined.ask("GET", READ, query=f"path={tmp_path}/allowed/inside")
    write = await confined.ask("POST", WRITE, {"path": f"{tmp_path}/allowed/new/f", "content": ""})

    assert (read.status, write.status) == (200, 200)


async def test_the_drivers_own_folder_is_out_of_reach(
    make_machine: Callable[..., StagedMachine], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "settings.toml").write_text("[allow]\nshell = false\n")
    (tmp_path / "link").symlink_to(own)
    for roots in (None, (tmp_path,)):
        machine = make_machine(allowed=Allowed(file_roots=roots), own_folder=own)
        for folder in (own, tmp_path / "link", tmp_path / "x" / ".." / "own"):
            path = f"{folder}/settings.toml"
            body = {"path": path, "content": "", "mode": "write"}

            answers = [
                await machine.ask("POST", "/computer/fs/write", body),
                await machine.ask("GET", "/computer/fs/read", query=urlencode({"path": path})),
                await machine.ask("GET", "/computer/fs/list", query=urlencode({"path": str(folder)})),
            ]

            assert [answer.status for answer in answers] == [403, 403, 403]

    assert (own / "settings.toml").read_text() == "[allow]\nshell = false\n"
