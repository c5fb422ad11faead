"""Claims, leases and fencing, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import SecretId
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.store import leases, machines, runs, secrets
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import ONE_RUN_PER_MACHINE
from cyberdesk_server.store.tables import runs as runs_table
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    a_run,
    a_workflow,
    an_organization,
    claim_next,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

SECOND = timedelta(seconds=1)


async def claim(conn: AsyncConnection, *, at: timedelta = timedelta()) -> Claim | None:
    return await claim_next(conn, server_id=HERE, now=NOON + at, lease_seconds=30)


async def finish(conn: AsyncConnection, claimed: Claim) -> bool:
    ending = Ending(RunStatus.SUCCESS, output_data={"a": 1}, usage_metadata={"total_agentic_steps": 2})
    return bool(await leases.finish(conn, {claimed.held: ending}, now=NOON + SECOND))


async def stored(conn: AsyncConnection, run: Run) -> Run:
    found = await runs.get(conn, run.organization_id, run.id)
    assert found is not None
    return found


async def test_a_waiting_run_goes_to_a_connected_machine(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow)

        claimed = await claim(conn)

    assert claimed is not None
    assert claimed.run == replace(
        run, status=RunStatus.RUNNING, machine_id=machine.id, started_at=NOON, attempt=1
    )
    assert claimed.machine == replace(machine, held_by_run_id=run.id)
    assert claimed.workflow == workflow
    assert claimed.attempt == 1


@pytest.mark.parametrize(
    "lacking", [{"is_connected": False}, {"is_available": False}, {"reserved_session_id": uuid4()}]
)
async def test_a_run_waits_while_no_machine_can_take_it(
    database: Database, lacking: dict[str, object]
) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization, **lacking)  # type: ignore[arg-type]  # one of the builder's fields
        await a_run(conn, await a_workflow(conn, organization))

        assert await claim(conn) is None


async def test_a_run_never_goes_to_a_machine_of_another_organization(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        await a_machine(conn, await an_organization(conn, "org_other"))
        await a_run(conn, await a_workflow(conn, await an_organization(conn)))

        assert await claim(conn) is None


async def test_priority_goes_first_and_then_the_oldest(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        young = await a_run(conn, workflow, created_at=NOON + 2 * SECOND)
        bound = await a_run(conn, workflow, machine_id=machine.id, created_at=NOON + SECOND)
        old = await a_run(conn, workflow)
        urgent = await a_run(conn, workflow, is_priority=True, created_at=NOON + 3 * SECOND)

        order = []
        while (claimed := await claim(conn)) is not None:
            order.append(claimed.run.id)
            await finish(conn, claimed)

    assert order == [urgent.id, old.id, bound.id, young.id]


async def test_a_run_for_one_machine_waits_for_it_and_takes_no_other(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        wanted = await a_machine(conn, organization, is_connected=False)
        await a_machine(conn, organization)
        await a_run(conn, await a_workflow(conn, organization), machine_id=wanted.id)

        assert await claim(conn) is None


async def test_a_machine_has_one_run_at_a_time(database: Database) -> None:
    """Invariant 2, by the rules."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        await a_run(conn, workflow)
        await a_run(conn, workflow)

        assert await claim(conn) is not None
        assert await claim(conn) is None


async def test_the_database_itself_refuses_a_second_run_on_a_machine(database: Database) -> None:
    """Invariant 2, by the index."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        for _ in range(2):
            await a_run(conn, workflow, machine_id=machine.id)

    with pytest.raises(IntegrityError) as refused:
        async with database.transaction() as conn:
            await conn.execute(runs_table.update().values(lease_expires_at=NOON))

    assert ONE_RUN_PER_MACHINE in str(refused.value) or "runs.machine_id" in str(refused.value)


async def test_workers_that_claim_at_once_share_the_runs(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        workflow = await a_workflow(conn, organization)
        for _ in range(6):
            await a_machine(conn, organization)
            await a_run(conn, workflow)

    async def one_claim() -> Claim | None:
        async with database.transaction() as conn:
            return await claim(conn)

    claims = [claimed for claimed in await asyncio.gather(*(one_claim() for _ in range(8))) if claimed]

    assert len(claims) == 6
    assert len({claimed.run.id for claimed in claims}) == 6
    assert len({claimed.machine.id for claimed in claims}) == 6


async def test_a_finished_run_frees_its_machine_and_loses_its_secrets(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization))
        await secrets.add_for_run(conn, organization, run.id, {"pin": (SecretId(uuid4()), b"sealed")})
        claimed = await claim(conn)
        assert claimed is not None

        assert await finish(conn, claimed)

        assert await stored(conn, run) == replace(
            claimed.run,
            status=RunStatus.SUCCESS,
            output_data={"a": 1},
            usage_metadata={"total_agentic_steps": 2},
            ended_at=NOON + SECOND,
        )
        assert await machines.get(conn, organization, machine.id) == machine
        assert await secrets.for_run(conn, run.id) == {}


async def test_a_run_ends_once(database: Database) -> None:
    """Invariant 1."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization))
        claimed = await claim(conn)
        assert claimed is not None
        await finish(conn, claimed)

        assert not await finish(conn, claimed)
        assert await runs.end(conn, run.id, status=RunStatus.CANCELLED, changes={}, now=NOON) is None
        assert (await stored(conn, run)).status is RunStatus.SUCCESS


