"""What ends the driver, each with one line for its user and an exit code.

    DriverError                 exit 1
     ├── SettingsError          exit 2   an option, a setting or the address is wrong
     ├── NoKey                  exit 2   no API key was given, or its file is open to others
     ├── KeyRefused             exit 3   the server does not accept the key
     ├── TurnedAway             exit 4   the server ended this machine's tunnel for good
     ├── AlreadyRunning         exit 5   another driver uses the same config folder
     └── ProgramFailed          exit 1   the program of a virtual desktop ended with an error

The desktop's own failures are in `backends.base`; the command line gives `NoDisplay` the exit code 6.
"""

from pathlib import Path
from typing import ClassVar

NO_DISPLAY_EXIT_CODE = 6


class DriverError(Exception):
    """Ends the driver with a line and an exit code."""

    exit_code: ClassVar[int] = 1


class SettingsError(DriverError):
    """Something the user wrote cannot be taken; the text names the option or setting."""

    exit_code = 2


class NoKey(DriverError):
    """There is no API key to join with; the text says how to give one."""

    exit_code = 2


class KeyRefused(DriverError):
    """The server answered the key with this HTTP status."""

    exit_code = 3

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return f"the server refused the API key (HTTP {self.status}); check it and join again"


class TurnedAway(DriverError):
    """The server closed the tunnel with a code that means: do not come back."""

    exit_code = 4

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the server ended the tunnel for good (close code {self.code})" + (
            f": {self.reason}" if self.reason else ""
        )


class AlreadyRunning(DriverError):
    """A driver with this identity runs here already, and joining again would end it."""

    exit_code = 5

    def __init__(self, config_folder: Path) -> None:
        super().__init__(config_folder)
        self.config_folder = config_folder

    def __str__(self) -> str:
        return (
            f"another cyberdriver already runs with {self.config_folder}; "
            "a second machine on this host needs its own --config-dir"
        )


class ProgramFailed(DriverError):
    """The program of a virtual desktop ended with an error."""

    def __init__(self, name: str, status: int) -> None:
        super().__init__(name, status)
        self.name = name
        self.status = status

    def __str__(self) -> str:
        return f"{self.name} ended with {self.status}"
