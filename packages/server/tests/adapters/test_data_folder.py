"""The data folder: one server, one user."""

import subprocess
import sys
from pathlib import Path

import pytest
from cyberdesk_server.adapters.data_folder import DataFolder, DataFolderUnusable, write_private_file


def test_a_folder_is_made_for_one_user(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "data")

    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.close()


def test_a_folder_belongs_to_one_server(tmp_path: Path) -> None:
    first = DataFolder(tmp_path)

    with pytest.raises(DataFolderUnusable, match="in use by another server"):
        DataFolder(tmp_path)
    first.close()
    DataFolder(tmp_path).close()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = "import sys, os, signal; from pathlib import Path\n"
    code += "from cyberdesk_server.adapters.data_folder import DataFolder\n"
    code += "folder = DataFolder(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60)

    DataFolder(tmp_path).close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(DataFolderUnusable, match=r"file/data is not writable: Not a directory"):
        DataFolder(tmp_path / "file" / "data")


def test_a_secret_stays_what_it_was(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    first = folder.secret("master.key")

    assert len(first) == 32
    assert folder.secret("master.key") == first
    assert folder.secret("other.key") != first
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    folder.close()


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.secret("master.key")
    (tmp_path / "master.key").chmod(0o644)

    with pytest.raises(DataFolderUnusable, match=r"master\.key can be read by others"):
        folder.secret("master.key")
    folder.close()


def test_a_private_file_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)

    write_private_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [child.name for child in tmp_path.iterdir()] == ["key"]
