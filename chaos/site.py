"""What is hit: servers behind a balancer, their database, and desktops with drivers and recorders.

The desktops and the terminals in them outlive every blow: they stand for the programs that a company runs,
and know what really was typed.
"""

import base64
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from cyberdesk_server.testing.programs import (
    START_SECONDS,
    Program,
    ServerProgram,
    driver_command,
    driver_environment,
    running,
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
GRACE_SECONDS = 40.0
"""How long a program may take that was asked to end, with requests and actions under way."""

SETTINGS = {"CYBERDESK_LOG_FORMAT": "json"}
"""All else is as operators have it."""


class Victim:
    """A real program that may be hit at any moment, and is started again meanwhile: a blow waits for that."""

    def __init__(self, name: str, run: Callable[[], AbstractContextManager[Program]]) -> None:
        """`run` starts it until its block ends."""
        self.name = name
        self._run = run
        self._running = ExitStack()
        self._starter = ThreadPoolExecutor(1, name)
        self._starting: Future[Program] | None = None

    def start(self) -> None:
        """Begin to start it; what it does from now on is its own affair."""
        self._starting = self._starter.submit(self._start)

    def kill(self) -> None:
        """`kill -9`."""
        self.program.kill()
        self._running.close()

    def stop(self) -> None:
        """Ask it to end, and wait until it has. Raises `TimeoutExpired` when it does not."""
        self.program.process.terminate()
        self.program.process.wait(GRACE_SECONDS)
        self._running.close()

    def pause(self) -> None:
        """It does nothing from now on, and the system keeps its connections open."""
        self.program.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.program.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """It ends for good, paused or not."""
        with suppress(TimeoutError, RuntimeError):  # of a start that failed, which has been told
            self.resume()
        self._running.close()
        self._starter.shutdown()

    @property
    def is_up(self) -> bool:
        """True once it has started, until it ends."""
        starting = self._starting
        if starting is None or not starting.done() or starting.exception():
            return False
        return starting.result().process.poll() is None

    @property
    def has_fallen(self) -> bool:
        """True when it has ended by itself, or did not start."""
        return self._starting is not None and self._starting.done() and not self.is_up

    @property
    def program(self) -> Program:
        """The program, once it has started. Raises what kept it from that."""
        assert self._starting is not None, f"{self.name} was never started"
        return self._starting.result(2 * START_SECONDS)

    def wait_until_up(self) -> None:
        """Raises what kept it from starting."""
        _ = self.program

    def _start(self) -> Program:
        """As a supervisor does it: again, when it ends because its database is away."""
        give_up_at = monotonic() + START_SECONDS
        while True:
            try:
                return self._running.enter_context(self._run())
            except RuntimeError:
                if monotonic() > give_up_at:
                    raise


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

    def typed(self) -> dict[str, bytes]:
        """What each desktop got until now, by its driver's name."""
        return {name: recorder.received(0) for name, recorder in self.recorders.items()}

    def settle(self) -> None:
        """Wait until everything that was started again is up."""
        for victim in (*self.servers, *self.drivers):
            victim.wait_until_up()

    def fallen(self) -> list[str]:
        """The names of programs that have ended by themselves."""
        return [victim.name for victim in (*self.servers, *self.drivers) if victim.has_fallen]

    def logs(self) -> list[Path]:
        """Of every server, one for each start."""
        return sorted(self.folder.glob("server-*/server-*.log"))


@contextmanager
def a_site(folder: Path, *, on_postgresql: bool) -> Iterator[Site]:
    """A site whose data and logs are in `folder`, until the block ends: on PostgreSQL with two servers."""
    with ExitStack() as parts:
        database = parts.enter_context(a_postgresql()) if on_postgresql else None
        programs = [_server(folder, number, database) for number in range(1, 3 if database else 2)]
        servers = []
        for program in programs:
            program.api_key = programs[0].api_key
            server = parts.enter_context(closing(Victim(program.folder.name, program.up)))
            server.start()
            server.wait_until_up()  # it has a port and a key from now on
            servers.append(server)
        balancer = parts.enter_context(Balancer(programs).up())
        recorders, drivers = {}, []
        for number in range(1, DESKTOPS + 1):
            own = folder / f"driver-{number}"
            own.mkdir()
            desktop = parts.enter_context(VirtualDesktop(SCREEN))
            recorders[own.name] = parts.enter_context(RecordingTerminal(desktop, own))
            drivers.append(parts.enter_context(closing(_driver(own, balancer, desktop))))
            drivers[-1].start()
        _wait_for_machines(balancer)
        yield Site(folder, database, servers, balancer, drivers, recorders)


def _server(folder: Path, number: int, database: PostgresqlForTests | None) -> ServerProgram:
    own = folder / f"server-{number}"
    own.mkdir()
    shared = {
        "CYBERDESK_DATABASE_URL": database.url("postgres") if database else "",
        "CYBERDESK_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
        "CYBERDESK_BLOB_URL": f"file://{folder}/blobs",
    }
    return ServerProgram(own, SETTINGS | (shared if database else {}))


def _driver(folder: Path, balancer: Balancer, desktop: VirtualDesktop) -> Victim:
    command = driver_command(balancer, name=folder.name, config_dir=folder / "config")
    environment = driver_environment(balancer, desktop.environment)
    return Victim(folder.name, lambda: running(command, folder / "driver.log", environment))


def _wait_for_machines(balancer: Balancer) -> None:
    with client_of(balancer) as client:

        def are_connected() -> bool:
            machines = client.machines.list_sync().unwrap().items
            return sum(machine.status == "connected" for machine in machines) == DESKTOPS

        until(are_connected, what=f"{DESKTOPS} machines connected")
