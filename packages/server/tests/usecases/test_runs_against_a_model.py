"""Creating, bulk, chains, retries and endings through their use cases, against a model.

Invariants 1 (a run ends once, and again only when somebody starts it over), 2 (one run per machine), 3 (a
session keeps its machine and its order, a chain ends with its first step that fails), 4 (a worker that lost
its lease changes nothing) and 6 (a secret goes with its run). What workers, servers and pools do besides has
a model of its own: `tests/store/test_claims_against_a_model.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import MachineId, RunId, ServerId, SessionId
from cyberdesk_server.domain.limits import BUILT_IN_LIMITS
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refusals import (
    Refused,
    RunAlreadyEnded,
    RunNotEnded,
    RunStillHoldsMachine,
    SessionEnded,
)
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.store import leases, machines, servers, tables
from cyberdesk_server.testing.modelled import OnDatabase, OpenDatabase, run_on
from cyberdesk_server.testing.rows import NOON, a_machine, a_workflow, an_organization, claim_next
from cyberdesk_server.usecases import chains, retries, runs
from cyberdesk_server.usecases.endings import finish
from cyberdesk_server.usecases.orders import Order
from cyberdesk_server.usecases.placement import Wish
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

SERVER = ServerId("the server")
LEASE_SECONDS = 30
VAULT = EnvelopeVault(MasterKey(b"k" * 32))
HIDDEN = {"password": "hunter2"}
MOST_RUNS = 30

OFTEN_SUCCESS = st.sampled_from(
    [RunStatus.SUCCESS, RunStatus.SUCCESS, RunStatus.TASK_FAILED, RunStatus.ERROR]
)
RARELY = st.sampled_from([False, False, False, True])


@dataclass(eq=False)
class ModelSession:
    id: SessionId
    wanted: Machine | None
    """What its runs wait for before it has a machine; None is any."""

    front: "ModelRun | None" = None
    """Whose turn it is to get the session its machine."""

    machine: MachineId | None = None
    has_ended: bool = False


@dataclass(eq=False)
class ModelRun:
    id: RunId
    age: int
    """Older runs have smaller numbers; a run that starts over keeps its age."""

    wanted: Machine | None = None
    session: ModelSession | None = None
    chain: int | None = None
    is_priority: bool = False
    releases: bool = False
    status: RunStatus = RunStatus.SCHEDULING
    attempt: int = 0
    retries: int = 0
    machine: MachineId | None = None
    lease_until: datetime | None = None

    @property
    def waits(self) -> bool:
        return self.status is RunStatus.SCHEDULING


@dataclass
class Model:
    now: datetime = NOON
    machines: list[Machine] = field(default_factory=list)
    connected: set[MachineId] = field(default_factory=set)
    sessions: list[ModelSession] = field(default_factory=list)
    runs: list[ModelRun] = field(default_factory=list)

    def unfinished(self, session: ModelSession) -> list[ModelRun]:
        left = [run for run in self.runs if run.session is session and not run.status.is_terminal]
        return sorted(left, key=lambda run: run.age)

    def reserved(self) -> dict[MachineId, SessionId]:
        going_on = [session for session in self.sessions if not session.has_ended]
        return {session.machine: session.id for session in going_on if session.machine is not None}

    def held(self) -> dict[MachineId, RunId]:
        return {
            run.machine: run.id
            for run in self.runs
            if run.lease_until is not None and run.machine is not None
        }

    def machines_for(self, run: ModelRun) -> set[MachineId]:
        """The machines this waiting run could be given now."""
        free = self.connected - set(self.held())
        session = run.session
        if session is not None and session.machine is not None:
            return free & {session.machine} if run is self.first_waiting(session) else set()
        if session is not None and run is not session.front:
            return set()
        wanted = {run.wanted.id} if run.wanted is not None else free
        return (free & wanted) - set(self.reserved())

    def first_waiting(self, session: ModelSession) -> ModelRun | None:
        return next((run for run in self.unfinished(session) if run.waits), None)

    def claim(self) -> ModelRun | None:
        """The run that the next claim answers; its machine is left to the caller."""
        expired = [run for run in self.runs if run.lease_until is not None and run.lease_until <= self.now]
        for run in expired:
            if run.status.is_terminal:
                run.lease_until = None
        abandoned = [run for run in expired if not run.status.is_terminal]
        if abandoned:
            return min(abandoned, key=lambda run: (run.lease_until, str(run.id)))
        startable = [run for run in self.runs if run.waits and self.machines_for(run)]
        return min(startable, key=lambda run: (not run.is_priority, run.age), default=None)

    def take(self, run: ModelRun, machine: MachineId) -> None:
        run.status, run.machine = RunStatus.RUNNING, machine
        session = run.session
        if session is not None and session.machine is None:
            session.machine = machine
            for waiting in filter(lambda other: other.waits, self.unfinished(session)):
                waiting.machine = machine

    def join(self, run: ModelRun, session: ModelSession) -> None:
        if session.machine is None and not self.unfinished(session):
            session.front = run
        run.session, run.wanted, run.machine = session, session.wanted, session.machine

    def end(self, run: ModelRun, status: RunStatus) -> set[RunId]:
        """The run ends; the other runs that end by it."""
        run.status = status
        session = run.session
        if session is None or session.has_ended:
            return set()
        has_failed = status is not RunStatus.SUCCESS
        behind = [
            other
            for other in self.runs
            if has_failed and run.chain is not None and other.chain == run.chain and other.waits
        ]
        for other in behind:
            other.status = RunStatus.CANCELLED
        left = self.unfinished(session)
        is_last_hope = has_failed and run.chain is None and not left
        if run.releases or any(other.releases for other in behind) or is_last_hope:
            run.releases = session.has_ended = True
            waiting = [other for other in left if other.waits]
            for other in waiting:
                other.status = RunStatus.CANCELLED
            return {other.id for other in (*behind, *waiting)}
        if session.machine is None:
            session.front = left[0] if left else None
        return {other.id for other in behind}


class Runs(OnDatabase):
    def __init__(self, open_database: OpenDatabase) -> None:
        super().__init__(open_database)
        self.model = Model()
        self.ages, self.chains = count(), count()

    def refusal_of(self, work: Callable[[AsyncConnection], Awaitable[object]]) -> type[Refused] | None:
        """How the work is refused; None when it is done."""
        try:
            self.do(work)
        except Refused as refused:
            return type(refused)
        return None

    @initialize(machine_count=st.integers(1, 3))
    def found(self, machine_count: int) -> None:
        async def found(conn: AsyncConnection) -> None:
            await servers.add(conn, SERVER, folder="folder", now=NOON)
            self.organization = await an_organization(conn)
            self.workflow = await a_workflow(conn, self.organization)
            self.model.machines = [
                await a_machine(conn, self.organization, server_id=SERVER) for _ in range(machine_count)
            ]

        self.do(found)
        self.model.connected = {machine.id for machine in self.model.machines}
        self.a_machine = st.sampled_from(self.model.machines)
        self.a_place = st.sampled_from([None, None, *self.model.machines])

    @precondition(lambda self: len(self.model.runs) < MOST_RUNS)
    @rule(
        data=st.data(),
        count=st.sampled_from([1, 1, 3]),
        starts_session=st.booleans(),
        is_priority=st.booleans(),
        releases=RARELY,
    )
    def runs_are_created(
        self, data: st.DataObject, count: int, starts_session: bool, is_priority: bool, releases: bool
    ) -> None:
        session = data.draw(self.a_session())
        wanted = None if session else data.draw(self.a_place)
        wish = self.wish(session, wanted, starts_session=starts_session and session is None)
        order = Order(
            self.workflow.id,
            sensitive_input_values=HIDDEN,
            is_priority=is_priority,
            release_session_after=releases,
        )

        async def create(conn: AsyncConnection) -> tuple[Run, ...]:
            return await runs.create(conn, order, wish, count=count, **self.usual())

        self.are_made(create, session, wanted, is_priority=is_priority, releases=[releases] * count)

    @precondition(lambda self: len(self.model.runs) < MOST_RUNS)
    @rule(data=st.data(), count=st.integers(1, 3), is_priority=st.booleans(), keeps=st.booleans())
    def a_chain_is_created(self, data: st.DataObject, count: int, is_priority: bool, keeps: bool) -> None:
        session = data.draw(self.a_session())
        wanted = None if session else data.draw(self.a_place)
        steps = (chains.ChainStep(self.workflow.id, sensitive_inputs=HIDDEN),) * count
        chain = chains.Chain(steps, is_priority=is_priority, keeps_session=keeps)

        async def create(conn: AsyncConnection) -> tuple[Run, ...]:
            return (await chains.create(conn, chain, self.wish(session, wanted), **self.usual()))[1]

        releases = [False] * (count - 1) + [not keeps]
        self.are_made(
            create, session, wanted, is_priority=is_priority, releases=releases, chain=next(self.chains)
        )

    def a_session(self) -> st.SearchStrategy[ModelSession | None]:
        going_on = [session for session in self.model.sessions if not session.has_ended]
        return st.sampled_from([None, None, *going_on, *self.model.sessions[-1:]])

    def wish(
        self, session: ModelSession | None, wanted: Machine | None, *, starts_session: bool = False
    ) -> Wish:
        return Wish(wanted and wanted.id, (), session and session.id, starts_session)

    def usual(self) -> dict[str, Any]:
        return {
            "organization_id": self.organization,
            "allowed": BUILT_IN_LIMITS,
            "vault": VAULT,
            "now": self.model.now,
        }

    def are_made(
        self,
        create: Callable[[AsyncConnection], Awaitable[tuple[Run, ...]]],
        session: ModelSession | None,
        wanted: Machine | None,
        *,
        is_priority: bool,
        releases: list[bool],
        chain: int | None = None,
    ) -> None:
        self.time_passes(1)
        if session is not None and session.has_ended:
            assert self.refusal_of(create) is SessionEnded
            return
        made = self.do(create)
        machine = wanted.id if session is None and wanted is not None else session and session.machine
        if session is None and made[0].session_id is not None:
            session = ModelSession(made[0].session_id, wanted)
            self.model.sessions.append(session)
        for run, is_last in zip(made, releases, strict=True):
            one = ModelRun(run.id, next(self.ages), wanted, None, chain, is_priority, releases=is_last)
            if session is not None:
                self.model.join(one, session)
            one.machine = machine
            self.model.runs.append(one)

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), reuses_session=st.booleans(), is_priority=st.sampled_from([None, True]))
    def caller_retries(self, data: st.DataObject, reuses_session: bool, is_priority: bool | None) -> None:
        ended = [run for run in self.model.runs if run.status.is_terminal]
        run = data.draw(st.sampled_from(ended * 3 + self.model.runs))
        retry = retries.Retry(
            reuses_session=reuses_session, sensitive_input_values=HIDDEN, is_priority=is_priority
        )

        async def start_over(conn: AsyncConnection) -> None:
            usual = self.usual()
            await retries.start_over(conn, usual.pop("organization_id"), run.id, retry, **usual)

        if not run.status.is_terminal:
            assert self.refusal_of(start_over) is RunNotEnded
        elif run.lease_until is not None:
            assert self.refusal_of(start_over) is RunStillHoldsMachine
        else:
            self.do(start_over)
            self.starts_over(run, reuses_session=reuses_session)
            run.is_priority = run.is_priority or bool(is_priority)

    def starts_over(self, run: ModelRun, *, reuses_session: bool) -> None:
        session = run.session
        if session is not None and reuses_session and not session.has_ended:
            self.model.join(run, session)
        else:
            # Who joined a session that had no machine yet has asked for none either.
            run.session = None
            run.wanted = run.wanted if run.wanted and run.wanted.id == run.machine else None
            run.machine = run.wanted and run.wanted.id
        run.status = RunStatus.SCHEDULING
        run.retries += 1

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), status=st.sampled_from([RunStatus.CANCELLED, RunStatus.SUCCESS]))
    def caller_ends_a_run(self, data: st.DataObject, status: RunStatus) -> None:
        going_on = [run for run in self.model.runs if not run.status.is_terminal]
        run = data.draw(st.sampled_from(going_on * 3 + self.model.runs))

        async def end(conn: AsyncConnection) -> tuple[RunId, ...]:
            now = self.model.now
            return await runs.update(conn, self.organization, run.id, status=status, changes={}, now=now)

        if run.status.is_terminal:
            assert self.refusal_of(end) is RunAlreadyEnded
        else:
            assert set(self.do(end)) == self.model.end(run, status)

    @precondition(lambda self: len(self.model.runs) > 3)
    @rule(data=st.data())
    def caller_deletes_a_run(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.model.runs))

        async def delete(conn: AsyncConnection) -> None:
            await runs.delete(conn, self.organization, run.id, now=NOON)

        if not run.status.is_terminal:
            assert self.refusal_of(delete) is RunNotEnded
        elif run.lease_until is not None:
            assert self.refusal_of(delete) is RunStillHoldsMachine
        else:
            self.do(delete)
            self.model.runs.remove(run)

    @rule(data=st.data())
    def machine_leaves_or_comes_back(self, data: st.DataObject) -> None:
        machine = data.draw(self.a_machine)
        assert machine.connection_id is not None
        if machine.id in self.model.connected:
            self.model.connected.discard(machine.id)
            connection_id = machine.connection_id
            self.do(
                lambda conn: machines.disconnect(
                    conn, machine.id, connection_id=connection_id, now=self.model.now
                )
            )
        else:
            self.model.connected.add(machine.id)
            self.do(
                lambda conn: a_machine(
                    conn,
                    self.organization,
                    fingerprint=machine.fingerprint,
                    server_id=SERVER,
                    connection_id=machine.connection_id,
                )
            )

    @rule(seconds=st.sampled_from([1, 10, LEASE_SECONDS]))
    def time_passes(self, seconds: int) -> None:
        """Past a lease, the worker that has it is gone."""
        self.model.now += timedelta(seconds=seconds)

    @rule(count=st.integers(1, 3), status=OFTEN_SUCCESS)
    def worker_carries_out_runs(self, count: int, status: RunStatus) -> None:
        for _ in range(count):
            run = self.claim()
            if run is not None:
                self.finishes(run, status)

    @rule()
    def worker_claims(self) -> None:
        self.claim()

    def claim(self) -> ModelRun | None:
        expected = self.model.claim()
        claimed = self.do(
            lambda conn: claim_next(conn, server_id=SERVER, now=self.model.now, lease_seconds=LEASE_SECONDS)
        )

        if expected is None:
            assert claimed is None
            return None
        assert claimed is not None
        assert (claimed.run.id, claimed.attempt) == (expected.id, expected.attempt + 1)
        if expected.waits:
            assert claimed.machine.id in self.model.machines_for(expected)
            self.model.take(expected, claimed.machine.id)
        assert claimed.machine.id == expected.machine
        expected.attempt = claimed.attempt
        expected.lease_until = self.model.now + timedelta(seconds=LEASE_SECONDS)
        return expected

    @precondition(lambda self: any(run.attempt for run in self.model.runs))
    @rule(data=st.data(), stale_by=st.sampled_from([0, 0, 1]), status=OFTEN_SUCCESS)
    def worker_finishes(self, data: st.DataObject, stale_by: int, status: RunStatus) -> None:
        run = data.draw(st.sampled_from([run for run in self.model.runs if run.lease_until or run.attempt]))

        self.finishes(run, status, stale_by=stale_by)

    def finishes(self, run: ModelRun, status: RunStatus, *, stale_by: int = 0) -> None:
        async def end(conn: AsyncConnection) -> tuple[RunId, ...]:
            now, attempt = self.model.now, run.attempt - stale_by
            held = run.id, attempt
            ended = await finish(conn, {held: Ending(status)}, now=now)
            if not ended:
                await leases.release(conn, held, now=now)
            return ended.get(held, ())

        ended = self.do(end)

        if stale_by or run.lease_until is None:
            assert ended == ()
        elif run.status.is_terminal:
            assert ended == ()
            run.lease_until = None
        else:
            run.lease_until = None
            assert set(ended) == {run.id, *self.model.end(run, status)}

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        async def rows(conn: AsyncConnection, *columns: ColumnElement[Any]) -> set[tuple[Any, ...]]:
            return {tuple(row) for row in await conn.execute(select(*columns))}

        async def everything(conn: AsyncConnection) -> tuple[set[tuple[Any, ...]], ...]:
            run, machine, session = tables.runs.c, tables.machines.c, tables.sessions.c
            return (
                await rows(conn, run.id, run.status, run.session_id, run.attempt, run.retries),
                await rows(conn, run.id, run.machine_id, run.lease_expires_at),
                await rows(conn, machine.id, machine.held_by_run_id, machine.reserved_session_id),
                await rows(conn, session.id, session.machine_id, session.ended_at.is_not(None)),
                {one for one in await rows(conn, tables.secrets.c.run_id) if one != (None,)},
            )

        model = self.model
        held, reserved = model.held(), model.reserved()
        assert self.do(everything) == (
            {
                (run.id, run.status.value, run.session and run.session.id, run.attempt, run.retries)
                for run in model.runs
            },
            {(run.id, run.machine, run.lease_until) for run in model.runs},
            {(one.id, held.get(one.id), reserved.get(one.id)) for one in model.machines},
            {(session.id, session.machine, session.has_ended) for session in model.sessions},
            {(run.id,) for run in model.runs if not run.status.is_terminal},
        )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_runs_do_what_the_model_does(kind: str, database_of: Any) -> None:
    run_on(lambda: database_of(kind), Runs, programs=10)
