"""Leases in the phase of post-run checks: what a run holds then, and who goes on with it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId, ServerId, SessionId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.runs import ANY_MACHINE, Run, RunStatus
from cyberdesk_server.domain.sessions import Session
from cyberdesk_server.store import leases, machines, runs, sessions, tables
from cyberdesk_server.store.claims import CheckClaim, Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.leases import Held
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

SECOND = timedelta(seconds=1)
LEASE_SECONDS = 30
CHECKS: tuple[JsonObject, ...] = ({"name": "a", "type": "run_attachment_exists", "status": "pending"},)


class Shop:
    """One organization, its workflow and one machine, inside a transaction."""

    def __init__(self, conn: AsyncConnection, organization_id: OrganizationId, workflow: Any) -> None:
        self.conn = conn
        self.organization_id = organization_id
        self.workflow = workflow
        self.made = 0

    @classmethod
    async def open(cls, conn: AsyncConnection) -> "Shop":
        organization_id = await an_organization(conn)
        return cls(conn, organization_id, await a_workflow(conn, organization_id))

    async def machine(self) -> Machine:
        return await a_machine(self.conn, self.organization_id)

    async def run(self, **fields: Any) -> Run:
        self.made += 1
        return await a_run(
            self.conn,
            self.workflow,
            created_at=NOON + self.made * SECOND,
            post_run_checks=CHECKS,
            **fields,
        )

    async def run_in_session(self) -> Run:
        session = Session(SessionId(uuid4()), self.organization_id, ANY_MACHINE, NOON)
        await sessions.add(self.conn, session)
        return await self.run(session_id=session.id)

    async def claim(self, *, after_seconds: float = 0, server: ServerId = HERE) -> Claim | CheckClaim | None:
        return await claim_next(
            self.conn,
            server_id=server,
            now=NOON + timedelta(seconds=after_seconds),
            lease_seconds=LEASE_SECONDS,
        )

    async def begin_checks(self, claim: Any, *, attempt: int | None = None) -> Run | None:
        return await leases.begin_checks(
            self.conn, (claim.run.id, attempt or claim.attempt), output_data={"a": 1}, now=NOON
        )

    async def in_checks(self) -> Claim:
        """The claim on the next run, which is in its checks now."""
        claim = await self.claim()
        assert isinstance(claim, Claim)
        assert await self.begin_checks(claim) is not None
        return claim

    async def finish_checks(self, run_id: RunId, attempt: int) -> Run | None:
        ending = Ending(
            RunStatus.ERROR,
            error=("why",),
            checks=({"status": "failed"},),
            usage_metadata={"total_agentic_steps": 1},
        )
        ended = await leases.finish(self.conn, {(run_id, attempt): ending}, now=NOON)
        return ended[0] if ended else None

    async def end(self, run: Run) -> None:
        await runs.end(self.conn, run.id, status=RunStatus.CANCELLED, changes={}, now=NOON)

    async def stored(self, run: Run) -> Run:
        found = await runs.get(self.conn, self.organization_id, run.id)
        assert found is not None
        return found

    async def holder(self, machine_id: MachineId) -> RunId | None:
        found = await machines.get(self.conn, self.organization_id, machine_id)
        assert found is not None
        return found.held_by_run_id


async def test_a_run_on_its_own_leaves_its_machine_and_keeps_its_lease(database: Database) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        machine, run = await shop.machine(), await shop.run()

        claim = await shop.in_checks()
        checked = await shop.stored(run)

        assert (checked.status, checked.output_data) == (RunStatus.RUNNING_CHECKS, {"a": 1})
        assert (checked.machine_id, checked.has_left_machine) == (machine.id, True)
        assert checked.lease_expires_at is not None
        assert await shop.holder(machine.id) is None
        assert not await leases.holds_machine(conn, (run.id, claim.attempt))
        assert await leases.may_act(conn, (run.id, claim.attempt))


async def test_checks_that_break_off_leave_what_was_written(database: Database) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        await shop.machine()
        await shop.run()
        claim = await shop.in_checks()
        held = claim.run.id, claim.attempt
        await leases.write_checks(conn, held, [{"status": "passed"}])

        [ended] = await leases.finish(conn, {held: Ending(RunStatus.ERROR, error=("why",))}, now=NOON)

        assert (ended.status, ended.output_data) == (RunStatus.ERROR, {"a": 1})
        assert ended.post_run_checks == ({"status": "passed"},)
        assert await shop.stored(ended) == ended


async def test_a_run_in_a_session_goes_on_holding_its_machine(database: Database) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        machine, run = await shop.machine(), await shop.run_in_session()

        claim = await shop.in_checks()

        assert await shop.holder(machine.id) == run.id
        assert await leases.holds_machine(conn, (run.id, claim.attempt))


async def test_invariant_2_runs_in_their_checks_do_not_count_for_their_machine(database: Database) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        machine = await shop.machine()
        first, second, third = [await shop.run() for _ in range(3)]

        await shop.in_checks()
        await shop.in_checks()
        claim = await shop.claim()
        await shop.end(first)  # cancelled, and still in its worker's hands

        assert claim is not None
        assert claim.run.id == third.id
        assert await shop.holder(machine.id) == third.id
        assert [(await shop.stored(run)).lease_expires_at is None for run in (first, second, third)] == [
            False
        ] * 3


async def test_a_cancelled_run_lets_go_in_its_checks_and_frees_nobody_elses_machine(
    database: Database,
) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        machine = await shop.machine()
        first, second = await shop.run(), await shop.run()
        claim = await shop.in_checks()
        await shop.claim()

        await shop.end(first)
        late = await shop.finish_checks(first.id, claim.attempt)
        written = await leases.write_checks(conn, (first.id, claim.attempt), [])
        await leases.release(conn, (first.id, claim.attempt), now=NOON)

        ended = await shop.stored(first)
        assert (late, written) == (None, False)
        assert (ended.status, ended.lease_expires_at) == (RunStatus.CANCELLED, None)
        assert await shop.holder(machine.id) == second.id


async def test_checks_that_nobody_makes_any_more_are_taken_over(database: Database) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        machine, run = await shop.machine(), await shop.run()
        first = await shop.in_checks()

        second = await shop.claim(after_seconds=LEASE_SECONDS + 1)
        overtaken = await shop.finish_checks(run.id, first.attempt)
        ended = await shop.finish_checks(run.id, 2)

        assert type(second) is CheckClaim
        assert (second.attempt, second.machine) == (2, machine)
        assert second.run.post_run_checks == CHECKS
        assert overtaken is None
        assert ended is not None
        assert (ended.status, ended.error, ended.output_data) == (RunStatus.ERROR, ("why",), {"a": 1})
        assert (ended.post_run_checks, ended.usage_metadata) == (
            ({"status": "failed"},),
            {"total_agentic_steps": 1},
        )


async def test_checks_of_a_server_that_is_gone_are_anybodys_and_need_no_machine(database: Database) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        machine, run = await shop.machine(), await shop.run()
        await shop.in_checks()
        assert await machines.delete(conn, shop.organization_id, machine.id)
        await leases.expire(conn, HERE, now=NOON)

        claim = await shop.claim(server=ServerId("elsewhere"))

        assert type(claim) is CheckClaim
        assert (claim.run.id, claim.machine) == (run.id, None)


async def test_a_machine_that_connects_elsewhere_takes_no_checks_along(database: Database) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        machine, run = await shop.machine(), await shop.run()
        claim = await shop.in_checks()

        await leases.follow_machine(conn, machine.id, server_id=ServerId("elsewhere"), now=NOON)

        assert (await shop.stored(run)).attempt == claim.attempt


async def test_only_a_run_that_goes_on_here_begins_its_checks(database: Database) -> None:
    """Invariant 4."""
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        machine, run = await shop.machine(), await shop.run()
        claim = await shop.claim()

        overtaken = await shop.begin_checks(claim, attempt=7)
        await shop.end(run)
        cancelled = await shop.begin_checks(claim)

        assert (overtaken, cancelled) == (None, None)
        assert await shop.holder(machine.id) == run.id


@pytest.mark.parametrize("is_in_checks", [True, False])
async def test_invariant_4_a_slow_worker_of_the_try_before_ends_nothing(
    database: Database, is_in_checks: bool
) -> None:
    """A run that was cancelled, lost its lease and starts over has the attempt of the try before."""
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        await shop.machine()
        run = await shop.run()
        claim = await (shop.in_checks() if is_in_checks else shop.claim())
        assert claim is not None
        await shop.end(run)
        await shop.claim(after_seconds=LEASE_SECONDS + 1)  # frees what cancelled runs left
        again = await runs.start_over(conn, run, now=NOON)

        late = await leases.finish(conn, {claim.held: Ending(RunStatus.SUCCESS)}, now=NOON)
        late_checks = await shop.finish_checks(run.id, claim.attempt)

        assert again is not None
        assert (late, late_checks) == ((), None)
        found = await shop.stored(run)
        assert (found.status, found.has_left_machine) == (RunStatus.SCHEDULING, False)


WRITES: dict[str, Callable[[AsyncConnection, Held], Awaitable[object]]] = {
    "leave": lambda conn, held: leases.leave(conn, held, now=NOON),
    "begin_checks": lambda conn, held: leases.begin_checks(conn, held, output_data={"b": 2}, now=NOON),
    "write_checks": lambda conn, held: leases.write_checks(conn, held, []),
    "finish": lambda conn, held: leases.finish(conn, {held: Ending(RunStatus.SUCCESS)}, now=NOON),
    "finish_checks": lambda conn, held: leases.finish(
        conn, {held: Ending(RunStatus.SUCCESS, checks=())}, now=NOON
    ),
    "release": lambda conn, held: leases.release(conn, held, now=NOON),
    "renew": lambda conn, held: leases.renew(conn, [held], server_id=HERE, lease_until=NOON),
    "may_act": leases.may_act,
    "holds_machine": leases.holds_machine,
}
"""All that a worker asks and writes about a run it holds."""


@pytest.mark.parametrize("state", ["running", "checked", "cancelled"])
async def test_invariant_4_whatever_an_overtaken_worker_writes_changes_nothing(
    database: Database, state: str
) -> None:
    async with database.transaction() as conn:
        shop = await Shop.open(conn)
        await shop.machine()
        run = await shop.run_in_session()
        lost = await (shop.in_checks() if state == "checked" else shop.claim())
        assert lost is not None
        assert await shop.claim(after_seconds=LEASE_SECONDS + 1) is not None
        if state == "cancelled":
            await shop.end(run)
        both = tables.runs, tables.machines
        before = [(await conn.execute(select(table))).all() for table in both]

        answers = {name: await write(conn, lost.held) for name, write in WRITES.items()}

        assert [name for name, answer in answers.items() if answer] == []
        assert [(await conn.execute(select(table))).all() for table in both] == before
