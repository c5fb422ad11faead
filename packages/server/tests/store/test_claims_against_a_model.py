"""Claims, leases, fencing, fairness, pools and sessions against a model so simple that it is obviously right.

Invariants 1 (a run ends once and is never lost), 2 (one run per machine), 3 (a reserved machine takes runs
of its session only, in order; a session ends once) and 4 (a worker that lost its lease changes nothing).
Two servers share the database.
"""

from datetime import timedelta
from typing import Any

import pytest
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import (
    OrganizationId,
    PoolId,
    RunId,
    ServerId,
    SessionId,
)
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.refusals import SessionEnded
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import claims, leases, machines, pools, runs, servers, sessions, tables, waiting
from cyberdesk_server.store.claims import CheckClaim, Claim, Claimed
from cyberdesk_server.testing.claims_model import ORGANIZATIONS, Model, ModelMachine, ModelRun, ModelSession
from cyberdesk_server.testing.modelled import OnDatabase, OpenDatabase, run_on
from cyberdesk_server.testing.rows import (
    NOON,
    a_machine,
    a_pool,
    a_run,
    a_workflow,
    an_organization,
)
from cyberdesk_server.usecases.endings import end_session, finish, settle
from cyberdesk_server.usecases.placement import Wish, place
from cyberdesk_server.usecases.servers import begin
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

RARELY = st.sampled_from([False, False, False, True])
LEASE_SECONDS = 30
SERVERS = ServerId("a"), ServerId("b")
A_SERVER = st.sampled_from(SERVERS)
MOSTLY_ONE = st.sampled_from([*ORGANIZATIONS, ORGANIZATIONS[0]])


