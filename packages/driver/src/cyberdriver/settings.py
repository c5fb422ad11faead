"""What the owner of a machine allows the server to do with it: `settings.toml` in the config folder.

Every table and key is optional:

    [allow]
    others = true                         # whatever is not named in this table; false: nothing but what is
    input = true                          # move the pointer, press and type
    shell = true                          # run commands
    shell_commands = ["ipconfig *"]       # only these; without it, every command
    clipboard = true                      # read the clipboard
    files = true                          # list, read and write files
    file_roots = ["~/CyberdeskTransfers"] # only below these folders; without it, everywhere
    shutdown = true                       # the server may end the driver
    update = true                         # the server may ask for an update

    [shell]
    program = "sh"                        # sh or pwsh; without it, pwsh where installed, else sh

    [keepalive]
    enabled = true                        # nudge the pointer when idle so that the session does not lock
    idle_minutes = 3

    [audit]
    enabled = false                       # write every request to audit.jsonl, without contents
    max_megabytes = 10                    # then it is put aside, in place of the one before

The driver itself keeps to it, whatever the server asks for.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from cyberdriver.errors import SettingsError

SETTINGS_FILE = "settings.toml"

_PLAIN = r"[\w .,:=/\\@%+~-]*"
"""What `*` stands for in a command: nothing that ends it, joins another, or is evaluated."""

ShellProgram = Literal["sh", "pwsh"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """The capabilities that are switched on."""

    others: bool = True
    """What the settings do not name."""
    input: bool = True
    shell: bool = True
    shell_commands: tuple[str, ...] | None = None
    """Commands that may run: in a pattern `*` stands for characters that mean nothing to a shell. None means
    all."""
    clipboard: bool = True
    files: bool = True
    file_roots: tuple[Path, ...] | None = None
    """Absolute folders; None means the whole file system."""
    shutdown: bool = True
    update: bool = True

    def allows_command(self, text: str) -> bool:
        """Whether the owner named this shell command, or none at all."""
        return self.shell_commands is None or any(
            re.fullmatch(_PLAIN.join(map(re.escape, pattern.split("*"))), text)
            for pattern in self.shell_commands
        )


@dataclass(frozen=True, slots=True)
class KeepaliveSettings:
    enabled: bool = True
    idle: timedelta = timedelta(minutes=3)
    """How long the server must have been silent before the pointer is nudged."""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    enabled: bool = False
    max_bytes: int = 10_000_000
    """Of the file, before it is put aside."""


@dataclass(frozen=True, slots=True)
class Settings:
    allow: Allowed = field(default_factory=Allowed)
    shell_program: ShellProgram | None = None
    keepalive: KeepaliveSettings = field(default_factory=KeepaliveSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)


def config_folder(chosen: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The chosen folder, else `cyberdriver` below `$XDG_CONFIG_HOME` or `~/.config`."""
    if chosen is not None:
        return chosen.expanduser().absolute()
    base = environment.get("XDG_CONFIG_HOME")
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".config"
    return root / "cyberdriver"


def make_config_folder(folder: Path) -> Path:
    """The folder, made for its owner only if it is not there yet. Raises `SettingsError`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"config folder {folder}: {error.strerror or error}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError(f"config folder {folder}: not writable")
    return folder


def load_settings(folder: Path) -> Settings:
    """The settings in this folder, the defaults without a file. Raises `SettingsError` naming the key."""
    path = folder / SETTINGS_FILE
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    tables = _Table(str(path), "", document)
    allow, shell, keepalive, audit = (tables.table(name) for name in ("allow", "shell", "keepalive", "audit"))
    others = allow.boolean("others", True)
    settings = Settings(
        allow=Allowed(
            others=others,
            input=allow.boolean("input", others),
            shell=allow.boolean("shell", others),
            shell_commands=allow.texts("shell_commands"),
            clipboard=allow.boolean("clipboard", others),
            files=allow.boolean("files", others),
            file_roots=allow.folders("file_roots"),
            shutdown=allow.boolean("shutdown", others),
            update=allow.boolean("update", others),
        ),
        shell_program=shell.shell_program("program"),
        keepalive=KeepaliveSettings(
            enabled=keepalive.boolean("enabled", True),
            idle=timedelta(minutes=keepalive.positive("idle_minutes", 3)),
        ),
        audit=AuditSettings(
            enabled=audit.boolean("enabled", False),
            max_bytes=round(audit.positive("max_megabytes", 10) * 1_000_000),
        ),
    )
    for table in (allow, shell, keepalive, audit, tables):
        table.refuse_the_rest()
    return settings


class _Table:
    """One table of the file; every key that is read is taken out, so that the rest can be refused."""

    def __init__(self, file: str, name: str, values: dict[str, Any]) -> None:
        self._file = file
        self._name = name
        self._values = dict(values)

    def table(self, name: str) -> "_Table":
        values = self._values.pop(name, {})
        if not isinstance(values, dict):
            raise self._wrong(name, "must be a table")
        return _Table(self._file, name, values)

    def boolean(self, key: str, default: bool) -> bool:
        value = self._values.pop(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "must be true or false")
        return value

    def positive(self, key: str, default: float) -> float:
        value = self._values.pop(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
            raise self._wrong(key, "must be a positive number")
        return float(value)

    def texts(self, key: str, noun: str = "texts") -> tuple[str, ...] | None:
        value = self._values.pop(key, None)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self._wrong(key, f"must be a list of {noun}")
        return tuple(value)

    def folders(self, key: str) -> tuple[Path, ...] | None:
        named = self.texts(key, "folders")
        if named is None:
            return None
        folders = tuple(Path(item).expanduser() for item in named)
        for folder in folders:
            if not folder.is_absolute():
                raise self._wrong(key, f"must hold absolute folders, not {str(folder)!r}")
        return folders

    def shell_program(self, key: str) -> ShellProgram | None:
        value = self._values.pop(key, None)
        match value:
            case "sh" | "pwsh" | None:
                return value
            case _:
                raise self._wrong(key, "must be one of " + ", ".join(get_args(ShellProgram)))

    def refuse_the_rest(self) -> None:
        for key in self._values:
            raise self._wrong(key, "is not a setting")

    def _wrong(self, key: str, reason: str) -> SettingsError:
        return SettingsError(f"{self._file}: {f'{self._name}.' if self._name else ''}{key} {reason}")
