"""What the commands act upon, handed to each of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cyberdriver.commands.screen import Desktop
from cyberdriver.commands.shells import Shells
from cyberdriver.settings import Allowed


class Wakefulness(Protocol):
    """What the server may tell the keepalive; called from any thread."""

    def touch(self) -> None: ...

    def enable(self) -> None: ...

    def disable(self) -> None: ...


@dataclass(frozen=True)
class Desk:
    """One machine as its commands see it."""

    desktop: Desktop
    wakefulness: Wakefulness
    request_shutdown: Callable[[str], None]
    """Asks the driver to end, with a reason for its log; returns at once."""
    allowed: Allowed = field(default_factory=Allowed)
    shells: Shells = field(default_factory=Shells)
    transfers: Path = field(default_factory=lambda: Path.home() / "CyberdeskTransfers")
    """Where relative paths begin."""
    own_folder: Path | None = None
    """The driver's own: no file command gets in there, where what is allowed is written."""
