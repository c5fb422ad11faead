"""Names and places of files."""

import pytest
from cyberdesk_server.domain.attachments import MAX_NAME_BYTES, inside, names_a_folder, safe_name
from hypothesis import given
from hypothesis import strategies as st


@given(st.text())
def test_a_safe_name_is_one_part_of_a_path_on_every_system(filename: str) -> None:
    name = safe_name(filename)

    assert 0 < len(name.encode("utf-8", "replace")) <= MAX_NAME_BYTES
    assert name.isprintable()
    assert not set(name) & set('<>:"/\\|?*')
    assert name not in (".", "..")
    assert not name.endswith((".", " "))
    assert safe_name(name) == name


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("łóżko 1.txt", "łóżko 1.txt"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\me\a:b?.txt", "a_b_.txt"),
        ("a\r\nb.txt", "a__b.txt"),
        ("..", "file"),
        ("/", "file"),
        ("x" * 500 + ".pdf", "x" * 196 + ".pdf"),
        (".bashrc", ".bashrc"),
    ],
)
def test_a_safe_name_stays_as_close_as_it_can(filename: str, name: str) -> None:
    assert safe_name(filename) == name


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("~/CyberdeskTransfers/", "~/CyberdeskTransfers/a.txt"),
        ("/tmp", "/tmp/a.txt"),
        ("C:\\in\\", "C:\\in\\a.txt"),
        ("C:/in/", "C:/in/a.txt"),
        ("~", "~/a.txt"),
        ("/", "/a.txt"),
    ],
)
def test_a_file_goes_into_a_folder(folder: str, path: str) -> None:
    assert inside(folder, "a.txt") == path


def test_a_path_says_that_it_is_a_folder_by_its_end() -> None:
    assert [names_a_folder(path) for path in ("~/in/", "C:\\in\\", "~", "~/in", "C:\\in\\a.txt")] == [
        True,
        True,
        True,
        False,
        False,
    ]
