"""A virtual desktop with a program in it, joined to a server by a driver process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cyberdesk_server.testing_programs import (
    Program,
    ServerProgram,
    driver_command,
    driver_environment,
    running,
)
from cyberdriver.backends.base import Size
from cyberdriver.desktop import VirtualDesktop

NAME = "bench"


@contextmanager
def joined(server: ServerProgram, size: Size, program: Sequence[str], folder: Path) -> Iterator[Program]:
    """The driver's process; desktop, program and driver end with the block."""
    with VirtualDesktop(size) as desktop, (folder / "program.log").open("wb") as output:
        desktop.run(program, output=output)
        command = driver_command(server, name=NAME, config_dir=folder / "config")
        environment = driver_environment(server, desktop.environment)
        with running(command, folder / "driver.log", environment) as driver:
            yield driver