class Claims(OnDatabase):
    def __init__(self, open_database: OpenDatabase) -> None:
        super().__init__(open_database)
        self.model = Model()

    @initialize()
    def found(self) -> None:
        async def found(conn: AsyncConnection, organization: OrganizationId) -> tuple[Workflow, list[PoolId]]:
            await an_organization(conn, organization)
            made = [(await a_pool(conn, organization)).id for _ in range(2)]
            return await a_workflow(conn, organization), sorted(made)

        async def begin(conn: AsyncConnection) -> None:
            for server in SERVERS:
                await servers.add(conn, server, folder=server, now=NOON)

        self.do(begin)
        self.workflows = {}
        self.sets_of_pools = {}
        for organization in ORGANIZATIONS:
            workflow, made = self.do(lambda conn, its_id=organization: found(conn, its_id))  # type: ignore[misc]
            self.workflows[organization] = workflow
            self.sets_of_pools[organization] = st.frozensets(st.sampled_from(made))
            self.machine_joins(organization, SERVERS[0])

    @precondition(lambda self: len(self.model.machines) < 5)
    @rule(organization=MOSTLY_ONE, server=A_SERVER)
    def machine_joins(self, organization: OrganizationId, server: ServerId) -> None:
        machine = self.do(lambda conn: a_machine(conn, organization, server_id=server))

        assert machine.connection_id is not None
        joined = ModelMachine(organization, machine.id, machine.fingerprint, machine.connection_id, server)
        self.model.machines.append(joined)

    @precondition(lambda self: self.model.machines)
    @rule(data=st.data(), server=A_SERVER)
    def machine_connects_again(self, data: st.DataObject, server: ServerId) -> None:
        """Its run follows it, out of the hands of another server."""
        machine = data.draw(st.sampled_from(self.model.machines))
        organization, fingerprint, now = machine.organization, machine.fingerprint, self.model.now

        async def connect(conn: AsyncConnection) -> Machine:
            connected = await a_machine(conn, organization, fingerprint=fingerprint, server_id=server)
            await leases.follow_machine(conn, connected.id, server_id=server, now=now)
            return connected

        connected = self.do(connect)

        assert (connected.id, connected.server_id) == (machine.id, server)
        assert connected.connection_id is not None
        machine.connection_id, machine.server = connected.connection_id, server
        for run in self.model.runs:
            if run.lease_until is not None and run.machine is machine and run.server != server:
                run.server, run.lease_until = server, now
                run.attempt += 1

    @precondition(lambda self: self.model.machines)
    @rule(data=st.data())
    def machine_leaves(self, data: st.DataObject) -> None:
        machine = data.draw(st.sampled_from(self.model.machines))

        has_left = self.do(
            lambda conn: machines.disconnect(
                conn, machine.id, connection_id=machine.connection_id, now=self.model.now
            )
        )

        assert has_left is (machine.server is not None)
        machine.server = None

    @precondition(lambda self: self.model.machines)
    @rule(data=st.data(), is_available=st.sampled_from([True, True, False]))
    def machine_is_switched(self, data: st.DataObject, is_available: bool) -> None:
        machine = data.draw(st.sampled_from(self.model.machines))
        changes = {"is_available": is_available}

        self.do(lambda conn: machines.update_fields(conn, machine.organization, machine.id, changes))

        machine.is_available = is_available

    @precondition(lambda self: self.model.machines)
    @rule(data=st.data())
    def machine_changes_its_pools(self, data: st.DataObject) -> None:
        machine = data.draw(st.sampled_from(self.model.machines))
        machine.pools = data.draw(self.sets_of_pools[machine.organization])

        self.do(lambda conn: pools.replace_for_machine(conn, machine.id, machine.pools))

    @rule(
        data=st.data(),
        organization=MOSTLY_ONE,
        starts_session=st.booleans(),
        is_priority=st.booleans(),
        releases=RARELY,
    )
    def run_is_created(
        self,
        data: st.DataObject,
        organization: OrganizationId,
        starts_session: bool,
        is_priority: bool,
        releases: bool,
    ) -> None:
        own = [machine for machine in self.model.machines if machine.organization == organization]
        wanted = data.draw(st.sampled_from([None, *own]))
        needed = frozenset() if wanted else data.draw(self.sets_of_pools[organization])
        wanted_id = None if wanted is None else wanted.id
        wish = Wish(wanted_id, tuple(needed), start_session=starts_session)

        run = self.create(organization, wish, is_priority=is_priority, releases=releases)

        run.wanted, run.machine, run.pools = wanted, wanted, needed

    @precondition(lambda self: self.model.sessions)
    @rule(data=st.data(), priorities=st.lists(st.booleans(), min_size=1, max_size=3), releases=RARELY)
    def runs_join_a_session(self, data: st.DataObject, priorities: list[bool], releases: bool) -> None:
        going_on = [session for session in self.model.sessions if session.ended_at is None]
        session = data.draw(st.sampled_from(going_on * 3 + self.model.sessions))
        wish = Wish(session_id=session.id)

        if session.ended_at is not None:
            with pytest.raises(SessionEnded):
                self.create(session.organization, wish)
            return
        first = next(run for run in self.model.runs if run.session is session)
        for is_priority in priorities:
            run = self.create(session.organization, wish, is_priority=is_priority, releases=releases)
            run.wanted, run.machine, run.pools = first.wanted, session.machine, first.pools

    def create(
        self, organization: OrganizationId, wish: Wish, *, is_priority: bool = False, releases: bool = False
    ) -> ModelRun:
        self.time_passes(1)

        async def create(conn: AsyncConnection) -> Run:
            placement = await place(conn, organization, wish, now=self.model.now)
            fields: dict[str, Any] = {"is_priority": is_priority, "release_session_after": releases}
            return await a_run(
                conn,
                self.workflows[organization],
                created_at=self.model.now,
                **fields,
                **placement.fields(),
            )

        made = self.do(create)
        run = ModelRun(organization, made.id, self.model.now, is_priority=is_priority, releases=releases)
        if made.session_id is not None:
            run.session = self.session(organization, made.session_id)
        self.model.runs.append(run)
        return run

    def session(self, organization: OrganizationId, session_id: SessionId) -> ModelSession:
        for session in self.model.sessions:
            if session.id == session_id:
                return session
        self.model.sessions.append(ModelSession(organization, session_id))
        return self.model.sessions[-1]

    @precondition(lambda self: len(self.model.sessions) > 2)
    @rule(data=st.data())
    def session_is_cleared(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(self.model.sessions))

        async def clear(conn: AsyncConnection) -> list[RunId] | None:
            stored = await sessions.get(conn, session.organization, session.id)
            assert stored is not None
            if stored.ended_at is not None:
                assert not await sessions.end(conn, [session.id], now=self.model.now)
                return None
            return list(await end_session(conn, stored, reason="cleared", now=self.model.now))

        expected = self.model.end_session(session) if session.ended_at is None else None
        assert self.do(clear) == expected

    @rule(seconds=st.sampled_from([1, 10, LEASE_SECONDS]))
    def time_passes(self, seconds: int) -> None:
        self.model.now += timedelta(seconds=seconds)

    @rule(server=A_SERVER, how_often=st.sampled_from([1, 2]))
    def worker_carries_out_runs(self, server: ServerId, how_often: int) -> None:
        for _ in range(how_often):
            run = self.claim(server)
            if run is not None:
                self.end_by_worker(run, RunStatus.SUCCESS)

    @rule(server=A_SERVER)
    def worker_claims(self, server: ServerId) -> None:
        self.claim(server)

    @rule(server=A_SERVER, at_most=st.sampled_from([2, 3, 8]))
    def worker_claims_several(self, server: ServerId, at_most: int) -> None:
        self.claim_some(server, at_most)

    def claim(self, server: ServerId) -> ModelRun | None:
        return next(iter(self.claim_some(server, at_most=1)), None)

    def claim_some(self, server: ServerId, at_most: int) -> list[ModelRun]:
        """Claims that are made at once are those that would be made one after the other."""
        told: Claimed = self.do(
            lambda conn: claims.claim(
                conn, server_id=server, now=self.model.now, lease_seconds=LEASE_SECONDS, at_most=at_most
            )
        )

        claimed = {claim.run.id: claim for claim in told.claims}
        made: list[ModelRun] = []
        while len(made) < at_most and (expected := self.model.claim(server)) is not None:
            assert expected.id in claimed, f"{len(made)} of {len(claimed)}"
            self.note(expected, claimed.pop(expected.id), server)
            made.append(expected)
        assert claimed == {}
        assert not told.is_all or self.model.claim(server) is None
        return made

    def note(self, expected: ModelRun, claimed: Claim | CheckClaim, server: ServerId) -> None:
        assert claimed.attempt == expected.attempt + 1
        assert claimed.machine is not None
        machine = next(machine for machine in self.model.machines if machine.id == claimed.machine.id)
        if expected.status is RunStatus.SCHEDULING:
            assert machine in self.model.machines_for(expected, server)
            self.model.take(expected, machine)
        else:
            assert machine is expected.machine
        expected.attempt, expected.server = claimed.attempt, server
        expected.lease_until = self.model.now + timedelta(seconds=LEASE_SECONDS)

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), stale_by=st.sampled_from([0, 0, 1]), server=A_SERVER)
    def worker_renews(self, data: st.DataObject, stale_by: int, server: ServerId) -> None:
        run = data.draw(st.sampled_from(self.model.runs))
        until = self.model.now + timedelta(seconds=LEASE_SECONDS)

        held = [(run.id, run.attempt - stale_by)]
        answered = self.do(lambda conn: leases.renew(conn, held, server_id=server, lease_until=until))

        if stale_by or run.lease_until is None:
            assert answered == {}
        else:
            assert answered == {run.id: run.status}
            run.lease_until, run.server = until, server

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), stale_by=st.sampled_from([0, 0, 1]))
    def worker_leaves_a_run(self, data: st.DataObject, stale_by: int) -> None:
        run = data.draw(st.sampled_from(self.model.runs))

        self.do(lambda conn: leases.leave(conn, (run.id, run.attempt - stale_by), now=self.model.now))

        if not stale_by and run.lease_until is not None:
            run.lease_until, run.server = self.model.now, None

    @precondition(lambda self: any(run.attempt for run in self.model.runs))
    @rule(data=st.data(), stale_by=st.sampled_from([0, 0, 1]), status=st.sampled_from(["success", "error"]))
    def worker_finishes(self, data: st.DataObject, stale_by: int, status: str) -> None:
        run = data.draw(st.sampled_from([run for run in self.model.runs if run.attempt]))

        self.end_by_worker(run, RunStatus(status), stale_by=stale_by)

    def end_by_worker(self, run: ModelRun, status: RunStatus, *, stale_by: int = 0) -> None:
        held = run.id, run.attempt - stale_by

        async def end(conn: AsyncConnection) -> tuple[RunId, ...]:
            return (await finish(conn, {held: Ending(status)}, now=self.model.now)).get(held, ())

        ended = self.do(end)

        if stale_by or run.status.is_terminal:
            assert ended == ()
        else:
            assert list(ended) == [run.id, *self.model.end(run, status)]
            run.lease_until = None

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data())
    def caller_cancels(self, data: st.DataObject) -> None:
        going_on = [run for run in self.model.runs if not run.status.is_terminal]
        run = data.draw(st.sampled_from(going_on * 3 + self.model.runs))

        async def cancel(conn: AsyncConnection) -> list[RunId] | None:
            ended = await runs.end(conn, run.id, status=RunStatus.CANCELLED, changes={}, now=self.model.now)
            return None if ended is None else list(await settle(conn, [ended], now=self.model.now))

        expected = None if run.status.is_terminal else self.model.end(run, RunStatus.CANCELLED)
        assert self.do(cancel) == expected

    @precondition(lambda self: self.model.runs)
    @rule(data=st.data(), stale_by=st.sampled_from([0, 0, 1]))
    def worker_lets_go(self, data: st.DataObject, stale_by: int) -> None:
        run = data.draw(st.sampled_from(self.model.runs))

        self.do(lambda conn: leases.release(conn, (run.id, run.attempt - stale_by), now=self.model.now))

        if not stale_by and run.status.is_terminal:
            run.lease_until = None

    @rule(server=A_SERVER)
    def server_starts_again(self, server: ServerId) -> None:
        self.runner.run(begin(self.database, server, folder=server, now=self.model.now))

        for run in self.model.runs:
            if run.lease_until is not None and run.server == server:
                run.lease_until, run.server = self.model.now, None
        for machine in self.model.machines:
            if machine.server == server:
                machine.server = None

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        async def rows(conn: AsyncConnection, *columns: ColumnElement[Any]) -> set[tuple[Any, ...]]:
            return {tuple(row) for row in await conn.execute(select(*columns))}

        async def everything(conn: AsyncConnection) -> tuple[set[tuple[Any, ...]], ...]:
            run, machine, session = tables.runs.c, tables.machines.c, tables.sessions.c
            return (
                await rows(conn, run.id, run.status, run.attempt, run.machine_id, run.lease_expires_at),
                await rows(
                    conn, machine.id, machine.server_id, machine.held_by_run_id, machine.reserved_session_id
                ),
                await rows(conn, session.id, session.machine_id, session.ended_at),
            )

        model = self.model
        held = {run.machine: run.id for run in model.runs if run.lease_until is not None}
        reserved = {session.machine: session.id for session in model.sessions if session.ended_at is None}

        assert self.do(everything) == (
            {
                (run.id, run.status.value, run.attempt, run.machine and run.machine.id, run.lease_until)
                for run in model.runs
            },
            {(m.id, m.server, held.get(m), reserved.get(m)) for m in model.machines},
            {
                (session.id, session.machine and session.machine.id, session.ended_at)
                for session in model.sessions
            },
        )

    @rule(server=A_SERVER)
    def server_looks_around(self, server: ServerId) -> None:
        """Every free machine is offered, and every run that could start is promised, or a better one."""

        async def look(conn: AsyncConnection) -> tuple[set[Any], dict[Any, Any]]:
            await waiting.next_pairs(conn, server, at_most=1)
            offer, opening, run = tables.offers.c, tables.openings.c, tables.runs.c
            offered = await conn.execute(select(offer.machine_id).where(offer.server_id == server))
            promised = await conn.execute(
                select(run.id, opening.is_priority, opening.created_at)
                .join(tables.runs, run.demand == opening.demand)
                .where(opening.server_id == server, opening.organization_id == run.organization_id)
            )
            return set(offered.scalars()), {row.id: (not row.is_priority, row.created_at) for row in promised}

        offered, promised = self.do(look)

        model = self.model
        assert offered == {machine.id for machine in model.free(server)}
        for run in model.runs:
            if run.status is RunStatus.SCHEDULING and model.machines_for(run, server):
                assert promised[run.id] <= (not run.is_priority, run.created_at)

    @invariant()
    def a_reserved_machine_carries_out_runs_of_its_session_only(self) -> None:
        """Invariant 3, asked of the database alone."""
        run, machine = tables.runs, tables.machines
        strangers = (
            select(run.c.id)
            .join(machine, machine.c.held_by_run_id == run.c.id)
            .where(machine.c.reserved_session_id.is_distinct_from(run.c.session_id))
            .where(machine.c.reserved_session_id.is_not(None))
        )

        assert self.do(lambda conn: conn.execute(strangers)).all() == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_claims_do_what_the_model_does(kind: str, database_of: Any) -> None:
    run_on(lambda: database_of(kind), Claims, programs=12)
