"""Virtual desktops with a program in them: by themselves, or joined to a server by a driver process."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cyberdesk_server.testing.programs import (
    Program,
    ServerProgram,
    driver_command,
    driver_environment,
    running,
)
from cyberdriver.backends.base import Size
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import eventually

NAME = "bench"
PAINTED_VERSIONS = 20
"""So many different pictures show that the office is painted and its counter moves."""


def office(size: Size, *, is_busy: bool) -> list[str]:
    """The command of `bench.office`."""
    return [sys.executable, "-m", "bench.office", str(size), *(["--busy"] * is_busy)]


@contextmanager
def busy_office(size: Size) -> Iterator[VirtualDesktop]:
    """A desktop full of `bench.office`, which changes all the time."""
    with VirtualDesktop(size) as desktop:
        desktop.run(office(size, is_busy=True))
        with desktop.open_backend() as backend:
            assert eventually(lambda: backend.capture().version > PAINTED_VERSIONS), (
                "the office does not move"
            )
        yield desktop


@contextmanager
def joined(server: ServerProgram, size: Size, program: Sequence[str], folder: Path) -> Iterator[Program]:
    """The driver's process; desktop, program and driver end with the block."""
    with VirtualDesktop(size) as desktop, (folder / "program.log").open("wb") as output:
        desktop.run(program, output=output)
        command = driver_command(server, name=NAME, config_dir=folder / "config")
        environment = driver_environment(server, desktop.environment)
        with running(command, folder / "driver.log", environment) as driver:
            yield driver
