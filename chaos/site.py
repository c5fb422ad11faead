"""What is hit: servers behind a balancer, their database, and desktops with drivers and recorders.

The desktops and the terminals in them outlive every blow: they stand for the programs that a company runs,
and know what really was typed.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cyberdesk_server.testing.programs import (
    STOP_SECONDS,
    Program,
    ServerProgram,
    driver_environment,
    running,
    script,
    until,
)
from cyberdesk_server.testing.rows import PostgresqlForTests, a_postgresql
from cyberdriver.backends.base import Size
from cyberdriver.desktop import VirtualDesktop
from cyberdriver.testing import RecordingTerminal

from chaos.balancer import Balancer
from chaos.callers import client_of

DESKTOPS = 3
SCREEN = Size(640, 400)
SETTINGS = {"CYBERDESK_LOG_FORMAT": "json"}
"""All else is as operators have it."""


class Victim:
    """A real program that may be hit at any moment, and is started again."""

    def __init__(self, name: str, run: Callable[[], AbstractContextManager[Program]]) -> None:
        """`run` starts it until its block ends."""
        self.name = name
        self._run = run
        self._running = ExitStack()
        self._program: Program | None = None

    def start(self) -> None:
        self._program = self._running.enter_context(self._run())

    def kill(self) -> None:
        """`kill -9`."""
        self.program.kill()
        self._running.close()

    def stop(self) -> None:
        """Ask it to end, and wait until it has. Raises `TimeoutExpired` when it does not."""
        self.program.process.terminate()
        self.program.process.wait(STOP_SECONDS)
        self._running.close()

    def pause(self) -> None:
        """It does nothing from now on, and the system keeps its connections open."""
        self.program.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.program.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """It ends for good, paused or not."""
        if self._program is not None:
            self.resume()
        self._running.close()

    @property
    def is_up(self) -> bool:
        """False when it has ended, by itself or not."""
        return self._program is not None and self._program.process.poll() is None

    @property
    def program(self) -> Program:
        assert self._program is not None, f"{self.name} was never started"
        return self._program


@dataclass
class Site:
    """Everything that runs."""

    folder: Path
    database: PostgresqlForTests | None
    servers: list[Victim]
    balancer: Balancer
    drivers: list[Victim]
    recorders: dict[str, RecordingTerminal]
    """Of each desktop, by its driver's name."""

    api_key: str

    def typed(self) -> dict[str, bytes]:
        """What each desktop got until now, by its driver's name."""
        return {name: recorder.received(0) for name, recorder in self.recorders.items()}

    def fallen(self) -> list[str]:
        """The names of programs that have ended and should not have."""
        return [victim.name for victim in (*self.servers, *self.drivers) if not victim.is_up]

    def logs(self) -> list[Path]:
        """Of every server, one for each start."""
        return sorted(self.folder.glob("server-*/server-*.log"))


@contextmanager
def a_site(folder: Path, *, on_postgresql: bool) -> Iterator[Site]:
    """A site whose data and logs are in `folder`, until the block ends."""
    with ExitStack() as parts:
        database = parts.enter_context(a_postgresql()) if on_postgresql else None
        program = _server(folder / "server-1", database)
        server = parts.enter_context(closing(Victim("server-1", program.up)))
        server.start()
        balancer = parts.enter_context(Balancer([program.port]).up())
        recorders, drivers = {}, []
        for number in range(1, DESKTOPS + 1):
            name = f"driver-{number}"
            own = folder / name
            own.mkdir()
            desktop = parts.enter_context(VirtualDesktop(SCREEN))
            recorders[name] = parts.enter_context(RecordingTerminal(desktop, own))
            driver = _driver(name, own, balancer.url, driver_environment(program, desktop.environment))
            drivers.append(parts.enter_context(closing(driver)))
            driver.start()
        _wait_for_machines(balancer.url, program.api_key)
        yield Site(folder, database, [server], balancer, drivers, recorders, program.api_key)


def _server(folder: Path, database: PostgresqlForTests | None) -> ServerProgram:
    folder.mkdir(parents=True)
    settings = {"CYBERDESK_DATABASE_URL": database.url("postgres")} if database else {}
    return ServerProgram(folder, SETTINGS | settings)


def _driver(name: str, folder: Path, url: str, environment: dict[str, str]) -> Victim:
    command = [script("cyberdriver"), "join", f"--server={url}", f"--name={name}"]
    command.append(f"--config-dir={folder / 'config'}")
    return Victim(name, lambda: running(command, folder / "driver.log", environment))


def _wait_for_machines(url: str, api_key: str) -> None:
    with client_of(url, api_key) as client:

        def are_connected() -> bool:
            machines = client.machines.list_sync().unwrap().items
            return sum(machine.status == "connected" for machine in machines) == DESKTOPS

        until(are_connected, what=f"{DESKTOPS} machines connected")
