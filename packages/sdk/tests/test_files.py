"""Images that go up and attachments that come down."""

from __future__ import annotations

import datetime as dt
import inspect
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyberdesk import FileInput
from cyberdesk._files import CHUNK_BYTES, PartialFile, safe_name, target
from cyberdesk._flow import Answer, Block, ReadClock, Reading, Send
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


@pytest.mark.parametrize("filename", ["", ".", "..", "a/", "a\\..", " . "])
def test_a_name_that_is_none_is_an_error(api, client, call, folder, filename):
    api.answers(*an_attachment(filename))

    response = call(client.run_attachments, "save_to_file", ID)

    assert isinstance(response.error, ValueError)
    assert list(folder.iterdir()) == []


def test_a_name_that_is_none_does_not_matter_where_another_was_given(api, client, call, folder):
    api.answers(*an_attachment(".."))

    response = call(client.run_attachments, "save_to_file", ID, output_path="own.pdf")

    assert response.data == {"path": "own.pdf", "size": 4}


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


def test_a_download_that_breaks_begins_anew(api, patient_client, call, folder):
    api.answers(
        Scripted(200, json={"id": ID, "filename": "a.bin"}),
        Scripted(200, content=b"x" * 5000, dropped_after=3000),
        Scripted(200, content=b"y" * 4000),
    )

    response = call(patient_client.run_attachments, "save_to_file", ID)

    assert response.data == {"path": "a.bin", "size": 4000}
    assert (folder / "a.bin").read_bytes() == b"y" * 4000


@pytest.mark.parametrize("answer", [Scripted(200, content=b"x" * 5000, dropped_after=3000), Scripted(404)])
def test_a_download_that_fails_leaves_what_was_there(api, client, call, folder, answer):
    (folder / "a.bin").write_bytes(b"before")
    api.answers(Scripted(200, json={"id": ID, "filename": "a.bin"}), answer)

    response = call(client.run_attachments, "save_to_file", ID)

    assert response.error is not None
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("a.bin", b"before")]


def test_a_refused_download_says_why(api, client, call, folder):
    api.answers(
        Scripted(200, json={"id": ID, "filename": "a.bin"}), Scripted(410, json={"detail": "expired"})
    )

    response = call(client.run_attachments, "save_to_file", ID)

    assert str(response.error) == "HTTP 410 Gone: expired"


def test_a_download_is_in_memory_piece_by_piece(api, client, call, folder, monkeypatch):
    sizes = []
    write = PartialFile.write
    monkeypatch.setattr(
        PartialFile, "write", lambda file, chunk: (sizes.append(len(chunk)), write(file, chunk))
    )
    content = bytes(range(256)) * 14 * 1024
    api.answers(Scripted(200, json={"id": ID, "filename": "a.bin"}), Scripted(200, content=content))

    response = call(client.run_attachments, "save_to_file", ID)

    assert response.content == b""
    assert (folder / "a.bin").read_bytes() == content
    assert sizes == [CHUNK_BYTES] * 3 + [CHUNK_BYTES // 2]


def test_a_link_that_is_there_is_replaced_and_not_followed(api, client, call, folder):
    (folder / "elsewhere").write_bytes(b"precious")
    (folder / "there").mkdir()
    (folder / "there" / "report.pdf").symlink_to(folder / "elsewhere")
    api.answers(*an_attachment())

    call(client.run_attachments, "save_to_file", ID, output_path="there")

    assert (folder / "elsewhere").read_bytes() == b"precious"
    assert (folder / "there" / "report.pdf").read_bytes() == b"%PDF"


def test_an_interrupted_download_leaves_nothing(client, folder):
    flow = inspect.unwrap(type(client.run_attachments).save_to_file)(client.run_attachments, ID)
    answer = None
    while True:
        match flow.send(answer):
            case Send(request) if request.into is not None:
                request.into.start()
                request.into.write(b"half")
                break
            case Send():
                answer = Answer(200, {}, b'{"filename": "a.bin"}')
            case Block(function):
                answer = function()
            case ReadClock():
                answer = Reading(0.0, dt.datetime.now(dt.timezone.utc))

    flow.close()
    request.into.start()
    request.into.write(b"late")

    assert list(folder.iterdir()) == []


def test_an_input_file_is_read_from_its_path(folder):
    (folder / "in.txt").write_bytes(b"Ada")

    plain = FileInput.from_path("in.txt")
    placed = FileInput.from_path(
        folder / "in.txt", "~/Desktop/", filename="b.txt", cleanup_imports_after_run=True
    )

    assert plain == FileInput(filename="in.txt", content="QWRh")
    assert plain.to_dict() == {"filename": "in.txt", "content": "QWRh", "cleanup_imports_after_run": False}
    assert placed == FileInput("b.txt", "QWRh", "~/Desktop/", True)
    with pytest.raises(FileNotFoundError):
        FileInput.from_path("nowhere.txt")


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("Ärzte 2025.pdf", "Ärzte 2025.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\b.txt", "b.txt"),
        (".bashrc", "bashrc"),
        ("...a", "a"),
        ("a.txt. .", "a.txt"),
        ("a\0b", "a_b"),
        ("line\nbreak", "line_break"),
        ("what?.pdf", "what_.pdf"),
        ("a.txt:stream", "a.txt_stream"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("Com1 .log", "_Com1 .log"),
        ("console.txt", "console.txt"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("\ud800", "_"),
    ],
)
def test_a_name_becomes_one_that_every_system_can_carry(filename, name):
    assert safe_name(filename) == name


@given(st.text())
def test_no_name_leads_out_of_its_folder(filename):
    try:
        path = target("there/", filename, use_original_filename=True)
    except ValueError:
        return

    assert path.parent == Path("there")
    assert Path(os.path.normpath(path)) == path
    assert os.fsencode(path)


@given(st.text())
def test_a_safe_name_stays_as_it_is(filename):
    try:
        name = safe_name(filename)
    except ValueError:
        return

    assert safe_name(name) == name
    assert not name.startswith(".")
    assert set(name).isdisjoint("/\\\0:")