async def test_a_run_whose_worker_is_gone_is_taken_over_on_the_same_machine(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        await a_run(conn, await a_workflow(conn, organization))
        first = await claim(conn)
        await a_machine(conn, organization)

        early = await claim(conn, at=29 * SECOND)
        second = await claim(conn, at=30 * SECOND)

    assert first is not None
    assert early is None
    assert second is not None
    assert second == replace(first, run=replace(first.run, attempt=2), attempt=2)


async def test_a_worker_that_lost_its_lease_changes_nothing(database: Database) -> None:
    """Invariant 4."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization))
        lost = await claim(conn)
        taken = await claim(conn, at=30 * SECOND)
        assert lost is not None
        assert taken is not None

        assert not await finish(conn, lost)
        assert not await leases.may_act(conn, (run.id, lost.attempt))
        assert await leases.renew(conn, [(run.id, lost.attempt)], server_id=HERE, lease_until=NOON) == {}
        await leases.release(conn, (run.id, lost.attempt), now=NOON)

        assert await stored(conn, run) == taken.run
        assert await leases.may_act(conn, (run.id, taken.attempt))


async def test_a_worker_of_the_try_before_changes_nothing_of_a_run_that_starts_over(
    database: Database,
) -> None:
    """Invariant 4: its attempt is still the run's, until somebody claims it again."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization))
        late = await claim(conn)
        assert late is not None
        await finish(conn, late)
        again = await runs.start_over(conn, run, now=NOON + SECOND)

        assert not await finish(conn, late)
        assert await stored(conn, run) == again


async def test_a_renewed_lease_is_not_taken_over(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization))
        await claim(conn)

        held = await leases.renew(conn, [(run.id, 1)], server_id=HERE, lease_until=NOON + 60 * SECOND)

        assert held == {run.id: RunStatus.RUNNING}
        assert await claim(conn, at=59 * SECOND) is None


async def test_a_cancelled_run_keeps_its_machine_until_the_worker_lets_go(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow)
        following = await a_run(conn, workflow, created_at=NOON + SECOND)
        claimed = await claim(conn)
        assert claimed is not None

        cancelled = await runs.end(conn, run.id, status=RunStatus.CANCELLED, changes={}, now=NOON)

        assert cancelled is not None
        assert not await leases.may_act(conn, (run.id, claimed.attempt))
        held = [(run.id, claimed.attempt)]
        renewed = await leases.renew(conn, held, server_id=HERE, lease_until=NOON)
        assert renewed == {run.id: RunStatus.CANCELLED}
        assert not await runs.delete(conn, run.id)
        await leases.renew(conn, held, server_id=HERE, lease_until=NOON + 30 * SECOND)
        assert await claim(conn) is None
        await leases.release(conn, (run.id, claimed.attempt), now=NOON)
        next_claim = await claim(conn)
        assert next_claim is not None
        assert next_claim.run.id == following.id
        assert await runs.delete(conn, run.id)


async def test_the_machine_of_a_cancelled_run_is_freed_when_its_worker_died(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow)
        await claim(conn)
        await runs.end(conn, run.id, status=RunStatus.CANCELLED, changes={}, now=NOON)
        following = await a_run(conn, workflow)

        claimed = await claim(conn, at=30 * SECOND)

    assert claimed is not None
    assert claimed.run.id == following.id


async def test_a_running_run_is_not_released(database: Database) -> None:
    """Invariant 1: it would never be taken over."""
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization))
        await claim(conn)

        await leases.release(conn, (run.id, 1), now=NOON)

        assert (await stored(conn, run)).lease_expires_at is not None


async def test_what_a_server_held_that_is_gone_can_be_taken_over_at_once(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization))
        await claim(conn)

        assert await leases.expire(conn, HERE, now=NOON) == 1

        taken = await claim(conn)
        assert taken is not None
        assert (taken.run.id, taken.attempt) == (run.id, 2)
