"""Runs that wait: what each waits for, and the end of those that waited too long."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import OrganizationId, PoolId, RunId, SessionId
from cyberdesk_server.domain.limits import BUILT_IN_LIMITS, NO_LIMITS, RunLimits, ServerLimits
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.waiting import ABOUT_TO_START, Waiter
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import runs
from cyberdesk_server.store import workflows as stored_workflows
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import ManualClock
from cyberdesk_server.testing.rows import (
    HERE,
    a_machine,
    a_pool,
    a_workflow,
    an_organization,
    claim_next,
)
from cyberdesk_server.usecases import chains, retries, waiting
from cyberdesk_server.usecases import runs as usecase
from cyberdesk_server.usecases.chains import Chain, ChainStep
from cyberdesk_server.usecases.endings import finish
from cyberdesk_server.usecases.orders import Order
from cyberdesk_server.usecases.placement import Wish

VAULT = EnvelopeVault(MasterKey(b"k" * 32))
A_MINUTE = RunLimits(wait_time_limit_seconds=60)


class Desk:
    """One organization with a workflow, and a clock that goes on only when it is told to."""

    def __init__(self, database: Database, organization_id: OrganizationId, workflow: Workflow) -> None:
        self.database = database
        self.organization_id = organization_id
        self.workflow = workflow
        self.clock = ManualClock()
        self.bus = InProcessBus()
        self.allowed = BUILT_IN_LIMITS

    async def run(self, limits: RunLimits = NO_LIMITS, *, count: int = 1, **wish: Any) -> Run:
        """The last of these runs, which are younger than those before."""
        self.clock.advance(0.001)
        async with self.database.transaction() as conn:
            made = await usecase.create(
                conn,
                Order(self.workflow.id, limits=limits),
                Wish(**wish),
                organization_id=self.organization_id,
                allowed=self.allowed,
                vault=VAULT,
                now=self.clock.now(),
                count=count,
            )
        return made[-1]

    async def chain(self, *limits: RunLimits) -> tuple[Run, ...]:
        async with self.database.transaction() as conn:
            _, made = await chains.create(
                conn,
                Chain(tuple(ChainStep(self.workflow.id, limits=one) for one in limits)),
                Wish(),
                organization_id=self.organization_id,
                allowed=self.allowed,
                vault=VAULT,
                now=self.clock.now(),
            )
        return made

    async def retry(self, run: Run, **retry: Any) -> None:
        async with self.database.transaction() as conn:
            await retries.start_over(
                conn,
                self.organization_id,
                run.id,
                retries.Retry(**retry),
                allowed=self.allowed,
                vault=VAULT,
                now=self.clock.now(),
            )

    async def machine(self, **fields: Any) -> Any:
        async with self.database.transaction() as conn:
            return await a_machine(conn, self.organization_id, **fields)

    async def pool(self, **fields: Any) -> PoolId:
        async with self.database.transaction() as conn:
            return (await a_pool(conn, self.organization_id, **fields)).id

    async def start(self) -> RunId:
        """The next run, now with a worker."""
        async with self.database.transaction() as conn:
            claim = await claim_next(conn, server_id=HERE, now=self.clock.now(), lease_seconds=10**6)
        assert claim is not None
        return claim.run.id

    async def finish(self, run_id: RunId) -> None:
        async with self.database.transaction() as conn:
            await finish(conn, {(run_id, 1): Ending(RunStatus.SUCCESS)}, now=self.clock.now())

    async def after(self, seconds: float) -> None:
        """The clock goes on, and the chore is done."""
        self.clock.advance(seconds)
        await waiting.end_overdue(self.database, self.bus, now=self.clock.now())

    async def status(self, run: Run) -> RunStatus:
        return (await self.now(run.id)).status

    async def now(self, run_id: RunId) -> Run:
        async with self.database.read() as conn:
            found = await runs.get(conn, self.organization_id, run_id)
        assert found is not None
        return found

    async def reason(self, run: Run) -> str:
        now = await self.now(run.id)
        async with self.database.read() as conn:
            return await waiting.reason(conn, Waiter.of(now))


@pytest.fixture
async def desk(any_database: Database) -> Desk:
    async with any_database.transaction() as conn:
        organization_id = await an_organization(conn)
        workflow = await a_workflow(conn, organization_id)
    return Desk(any_database, organization_id, workflow)


async def test_a_run_without_a_limit_waits_for_ever(desk: Desk) -> None:
    run = await desk.run()

    await desk.after(10**9)

    assert await desk.status(run) is RunStatus.SCHEDULING


async def test_a_run_ends_when_it_has_waited_as_long_as_it_may_and_says_for_what(desk: Desk) -> None:
    machine = await desk.machine(name="Desk 3", is_connected=False)
    run = await desk.run(A_MINUTE, machine_id=machine.id)

    await desk.after(59.9)
    before = await desk.status(run)
    async with desk.bus.listen(f"run.{run.id}") as told:
        await desk.after(0.1)
        await anext(told)

    ended = await desk.now(run.id)
    assert (before, ended.status, ended.ended_at) == (
        RunStatus.SCHEDULING,
        RunStatus.ERROR,
        desk.clock.now(),
    )
    assert ended.error == (
        "the run waited longer than its limit of 60 seconds: machine Desk 3 is not connected",
    )


async def test_a_run_that_has_started_has_waited_long_enough(desk: Desk) -> None:
    await desk.machine()
    run = await desk.run(A_MINUTE)
    await desk.start()

    await desk.after(3600)

    assert await desk.status(run) is RunStatus.RUNNING


async def test_the_runs_own_limit_goes_before_its_workflows_and_that_before_the_servers(desk: Desk) -> None:
    desk.allowed = ServerLimits(usual=RunLimits(wait_time_limit_seconds=30.5))
    servers = await desk.run()
    async with desk.database.transaction() as conn:
        limited = await a_workflow(conn, desk.organization_id, wait_time_limit_seconds=20)
    desk.workflow = limited
    workflows, own = await desk.run(), await desk.run(RunLimits(wait_time_limit_seconds=10))

    ended: list[list[Run]] = []
    for _ in range(4):
        await desk.after(10.2)
        ended.append([run for run in (servers, workflows, own) if await desk.status(run) is RunStatus.ERROR])

    assert ended == [[own], [workflows, own], [servers, workflows, own], [servers, workflows, own]]


async def test_many_runs_end_at_once(desk: Desk) -> None:
    last = await desk.run(A_MINUTE, count=waiting.AT_A_TIME + 1)

    await desk.after(60)

    assert await desk.status(last) is RunStatus.ERROR


async def test_behind_others_of_its_session_no_time_counts(desk: Desk) -> None:
    await desk.machine()
    first, second, third = await desk.chain(NO_LIMITS, A_MINUTE, A_MINUTE)
    await desk.start()

    await desk.after(3600)
    assert [await desk.status(run) for run in (second, third)] == [RunStatus.SCHEDULING] * 2
    await desk.finish(first.id)
    await desk.after(59)
    assert await desk.status(second) is RunStatus.SCHEDULING
    await desk.after(1)

    assert await desk.status(second) is RunStatus.ERROR
    assert (await desk.now(third.id)).status is RunStatus.CANCELLED  # a step that fails ends its chain


async def test_a_run_that_joins_a_session_waits_from_when_it_is_the_next(desk: Desk) -> None:
    await desk.machine()
    first = await desk.run(start_session=True)
    session_id = first.session_id and SessionId(first.session_id)
    await desk.start()
    behind = await desk.run(A_MINUTE, session_id=session_id)
    await desk.after(100)
    await desk.finish(first.id)
    started = await desk.start()
    await desk.finish(behind.id)
    next_one = await desk.run(A_MINUTE, session_id=session_id)
    await desk.after(60)

    assert started == behind.id
    assert await desk.status(next_one) is RunStatus.ERROR


async def test_a_session_that_never_got_a_machine_ends_with_its_run(desk: Desk) -> None:
    first = await desk.run(A_MINUTE, start_session=True)
    second = await desk.run(session_id=first.session_id)

    await desk.after(60)
    assert await desk.status(first) is RunStatus.ERROR
    assert await desk.reason(second) == "there is no machine"


async def test_a_retry_waits_anew_with_the_limit_it_has_now(desk: Desk) -> None:
    run = await desk.run(A_MINUTE)
    await desk.after(60)

    await desk.retry(run)
    await desk.after(59)
    kept = await desk.status(run)
    await desk.after(1)
    ended = await desk.status(run)
    await desk.retry(run, limits=RunLimits(wait_time_limit_seconds=600))
    await desk.after(599)

    assert (kept, ended) == (RunStatus.SCHEDULING, RunStatus.ERROR)
    assert await desk.status(run) is RunStatus.SCHEDULING


async def test_a_retry_follows_the_workflow_where_the_run_has_no_limit(desk: Desk) -> None:
    run = await desk.run()
    async with desk.database.transaction() as conn:
        await runs.end(conn, run.id, status=RunStatus.ERROR, changes={}, now=desk.clock.now())
        limited = await a_workflow(conn, desk.organization_id, wait_time_limit_seconds=60)
        await stored_workflows.replace(
            conn, with_id_of(limited, desk.workflow, desk.clock.now()), version=None
        )

    await desk.retry(run)
    await desk.after(60)

    assert await desk.status(run) is RunStatus.ERROR


def with_id_of(workflow: Workflow, other: Workflow, now: datetime) -> Workflow:
    return replace(workflow, id=other.id, updated_at=now + timedelta(seconds=1))


async def test_a_run_says_what_it_waits_for(desk: Desk) -> None:
    assert await desk.reason(await desk.run()) == "there is no machine"
    machine = await desk.machine(name="Desk")
    pool_id = await desk.pool(name="Front")
    pinned = await desk.run(machine_id=machine.id, start_session=True)
    pooled = await desk.run(pool_ids=(pool_id,))

    assert await desk.reason(pooled) == "there is no machine in pool Front"
    assert await desk.reason(pinned) == ABOUT_TO_START
    anywhere = await desk.start()
    behind = await desk.run(session_id=pinned.session_id)
    assert await desk.reason(pinned) == f"machine Desk is busy with run {anywhere}"
    assert await desk.reason(behind) == f"run {pinned.id} of its session comes first"
    await desk.finish(anywhere)
    await desk.start()
    other = await desk.run()
    assert await desk.reason(other) == "no machine is free: 1 busy"
    await desk.finish(pinned.id)
    assert await desk.reason(behind) == ABOUT_TO_START
    assert await desk.reason(other) == "no machine is free: 1 reserved by a session"
