"""A claimed run in a real database, and everything it is executed with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault.envelope import EnvelopeVault, MasterKey
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import SecretId
from cyberdesk_server.domain.json import JsonValue
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.steps import Step
from cyberdesk_server.domain.trajectories import Trajectory
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.executor.loop import execute
from cyberdesk_server.executor.parts import ExecutorParts, Limits
from cyberdesk_server.ports import Model, SecretContext
from cyberdesk_server.store import attachments, leases, runs, secrets, steps, trajectories
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.types import to_json
from cyberdesk_server.testing.ports import (
    ManualClock,
    MemoryBlobs,
    PrintedReader,
    ScriptedDesktop,
)
from cyberdesk_server.testing.rows import (
    HERE,
    a_machine,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from cyberdesk_server.usecases.trajectories import record

LEASE_SECONDS = 60.0


@dataclass
class Stage:
    """One run from its claim to its ending, and all the parts around it."""

    database: Database
    desktop: ScriptedDesktop = field(default_factory=ScriptedDesktop)
    bus: InProcessBus = field(default_factory=InProcessBus)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    clock: ManualClock = field(default_factory=ManualClock)
    vault: EnvelopeVault = field(default_factory=lambda: EnvelopeVault(MasterKey(b"k" * 32)))
    limits: Limits = field(default_factory=Limits)
    run_id: Any = None

    async def a_waiting_run(
        self,
        *,
        inputs: Mapping[str, JsonValue] | None = None,
        hidden: Mapping[str, JsonValue] | None = None,
        machine_parameters: Mapping[str, JsonValue] | None = None,
        **workflow: Any,
    ) -> Run:
        """A run of a new organization, with these inputs and secrets, that waits for its one machine."""
        async with self.database.transaction() as conn:
            organization_id = await an_organization(conn, f"org_{uuid4().hex}")
            made = await a_workflow(conn, organization_id, **workflow)
            await a_machine(
                conn,
                organization_id,
                features=frozenset({"action-journal"}),
                machine_parameters=machine_parameters,
            )
            aliases = {name: name for name in hidden or {}}
            run = await a_run(conn, made, input_values=inputs, sensitive_input_aliases=aliases)
            sealed = {}
            for name, value in (hidden or {}).items():
                secret_id = SecretId(uuid4())
                context = SecretContext(organization_id, secret_id)
                sealed[name] = (secret_id, await self.vault.seal(to_json(value), context))
            await secrets.add_for_run(conn, organization_id, run.id, sealed)
        self.run_id = run.id
        return run

    async def another_run(self, workflow: Workflow, *, inputs: Mapping[str, JsonValue]) -> Run:
        """Another waiting run of a workflow that has had one."""
        async with self.database.transaction() as conn:
            run = await a_run(conn, workflow, input_values=inputs)
        self.run_id = run.id
        return run

    async def change_trajectory(self, trajectory: Trajectory) -> None:
        async with self.database.transaction() as conn:
            await trajectories.replace(conn, trajectory)

    async def trajectories_of(self, workflow: Workflow) -> tuple[Trajectory, ...]:
        """Newest first."""
        wanted = trajectories.Wanted(workflow_id=workflow.id)
        async with self.database.read() as conn:
            found, _ = await trajectories.find(conn, workflow.organization_id, wanted)
        return found

    async def claim(self) -> Claim:
        async with self.database.transaction() as conn:
            claim = await claim_next(conn, server_id=HERE, now=self.clock.now(), lease_seconds=LEASE_SECONDS)
        assert claim is not None
        return claim

    def parts(self, model: Model, **changes: Any) -> ExecutorParts:
        return replace(
            ExecutorParts(
                database=self.database,
                desktop=self.desktop,
                model=model,
                reader=PrintedReader(),
                blobs=self.blobs,
                vault=self.vault,
                bus=self.bus,
                clock=self.clock,
                limits=self.limits,
            ),
            **changes,
        )

    async def execute(self, model: Model, **run: Any) -> Ending:
        """Make a run, claim it and execute it."""
        await self.a_waiting_run(**run)
        return await execute(await self.claim(), self.parts(model))

    async def carry_out(self, claim: Claim, model: Model) -> Ending:
        """Execute a claimed run and end it, as its worker does: what went well is recorded."""
        ending = await execute(claim, self.parts(model))
        await self.finish(claim, ending)
        if ending.status is RunStatus.SUCCESS and ending.display is not None:
            async with self.database.transaction() as conn:
                await record(conn, claim.run, claim.prompt, ending.display, now=self.clock.now())
        return ending

    async def take_over(self, model: Model, **changes: Any) -> Ending:
        """Execute the run again, as the worker that finds it after the lease of the one before ran out."""
        self.clock.advance(LEASE_SECONDS + 1)
        return await execute(await self.claim(), self.parts(model, **changes))

    async def finish(self, claim: Claim, ending: Ending) -> None:
        """What the worker does with an ending."""
        async with self.database.transaction() as conn:
            await leases.finish(conn, {claim.held: ending}, now=self.clock.now())

    async def number_of_files(self) -> int:
        async with self.database.read() as conn:
            files = (await attachments.ids_of(conn, [self.run_id])).get(self.run_id, {})
        return sum(map(len, files.values()))

    async def history(self) -> tuple[Step, ...]:
        async with self.database.read() as conn:
            return await steps.history(conn, self.run_id)

    async def cancel(self) -> None:
        """What the API does when a caller cancels the run."""
        async with self.database.transaction() as conn:
            await runs.end(conn, self.run_id, status=RunStatus.CANCELLED, changes={}, now=self.clock.now())
        await self.bus.publish(f"run.{self.run_id}")


@pytest.fixture
def stage(any_database: Database) -> Stage:
    return Stage(any_database)
