"""What keeps machines from a waiting run: counted in the store as the domain says it of one."""

from itertools import product
from uuid import uuid4

from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.domain.waiting import Waiter, obstacle
from cyberdesk_server.store import eligible_machines
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import a_machine, a_pool, a_run, a_workflow, an_organization
from sqlalchemy.ext.asyncio import AsyncConnection


async def machines_of_every_kind(conn: AsyncConnection, organization_id: str) -> list[Machine]:
    return [
        await a_machine(
            conn,
            organization_id,
            is_connected=is_connected,
            status=status.value,
            is_available=is_available,
            held_by_run_id=uuid4() if is_held else None,
            reserved_session_id=uuid4() if is_reserved else None,
        )
        for is_connected, status, is_available, is_held, is_reserved in product(
            (True, False), MachineStatus, (True, False), (True, False), (True, False)
        )
    ]


async def test_every_kind_of_machine_is_counted_for_what_keeps_it(database: Database) -> None:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        run = await a_run(conn, await a_workflow(conn, organization_id))
        found = await machines_of_every_kind(conn, organization_id)

        counts = await eligible_machines.counts(conn, organization_id, ())

    kept = [obstacle(machine, Waiter.of(run)) for machine in found]
    assert counts == {one: kept.count(one) for one in set(kept)}


async def test_only_machines_that_are_in_all_pools_count(database: Database) -> None:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        both, first, _ = [await a_machine(conn, organization_id) for _ in range(3)]
        one = await a_pool(conn, organization_id, machine_ids=[both.id, first.id])
        other = await a_pool(conn, organization_id, machine_ids=[both.id])
        empty = await a_pool(conn, organization_id)

        in_one, in_both, in_none = [
            await eligible_machines.counts(conn, organization_id, ids)
            for ids in ([one.id], [one.id, other.id], [one.id, empty.id])
        ]

    assert (in_one, in_both, in_none) == ({None: 2}, {None: 1}, {})


async def test_machines_of_others_do_not_count(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        own, foreign = await an_organization(conn, "org_own"), await an_organization(conn, "org_foreign")
        await a_machine(conn, foreign)

        counts = await eligible_machines.counts(conn, own, ())

    assert counts == {}
