"""A worker with everything real but the desktop and the model."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import OrganizationId, RunId, ServerId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.executor.parts import CheckParts, ExecutorParts, Limits
from cyberdesk_server.store import leases, machines, runs
from cyberdesk_server.store.claims import CheckClaim, Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import FunctionModel, MemoryBlobs, PrintedReader, ScriptedDesktop
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from cyberdesk_server.worker import Worker, WorkerLimits
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass
class Floor:
    """Where workers work: one organization with one workflow and its machines."""

    database: Database
    bus: InProcessBus
    organization_id: OrganizationId
    workflow: Workflow
    desktop: ScriptedDesktop = field(default_factory=ScriptedDesktop)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    made: int = 0

    def worker(self, model: FunctionModel, server_id: ServerId = HERE, **limits: Any) -> Worker:
        surroundings: dict[str, Any] = {
            "database": self.database,
            "model": model,
            "blobs": self.blobs,
            "bus": self.bus,
            "clock": SystemClock(),
            "limits": Limits(still_screen_seconds=0.01, look_pause_seconds=0.001),
        }

        async def parts_for(claim: Claim) -> ExecutorParts:
            return ExecutorParts(
                **surroundings,
                desktop=self.desktop,
                reader=PrintedReader(),
                vault=EnvelopeVault(MasterKey(b"m" * 32)),
            )

        async def check_parts_for(claim: CheckClaim) -> CheckParts:
            return CheckParts(**surroundings)

        # Nobody is woken by the sweep unless a test says so: a lost wake-up makes it hang.
        chosen = WorkerLimits(**({"sweep_seconds": 600.0, "lease_seconds": 600.0} | limits))
        return Worker(server_id, self.database, self.bus, SystemClock(), parts_for, check_parts_for, chosen)

    @asynccontextmanager
    async def working(self, worker: Worker) -> AsyncIterator[None]:
        """While the context is open the worker runs; at its end it stops gracefully."""
        running = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            await worker.stop()
            await running

    async def machine(self, **fields: Any) -> Machine:
        async with self.database.transaction() as conn:
            return await a_machine(conn, self.organization_id, **fields)

    async def run(self, **fields: Any) -> Run:
        async with self.database.transaction() as conn:
            return await a_run(conn, self.workflow, **fields)

    async def run_in(self, conn: AsyncConnection, **fields: Any) -> Run:
        """A run written in this transaction, younger than those before."""
        self.made += 1
        return await a_run(conn, self.workflow, created_at=NOON + timedelta(seconds=self.made), **fields)

    async def started_earlier(self, run_id: RunId, *, seconds: float) -> None:
        """What time does to a run that goes on."""
        earlier = datetime.now(UTC) - timedelta(seconds=seconds)
        async with self.database.transaction() as conn:
            await runs.update_fields(conn, run_id, {"started_at": earlier})

    async def announced_run(self, **fields: Any) -> Run:
        run = await self.run(**fields)
        await self.bus.publish("runs.waiting")
        return run

    async def claim(self, *, lease_seconds: float) -> Claim:
        """What a worker gets that asks now; there is something."""
        async with self.database.transaction() as conn:
            claim = await claim_next(conn, server_id=HERE, now=datetime.now(UTC), lease_seconds=lease_seconds)
        assert claim is not None
        return claim

    async def cancel(self, run_id: RunId) -> None:
        async with self.database.transaction() as conn:
            await runs.end(conn, run_id, status=RunStatus.CANCELLED, changes={}, now=datetime.now(UTC))
        await self.bus.publish(f"run.{run_id}")

    async def expire_leases(self) -> None:
        """What time does to the lease of a worker that is gone."""
        async with self.database.transaction() as conn:
            await leases.expire(conn, HERE, now=datetime.now(UTC))

    async def now(self, run_id: RunId) -> Run:
        async with self.database.read() as conn:
            run = await runs.get(conn, self.organization_id, run_id)
        assert run is not None
        return run

    async def until(self, run_id: RunId, holds: Callable[[Run], bool]) -> Run:
        """The run as soon as this holds for it; looked at whenever something about it changes."""
        async with self.bus.listen(f"run.{run_id}") as changes:
            while not holds(run := await self.now(run_id)):
                await anext(changes)
        return run

    async def is_free(self, machine: Machine) -> bool:
        """True when a waiting run could be given this machine."""
        async with self.database.read() as conn:
            found = await machines.get(conn, self.organization_id, machine.id)
        assert found is not None
        return found.held_by_run_id is None


@pytest.fixture
def floor_of() -> type[Floor]:
    """How a floor is made on a database of one's own."""
    return Floor


@pytest.fixture
async def floor(any_database: Database) -> Floor:
    async with any_database.transaction() as conn:
        organization_id = await an_organization(conn)
        workflow = await a_workflow(conn, organization_id)
    return Floor(any_database, InProcessBus(), organization_id, workflow)
