"""Keeps servers and drivers running: who dies is started again, and now and then a server is upgraded."""

import asyncio
from random import Random
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from simulation.blobs import ShakyBlobs
from simulation.database import Disk
from simulation.driver import Desktop, Driver
from simulation.faults import Faults
from simulation.loop import Host, SimulatedLoop
from simulation.network import Line, Network
from simulation.server import Server
from simulation.story import Story, Violation

RESTART_SECONDS = 20.0
LONG_RESTART_SECONDS = 100.0
"""For a desktop: it may be switched off for a while."""

LOST_FOLDERS = 1 / 4
UPGRADES = 1 / 3
UPGRADE_SECONDS = 120.0
"""A server that is to be upgraded runs for at most so long."""

STOPPING_SECONDS = 30.0
"""How long it may take to stop in good order."""

RECONNECT_SECONDS = 3.0


class Operator:
    """Of one site."""

    def __init__(
        self,
        loop: SimulatedLoop,
        story: Story,
        chance: Random,
        disk: Disk,
        blobs: ShakyBlobs,
        network: Network,
        faults: Faults,
    ) -> None:
        self.servers: list[Server] = []
        """Those that have not died."""

        self._loop = loop
        self._story = story
        self._chance = chance
        self._disk = disk
        self._blobs = blobs
        self._network = network
        self._faults = faults
        self._lines: list[Line] = []

    def some_server(self) -> Server | None:
        """Whom a load balancer names: it may be frozen."""
        return self._chance.choice(self.servers) if self.servers else None

    def cut_all_lines(self) -> None:
        """Every driver dials anew."""
        for line in self._lines:
            line.cut()
        self._lines.clear()

    async def keep_server(self, name: str) -> None:
        """One process after another, for ever. Raises `Violation` when one ends by itself."""
        while True:
            host, death = self._started(name, self._faults.servers)
            server = Server(
                host,
                self._folder_of(name),
                self._disk.database_for(host),
                self._loop,
                self._network,
                self._blobs,
                self._chance,
            )
            if await self._is_done(host.spawn(server.begin()), death):
                self.servers.append(server)
                await self._run(server, death)
                self.servers.remove(server)
            if not host.is_dead:
                host.die()
            await asyncio.sleep(self._chance.random() * RESTART_SECONDS)

    async def keep_driver(self, desktop: Desktop) -> None:
        """One process after another, for ever."""
        while True:
            host, death = self._started(desktop.name, self._faults.drivers)
            dialling = host.spawn(self._dial(Driver(desktop, self._chance, host), desktop, host))
            await asyncio.wait((death, dialling), return_when=asyncio.FIRST_COMPLETED)
            if dialling.done():
                dialling.result()
            await asyncio.sleep(self._chance.random() ** 3 * LONG_RESTART_SECONDS)

    def _started(self, name: str, alike: list[Host]) -> tuple[Host, asyncio.Future[None]]:
        """A host, and what is done when it dies."""
        host = self._loop.new_host(name)
        death: asyncio.Future[None] = self._loop.create_future()
        alike.append(host)

        def bury() -> None:
            self._story.add("dies", who=host)
            alike.remove(host)
            death.set_result(None)

        host.at_death.append(bury)
        self._story.add("starts", who=host)
        return host, death

    def _folder_of(self, name: str) -> str:
        """Usually the one of the process before; sometimes that one is lost with its machine."""
        is_lost = self._chance.random() < LOST_FOLDERS
        return f"{name} {self._chance.getrandbits(32)}" if is_lost else name

    async def _is_done(self, work: asyncio.Task[None], death: asyncio.Future[None]) -> bool:
        """False when the host died over it, or the database failed."""
        await asyncio.wait((work, death), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            return False
        error = work.exception()
        if error is not None and not isinstance(error, SQLAlchemyError):
            raise error
        return error is None

    async def _run(self, server: Server, death: asyncio.Future[None]) -> None:
        """Until the server is no more, or has stopped."""
        running = server.host.spawn(server.run())
        is_upgraded = self._chance.random() < UPGRADES
        lifetime = self._chance.random() * UPGRADE_SECONDS if is_upgraded else None
        await asyncio.wait((running, death), timeout=lifetime, return_when=asyncio.FIRST_COMPLETED)
        if not (running.done() or death.done()):
            self._story.add("is to stop", who=server.host)
            server.stop()
            await asyncio.wait(
                (running, death), timeout=STOPPING_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
        if running.done():
            if (error := running.exception()) is not None:
                raise Violation(f"{server.host} ended by itself: {error!r}")
            await self._is_done(server.host.spawn(server.end()), death)

    async def _dial(self, driver: Driver, desktop: Desktop, host: Host) -> None:
        while True:
            server = self.some_server()
            if server is not None:
                line = Line(self._network, host, server.host, desktop.headers)
                self._lines.append(line)
                server.host.spawn(self._hold(server, line))
                await driver.serve(line)
            await asyncio.sleep(self._chance.random() * RECONNECT_SECONDS)

    async def _hold(self, server: Server, line: Line) -> None:
        """As uvicorn does it: an error costs this line and nothing else."""
        try:
            await server.hold(line)
        except SQLAlchemyError as error:
            self._story.add("the gateway drops a line", error=type(error).__name__)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Any) -> None:
        self._loop.call_exception_handler({"message": "a tunnel failed", "exception": error})
