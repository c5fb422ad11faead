"""One process of the server: its gateway, its worker and its chores, all of them the real code."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from cyberdesk_server.adapters.desktop import TunnelDesktop
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.executor.parts import CheckParts, ExecutorParts, Limits
from cyberdesk_server.gateway import Gateway
from cyberdesk_server.store.claims import CheckClaim, Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import PrintedReader
from cyberdesk_server.testing.rows import NOON
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases import servers
from cyberdesk_server.usecases.keys import KeyUses
from cyberdesk_server.usecases.servers import Lookout
from cyberdesk_server.worker import Worker, WorkerLimits
from cyberdesk_server.worker.chores import Lives, Upkeep, chores
from cyberdesk_server.worker.timers import keep_doing
from cyberdesk_server.worker.worker import RENEWALS_PER_LEASE

from simulation.blobs import ShakyBlobs
from simulation.loop import Host, SimulatedLoop
from simulation.models import SimulatedModel
from simulation.network import Line, LossyBus, Network

MASTER_KEY = MasterKey(b"m" * 32)
LEASE_SECONDS = 30.0
"""Longer than usual, as are the other times: what happens now and then costs most of a simulation's time."""

CHORE_SECONDS = 10.0
"""Between two times of any chore, at least."""

LIVES = Lives(idle_session=timedelta(seconds=90), request_log=timedelta(days=30), webhook=timedelta(days=30))
WORKER_LIMITS = WorkerLimits(concurrency=3, lease_seconds=LEASE_SECONDS, sweep_seconds=10.0)
LIMITS = Limits(run_time_limit_seconds=600.0, stop_sweep_seconds=10.0, max_failures_in_a_row=3)


class HostClock:
    """A `ports.Clock` that goes as its host believes."""

    def __init__(self, loop: SimulatedLoop, host: Host) -> None:
        self._loop = loop
        self._host = host

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._loop.time() + self._host.skew_seconds)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Server:
    """From its start to its death. What is here is in `bootstrap`, but for HTTP."""

    def __init__(
        self,
        host: Host,
        folder: str,
        database: Database,
        loop: SimulatedLoop,
        network: Network,
        blobs: ShakyBlobs,
        chance: Random,
    ) -> None:
        """`folder` names the data folder it is alone on."""
        self.id = ServerId(f"{host.name} {chance.getrandbits(32):08x}")
        self.host = host
        self.database = database
        self.clock = HostClock(loop, host)
        self.bus = LossyBus(network)
        self.vault = EnvelopeVault(MASTER_KEY)
        self._folder = folder
        self._blobs = blobs
        self._gateway = Gateway(self.id, database, self.bus, self.clock, KeyUses())

        async def check_parts_for(claim: CheckClaim) -> CheckParts:
            return CheckParts(
                database=database,
                model=SimulatedModel(claim, network, chance),
                blobs=blobs,
                bus=self.bus,
                clock=self.clock,
                limits=LIMITS,
            )

        async def parts_for(claim: Claim) -> ExecutorParts:
            return ExecutorParts(
                database=database,
                desktop=TunnelDesktop(self.bus, claim.machine.id, claim.machine.features, self.clock),
                model=SimulatedModel(claim, network, chance),
                reader=PrintedReader(),
                blobs=blobs,
                vault=self.vault,
                bus=self.bus,
                clock=self.clock,
                limits=LIMITS,
            )

        self._worker = Worker(
            self.id, database, self.bus, self.clock, parts_for, check_parts_for, WORKER_LIMITS
        )
        self._lookout = Lookout(database, self.id, self.clock, patience_seconds=LEASE_SECONDS)
        self._stop = asyncio.Event()

    async def begin(self) -> None:
        """Before anything runs. What it raises keeps the server from starting."""
        await servers.begin(self.database, self.id, folder=self._folder, now=self.clock.now())

    async def run(self) -> None:
        """Until `stop`."""
        table = chores(
            Upkeep(
                self.database,
                self._blobs,
                self.vault,
                self.bus,
                self.clock,
                LIVES,
                KeyUses(),
                machine_down_seconds=60.0,
            ),
            stay_alive=self._stay_alive,
            sign_seconds=LEASE_SECONDS / RENEWALS_PER_LEASE,
            check_tunnels=self._gateway.check_tunnels,
            check_keys=self._gateway.check_keys,
        )
        rare = [replace(chore, every_seconds=max(chore.every_seconds, CHORE_SECONDS)) for chore in table]
        async with asyncio.TaskGroup() as group:
            worker = group.create_task(self._worker.run())
            upkeep = group.create_task(keep_doing(self.clock, rare))
            await self._stop.wait()
            await self._worker.stop()
            await worker
            upkeep.cancel()
            await self._gateway.close()

    async def end(self) -> None:
        """After `run`."""
        await servers.end(self.database, self.id, now=self.clock.now())

    def stop(self) -> None:
        """Let `run` end in good order, as a new version does with the old one."""
        self._stop.set()

    async def hold(self, line: Line) -> None:
        """Let a driver in."""
        try:
            await self._gateway(line.scope, line.receive, line.send)
        finally:
            line.cut()

    async def _stay_alive(self) -> None:
        if not await servers.give_sign(self.database, self.id, folder=self._folder, now=self.clock.now()):
            await self._gateway.send_away()
        if await self._lookout.look():
            await self.bus.publish(MACHINES_FREE)
