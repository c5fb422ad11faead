"""docs/reference/driver.md and the driver say the same.

An options table that does not fit the command line fails with the table that belongs there.
"""

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from cyberdriver.api_key import ENVIRONMENT_VARIABLE
from cyberdriver.audit import AUDIT_FILE
from cyberdriver.cli import app
from cyberdriver.errors import NO_DISPLAY_EXIT_CODE, DriverError, SettingsError
from cyberdriver.identity import IDENTITY_FILE, LOCK_FILE
from cyberdriver.joining import SHELLS_FOLDER
from cyberdriver.journal import JOURNAL_FILE
from cyberdriver.settings import SETTINGS_FILE, Settings, load_settings

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def options_table(command: Any) -> str:
    """A row for each option that is shown; empty when there is none."""
    rows = [
        f"| {' '.join(f'`{name}`' for name in option.opts)} | {variable(option)} | {default(option)} "
        f"| {option.help} |"
        for option in command.params
        if option.param_type_name == "option" and not option.hidden
    ]
    head = ["| option | environment | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) if rows else ""


def variable(option: Any) -> str:
    return f"`{option.envvar}`" if option.envvar else ""


def default(option: Any) -> str:
    return "off" if option.is_flag else f"`{option.default}`" if option.default else ""


def below(page: Any, command: str) -> str:
    """What stands below the heading of a command."""
    text: str = page.section("Commands").text
    (found,) = re.findall(rf"^### `cyberdriver {command}[^`]*`\n(.*?)(?=^###|\Z)", text, re.M | re.S)
    return str(found)


def test_the_page_has_a_heading_for_each_command(page: Callable[[str], Any]) -> None:
    headings = re.findall(r"^### `cyberdriver (\w+)", page("driver.md").section("Commands").text, re.M)

    assert headings == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_has_its_row(name: str, page: Callable[[str], Any]) -> None:
    table = options_table(COMMANDS[name])

    lines = [line for line in below(page("driver.md"), name).splitlines() if line.startswith("|")]

    assert "\n".join(lines) == table, f"write below the heading of {name}:\n\n{table}"


def test_every_environment_variable_of_an_option_has_its_row(page: Callable[[str], Any]) -> None:
    read = {option.envvar for command in COMMANDS.values() for option in command.params if option.envvar}

    told = {row[0].strip("`") for row in page("driver.md").section("Environment").rows}

    assert read | {ENVIRONMENT_VARIABLE} <= told


def test_every_setting_has_its_row(page: Callable[[str], Any], tmp_path: Path) -> None:
    keys = [row[0].strip("`") for row in page("driver.md").section("Settings").rows]

    assert len(keys) == len(set(keys)) == leaves(Settings())
    for key in keys:
        complaint = refusal_of(key, "{}", tmp_path)
        assert complaint is not None
        assert "is not a setting" not in complaint


def leaves(value: object) -> int:
    """How many settings there are."""
    if not is_dataclass(value):
        return 1
    return sum(leaves(getattr(value, field.name)) for field in fields(value))


def test_the_defaults_of_the_page_are_those_of_the_driver(page: Callable[[str], Any], tmp_path: Path) -> None:
    defaults = {
        row[0].strip("`"): row[1].strip("`") for row in page("driver.md").section("Settings").rows if row[1]
    }
    document = "".join(f"{key} = {written}\n" for key, written in defaults.items())
    (tmp_path / SETTINGS_FILE).write_text(document, encoding="utf-8")

    assert load_settings(tmp_path) == Settings()


def test_the_example_of_the_settings_is_read(page: Callable[[str], Any], tmp_path: Path) -> None:
    (example,) = page("driver.md").section("Settings").blocks("toml")
    (tmp_path / SETTINGS_FILE).write_text(example, encoding="utf-8")

    assert load_settings(tmp_path) != Settings()


def refusal_of(key: str, written: str, folder: Path) -> str | None:
    """What the driver says to this value."""
    (folder / SETTINGS_FILE).write_text(f"{key} = {written}\n", encoding="utf-8")
    try:
        load_settings(folder)
    except SettingsError as error:
        return str(error)
    return None


def test_every_exit_code_has_its_row(page: Callable[[str], Any]) -> None:
    told = [int(row[0]) for row in page("driver.md").section("Exit codes").rows]

    codes = {kind.exit_code for kind in (DriverError, *DriverError.__subclasses__())}
    assert told == sorted({0, NO_DISPLAY_EXIT_CODE} | codes)


def test_every_file_of_the_config_folder_has_its_row(page: Callable[[str], Any]) -> None:
    told = {row[0].strip("`") for row in page("driver.md").section("The config folder").rows}

    assert told == {
        IDENTITY_FILE,
        SETTINGS_FILE,
        JOURNAL_FILE,
        AUDIT_FILE,
        f"{AUDIT_FILE}.1",
        f"{SHELLS_FOLDER}/",
        LOCK_FILE,
    }
