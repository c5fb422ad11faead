"""A machine keeps its identity, and joins once."""

from pathlib import Path

import pytest
from cyberdriver.errors import AlreadyRunning, SettingsError
from cyberdriver.identity import IDENTITY_FILE, load_identity, reset_identity, sole_user_of


def test_an_identity_is_made_once_and_kept(tmp_path: Path) -> None:
    first = load_identity(tmp_path)

    assert first.version == 4
    assert load_identity(tmp_path) == first


def test_a_reset_makes_another_machine(tmp_path: Path) -> None:
    first = load_identity(tmp_path)

    assert reset_identity(tmp_path) != first
    assert load_identity(tmp_path) != first


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    load_identity(tmp_path)

    assert (tmp_path / IDENTITY_FILE).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [IDENTITY_FILE]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"fingerprint": 1}', '{"fingerprint": "x"}', "\x00"])
def test_a_damaged_file_is_one_line_that_says_how_to_go_on(tmp_path: Path, text: str) -> None:
    (tmp_path / IDENTITY_FILE).write_text(text)

    with pytest.raises(SettingsError, match="identity --reset"):
        load_identity(tmp_path)


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        reset_identity(tmp_path / "missing")


def test_two_drivers_do_not_share_a_folder(tmp_path: Path) -> None:
    with sole_user_of(tmp_path), pytest.raises(AlreadyRunning, match="--config-dir"), sole_user_of(tmp_path):
        pass

    with sole_user_of(tmp_path):
        pass
