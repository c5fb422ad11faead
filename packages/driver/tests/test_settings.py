"""What an owner writes in settings.toml, and where it lies."""

from datetime import timedelta
from pathlib import Path

import pytest
from cyberdriver.errors import SettingsError
from cyberdriver.settings import (
    SETTINGS_FILE,
    Allowed,
    AuditSettings,
    KeepaliveSettings,
    Settings,
    config_folder,
    load_settings,
    make_config_folder,
)


def test_without_a_file_everything_is_allowed(tmp_path: Path) -> None:
    assert load_settings(tmp_path) == Settings()


def test_every_setting_is_read(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text(
        """
        [allow]
        input = false
        shell = false
        shell_commands = ["hostname", "ipconfig *"]
        clipboard = false
        files = false
        file_roots = ["/srv", "~/in"]
        shutdown = false
        update = false
        [shell]
        program = "sh"
        [keepalive]
        enabled = false
        idle_minutes = 1.5
        [audit]
        enabled = true
        max_megabytes = 2.5
        """
    )

    assert load_settings(tmp_path) == Settings(
        allow=Allowed(
            input=False,
            shell=False,
            shell_commands=("hostname", "ipconfig *"),
            clipboard=False,
            files=False,
            file_roots=(Path("/srv"), Path.home() / "in"),
            shutdown=False,
            update=False,
        ),
        shell_program="sh",
        keepalive=KeepaliveSettings(enabled=False, idle=timedelta(seconds=90)),
        audit=AuditSettings(enabled=True, max_bytes=2_500_000),
    )


def test_what_is_not_named_may_be_off(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("[allow]\nothers = false\ninput = true\n")

    assert load_settings(tmp_path).allow == Allowed(
        others=False, input=True, shell=False, clipboard=False, files=False, shutdown=False, update=False
    )


@pytest.mark.parametrize("command", ["hostname", "ipconfig /all", "ipconfig ", "type C:\\in\\a-b.txt"])
def test_named_commands_are_allowed(command: str) -> None:
    allowed = Allowed(shell_commands=("hostname", "ipconfig *", "type C:\\in\\*.txt"))

    assert allowed.allows_command(command)
    assert Allowed().allows_command(command)


@pytest.mark.parametrize(
    "command",
    [
        *("host", "hostname -f", " hostname", "hostname\n", "ipconfig", "ipconfigx /all", "IPCONFIG /all"),
        *(f"ipconfig {sign} reboot" for sign in ";&|<>`$(){}'\"#!*?[]\n\r\0^"),
        "ipconfig $(reboot)",
    ],
)
def test_nothing_is_smuggled_in_beside_a_named_command(command: str) -> None:
    assert not Allowed(shell_commands=("hostname", "ipconfig *")).allows_command(command)
    assert not Allowed(shell_commands=()).allows_command(command)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("allow = 1", "allow must be a table"),
        ("[allow]\nshell = 1", "allow.shell must be true or false"),
        ("[allow]\nshel = true", "allow.shel is not a setting"),
        ('[allow]\nshell_commands = "ls"', "allow.shell_commands must be a list of texts"),
        ("[audit]\nmax_megabytes = 0", "audit.max_megabytes must be a positive number"),
        ("[alow]", "alow is not a setting"),
        ('[allow]\nfile_roots = "/srv"', "allow.file_roots must be a list of folders"),
        ('[allow]\nfile_roots = ["srv"]', "allow.file_roots must hold absolute folders"),
        ('[shell]\nprogram = "cmd"', "shell.program must be one of sh, pwsh"),
        ("[keepalive]\nidle_minutes = 0", "keepalive.idle_minutes must be a positive number"),
        ("[keepalive]\nidle_minutes = true", "keepalive.idle_minutes must be a positive number"),
        ("= 1", "Invalid"),
        ("\udcff", "can't decode"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_setting(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text, errors="surrogateescape")

    with pytest.raises(SettingsError, match=complaint) as refused:
        load_settings(tmp_path)

    assert str(tmp_path / SETTINGS_FILE) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_folder_is_the_chosen_one_else_below_the_config_home() -> None:
    assert config_folder(Path("/x"), {"XDG_CONFIG_HOME": "/config"}) == Path("/x")
    assert config_folder(None, {"XDG_CONFIG_HOME": "/config"}) == Path("/config/cyberdriver")
    assert config_folder(None, {"XDG_CONFIG_HOME": "relative"}) == Path.home() / ".config/cyberdriver"
    assert config_folder(None, {}) == Path.home() / ".config/cyberdriver"


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = make_config_folder(tmp_path / "a" / "b")

    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"config folder .*file"):
        make_config_folder(tmp_path / "file")
