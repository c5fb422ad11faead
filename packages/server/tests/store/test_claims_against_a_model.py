"""Claims, leases and fencing against a model so simple that it is obviously right.

Invariants 1 (a run ends once and is never lost), 2 (one run per machine) and 4 (a worker that lost
its lease changes nothing).
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cyberdesk_server.domain.ids import ConnectionId, MachineId, OrganizationId, RunId, WorkerId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import machines, runs
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import machines as machines_table
from cyberdesk_server.store.tables import runs as runs_table
from cyberdesk_server.testing.rows import NOON, a_database, a_machine, a_run, a_workflow, an_organization
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

LEASE_SECONDS = 30
OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]


@dataclass
class ModelMachine:
    id: MachineId
    connection_id: ConnectionId
    is_connected: bool = True
    is_available: bool = True


@dataclass
class ModelRun:
    id: RunId
    wanted: MachineId | None
    is_priority: bool
    created_at: datetime
    status: RunStatus = RunStatus.SCHEDULING
    attempt: int = 0
    machine: MachineId | None = None
    lease_until: datetime | None = None


@dataclass
class Model:
    now: datetime = NOON
    machines: list[ModelMachine] = field(default_factory=list)
    runs: list[ModelRun] = field(default_factory=list)

    def idle(self) -> list[MachineId]:
        held = {run.machine for run in self.runs if run.lease_until is not None}
        return [m.id for m in self.machines if m.is_connected and m.is_available and m.id not in held]

    def claim(self) -> ModelRun | None:
        """The run the next claim must answer; its machine is left to the caller."""
        for run in self.runs:
            if run.status.is_terminal and run.lease_until is not None and run.lease_until <= self.now:
                run.lease_until = None
        abandoned = [
            run
            for run in self.runs
            if run.lease_until is not None and run.lease_until <= self.now and not run.status.is_terminal
        ]
        if abandoned:
            return min(abandoned, key=lambda run: (run.lease_until, str(run.id)))
        idle = self.idle()
        waiting = [
            run
            for run in self.runs
            if run.status is RunStatus.SCHEDULING and (run.wanted in idle if run.wanted else idle)
        ]
        return min(waiting, key=lambda run: (not run.is_priority, run.created_at), default=None)


class Claims(RuleBasedStateMachine):
    def __init__(self, open_database: OpenDatabase) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = open_database()
        self.database = self.runner.run(self.opened.__aenter__())
        self.model = Model()

    def teardown(self) -> None:
        self.runner.run(self.opened.__aexit__(None, None, None))
        self.runner.close()

    @initialize()
    def found(self) -> None:
        async def found() -> tuple[OrganizationId, Workflow]:
            async with self.database.transaction() as conn:
                organization = await an_organization(conn)
                return organization, await a_workflow(conn, organization)

        self.organization, self.workflow = self.runner.run(found())

    @precondition(lambda self: len(self.model.machines) < 4)
    @rule()
    def machine_joins(self) -> None:
        async def join() -> ModelMachine:
            async with self.database.transaction() as conn:
                machine = await a_machine(conn, self.organization)
                assert machine.connection_id is not None
                return ModelMachine(machine.id, machine.connection_id)

        self.model.machines.append(self.runner.run(join()))

    @precondition(lambda self: self.model.machines)
    @rule(data=st.data())
    def machine_leaves(self, data: st.DataObject) -> None:
        machine = data.draw(st.sampled_from(self.model.machines))

        async def leave() -> bool:
            async with self.database.transaction() as conn:
                return await machines.disconnect(
                    conn, machine.id, connection_id=machine.connection_id, now=self.model.now
                )

        assert self.runner.run(leave()) is machine.is_connected
        machine.is_connected = False

    @precondition(lambda self: self.model.machines)
    @rule(data=st.data(), is_available=st.booleans())
    def machine_is_switched(self, data: st.DataObject, is_available: bool) -> None:
        machine = data.draw(st.sampled_from(self.model.machines))

        async def switch() -> None:
            async with self.database.transaction() as conn:
                await machines.update_fields(
                    conn, self.organization, machine.id, {"is_available": is_available}
                )

        self.runner.run(switch())
        machine.is_available = is_available

    @rule(data=st.data(), is_priority=st.booleans())
    def run_is_created(self, data: st.DataObject, is_priority: bool) -> None:
        wanted = data.draw(st.sampled_from([None, *(machine.id for machine in self.model.machines)]))
        self.time_passes(1)

        async def create() -> RunId:
            async with self.database.transaction() as conn:
                run = await a_run(
                    conn,
                    self.workflow,
                    machine_id=wanted,
                    is_priority=is_priority,
                    created_at=self.model.now,
                )
                return run.id

        self.model.runs.append(ModelRun(self.runner.run(create()), wanted, is_priority, self.model.now))

    @rule(seconds=st.sampled_from([1, 10, LEASE_SECONDS]))
    def time_passes(self, seconds: int) -> None:
        self.model.now += timedelta(seconds=seconds)

    @rule()
    def worker_claims(self) -> None:
        expected = self.model.claim()
        idle = self.model.idle()

        async def claim() -> runs.Claim | None:
            async with self.database.transaction() as conn:
                return await runs.claim_next(
                    conn, worker_id=WorkerId("w"), now=self.model.now, lease_seconds=LEASE_SECONDS
                )

        claimed = self.runner.run(claim())

        if expected is None:
            assert claimed is None
            return
        assert claimed is not None
        assert claimed.run.id == expected.id
        assert claimed.attempt == expected.attempt + 1
        if expected.status is RunStatus.SCHEDULING:
            assert claimed.machine.id in ([expected.wanted] if expected.wanted else idle)
        else:
            assert claimed.machine.id == expected.machine
        expected.status = RunStatus.RUNNING
        expected.attempt = claimed.attempt
        expected.machine = claimed.machine.id
        expected.lease_until = self.model.now + timedelta(seconds=LEASE_SECONDS)

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), stale_by=st.sampled_from([0, 0, 1]))
    def worker_renews(self, data: st.DataObject, stale_by: int) -> None:
        run = data.draw(st.sampled_from(self.model.runs))
        until = self.model.now + timedelta(seconds=LEASE_SECONDS)

        async def renew() -> RunStatus | None:
            async with self.database.transaction() as conn:
                return await runs.renew(conn, run.id, run.attempt - stale_by, lease_until=until)

        answered = self.runner.run(renew())

        if stale_by or run.lease_until is None:
            assert answered is None
        else:
            assert answered is run.status
            run.lease_until = until

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), stale_by=st.sampled_from([0, 0, 1]), status=st.sampled_from(["success", "error"]))
    def worker_finishes(self, data: st.DataObject, stale_by: int, status: str) -> None:
        run = data.draw(st.sampled_from([run for run in self.model.runs if run.attempt] or self.model.runs))
        if not run.attempt:
            return

        async def finish() -> bool:
            async with self.database.transaction() as conn:
                finished = await runs.finish(
                    conn,
                    run.id,
                    run.attempt - stale_by,
                    status=RunStatus(status),
                    error=None,
                    output_data=None,
                    usage_metadata=None,
                    now=self.model.now,
                )
                return finished is not None

        has_finished = self.runner.run(finish())

        assert has_finished is (not stale_by and not run.status.is_terminal)
        if has_finished:
            run.status = RunStatus(status)
            run.lease_until = None

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data())
    def caller_cancels(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.model.runs))

        async def cancel() -> bool:
            async with self.database.transaction() as conn:
                ended = await runs.end(
                    conn, run.id, status=RunStatus.CANCELLED, changes={}, now=self.model.now
                )
                return ended is not None

        assert self.runner.run(cancel()) is (not run.status.is_terminal)
        if not run.status.is_terminal:
            run.status = RunStatus.CANCELLED

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), stale_by=st.sampled_from([0, 0, 1]))
    def worker_lets_go(self, data: st.DataObject, stale_by: int) -> None:
        run = data.draw(st.sampled_from(self.model.runs))

        async def release() -> None:
            async with self.database.transaction() as conn:
                await runs.release(conn, run.id, run.attempt - stale_by, now=self.model.now)

        self.runner.run(release())
        if not stale_by and run.status.is_terminal:
            run.lease_until = None

    @rule()
    def process_starts_again(self) -> None:
        async def start() -> int:
            async with self.database.transaction() as conn:
                return await runs.expire_leases(conn, now=self.model.now)

        held = [run for run in self.model.runs if run.lease_until is not None]
        assert self.runner.run(start()) == len(held)
        for run in held:
            run.lease_until = None if run.status.is_terminal else self.model.now

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        async def rows() -> tuple[set[object], dict[object, object]]:
            async with self.database.read() as conn:
                found = await conn.execute(
                    select(
                        runs_table.c.id,
                        runs_table.c.status,
                        runs_table.c.attempt,
                        runs_table.c.machine_id,
                        runs_table.c.lease_expires_at,
                    )
                )
                held = await conn.execute(
                    select(machines_table.c.id, machines_table.c.held_by_run_id).where(
                        machines_table.c.held_by_run_id.is_not(None)
                    )
                )
                return {tuple(row) for row in found}, {row.id: row.held_by_run_id for row in held}

        found, held = self.runner.run(rows())

        assert found == {
            (run.id, run.status.value, run.attempt, run.machine or run.wanted, run.lease_until)
            for run in self.model.runs
        }
        assert held == {run.machine: run.id for run in self.model.runs if run.lease_until is not None}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_claims_do_what_the_model_does(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    def open_database() -> AbstractAsyncContextManager[Database]:
        if kind == "sqlite":
            return a_database(tmp_path)
        opened: AbstractAsyncContextManager[Database] = request.getfixturevalue("postgresql").a_database()
        return opened

    run_state_machine_as_test(
        lambda: Claims(open_database),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
