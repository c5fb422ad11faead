"""Images that go up and attachments that come down."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberdesk._resources.run_attachments import safe_name
from cyberdesk.testing import Scripted

ID = "4f6a1a4e-9b0b-4a53-8d0e-0c8f6d7a5b11"
PNG = b"\x89PNG\r\n\x1a\n"


def an_attachment(filename="report.pdf"):
    return [Scripted(200, json={"id": ID, "filename": filename}), Scripted(200, content=b"%PDF")]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "name", "media_type"),
    [
        ({"file_content": PNG}, "image", "application/octet-stream"),
        ({"file_content": PNG, "filename": "a.b.PNG"}, "a.b.PNG", "image/png"),
        ({"file_content": PNG, "filename": "a.jpg"}, "a.jpg", "image/jpeg"),
        ({"file_content": PNG, "filename": "a.png", "content_type": "image/webp"}, "a.png", "image/webp"),
        ({"file_path": "shots/button.gif"}, "button.gif", "image/gif"),
        ({"file_path": Path("shots/button.gif"), "filename": "other.webp"}, "other.webp", "image/webp"),
    ],
)
def test_an_image_is_one_part_of_a_form(api, client, call, folder, arguments, name, media_type):
    (folder / "shots").mkdir()
    (folder / "shots" / "button.gif").write_bytes(PNG)
    api.answers(Scripted(201, json={"supabase_url": "supabase://a", "filename": name}))

    response = call(client.workflows, "upload_prompt_image", **arguments)

    assert response.error is None
    [asked] = api.asked
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert f'name="file"; filename="{name}"'.encode() in asked.body
    assert f"Content-Type: {media_type}".encode() in asked.body
    assert asked.body.count(PNG) == 1


def test_an_image_is_sent_whole_on_every_attempt(api, patient_client, call):
    api.answers(Scripted(503), Scripted(201, json={}))

    call(patient_client.workflows, "upload_prompt_image", file_content=PNG)

    assert [asked.body.count(PNG) for asked in api.asked] == [1, 1]


@pytest.mark.parametrize("arguments", [{}, {"file_path": "a", "file_content": b"b"}, {"file_content": b""}])
def test_an_image_comes_from_one_place(api, client, call, arguments):
    response = call(client.workflows, "upload_prompt_image", **arguments)

    assert isinstance(response.error, ValueError)
    assert api.asked == []


def test_a_file_that_is_not_there_is_the_error(api, client, call, folder):
    response = call(client.workflows, "upload_prompt_image", file_path="nowhere.png")

    assert isinstance(response.error, FileNotFoundError)
    assert api.asked == []


def test_a_download_is_the_bytes(api, client, call):
    api.answers(Scripted(200, content=b"\x00\xff"))

    assert call(client.run_attachments, "download", ID).data == b"\x00\xff"


@pytest.mark.parametrize(
    ("arguments", "written"),
    [
        ({}, "report.pdf"),
        ({"output_path": "downloads/"}, "downloads/report.pdf"),
        ({"output_path": "./new/deep/"}, "new/deep/report.pdf"),
        ({"output_path": "there"}, "there/report.pdf"),
        ({"output_path": "downloads/custom.pdf"}, "downloads/custom.pdf"),
        ({"output_path": Path("new") / "custom.pdf"}, "new/custom.pdf"),
        ({"output_path": "file/", "use_original_filename": False}, "file"),
    ],
)
def test_a_file_is_saved_where_the_caller_means(api, client, call, folder, arguments, written):
    (folder / "there").mkdir()
    api.answers(*an_attachment())

    response = call(client.run_attachments, "save_to_file", ID, **arguments)

    assert response.data == {"path": str(Path(written)), "size": 4}
    assert (folder / written).read_bytes() == b"%PDF"


@pytest.mark.parametrize(
    "filename", ["../../etc/passwd", "/etc/passwd", "C:\\Windows\\passwd", "a/..\\passwd"]
)
def test_a_name_from_the_server_cannot_leave_the_folder(api, client, call, folder, filename):
    api.answers(*an_attachment(filename))

    response = call(client.run_attachments, "save_to_file", ID, output_path="there/")

    assert response.data["path"] == str(Path("there/passwd"))


@pytest.mark.parametrize("filename", ["", ".", "..", "a/", "a\\..", "a\0b"])
def test_a_name_that_is_none_is_an_error(api, client, call, folder, filename):
    api.answers(*an_attachment(filename))

    response = call(client.run_attachments, "save_to_file", ID)

    assert isinstance(response.error, ValueError)
    assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_the_error(api, client, call, folder):
    (folder / "file").write_bytes(b"")
    api.answers(*an_attachment())

    response = call(client.run_attachments, "save_to_file", ID, output_path="file/deeper/")

    assert isinstance(response.error, OSError)


def test_a_missing_attachment_is_not_downloaded(api, client, call, folder):
    api.answers(Scripted(404))

    response = call(client.run_attachments, "save_to_file", ID)

    assert response.error.status_code == 404
    assert len(api.asked) == 1


@given(st.text())
def test_a_safe_name_has_no_way_out(filename):
    try:
        name = safe_name(filename)
    except ValueError:
        return

    assert name not in ("", ".", "..")
    assert set(name).isdisjoint("/\\\0")
