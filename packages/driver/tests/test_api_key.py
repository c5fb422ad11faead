"""Where the key may come from."""

import io
from pathlib import Path

import pytest
from cyberdriver.api_key import ENVIRONMENT_VARIABLE, find_key
from cyberdriver.errors import NoKey

NO_INPUT = io.StringIO()


def a_key_file(folder: Path, text: str = "ak_1\n", mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_environment_gives_it_and_keeps_it_no_longer() -> None:
    environment = {ENVIRONMENT_VARIABLE: "ak_1", "HOME": "/h"}

    assert find_key(None, False, NO_INPUT, environment) == "ak_1"
    assert environment == {"HOME": "/h"}


def test_a_private_file_gives_it(tmp_path: Path) -> None:
    assert find_key(a_key_file(tmp_path), False, NO_INPUT, {}) == "ak_1"


def test_standard_input_gives_its_first_line() -> None:
    assert find_key(None, True, io.StringIO("ak_1\nrest"), {}) == "ak_1"


def test_a_named_source_goes_before_the_environment(tmp_path: Path) -> None:
    environment = {ENVIRONMENT_VARIABLE: "ak_2"}

    assert find_key(a_key_file(tmp_path), False, NO_INPUT, environment) == "ak_1"
    assert environment == {}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(NoKey, match="chmod 600"):
        find_key(a_key_file(tmp_path, mode=mode), False, NO_INPUT, {})


@pytest.mark.parametrize("text", ["", "\n", "two words", "ü", "x" * 513])
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(NoKey) as refused:
        find_key(a_key_file(tmp_path, text), False, NO_INPUT, {})

    assert "two words" not in str(refused.value)


def test_no_key_says_the_three_ways(tmp_path: Path) -> None:
    with pytest.raises(NoKey, match=r"CYBERDESK_AGENT_KEY.*--key-file.*--key-stdin"):
        find_key(None, False, NO_INPUT, {})
    with pytest.raises(NoKey, match="exclude each other"):
        find_key(tmp_path, True, NO_INPUT, {})
    with pytest.raises(NoKey, match="No such file"):
        find_key(tmp_path / "missing", False, NO_INPUT, {})
