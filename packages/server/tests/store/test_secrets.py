"""Sealed secrets, on both databases."""

from uuid import uuid4

from cyberdesk_server.domain.ids import SecretId
from cyberdesk_server.store import secrets
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import a_machine, a_pool, a_run, a_workflow, an_organization


def sealed(**contents: bytes) -> dict[str, tuple[SecretId, bytes]]:
    return {name: (SecretId(uuid4()), content) for name, content in contents.items()}


async def test_a_run_may_use_its_secrets_and_its_machines_and_the_machine_wins(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow, machine_id=machine.id)
        elsewhere = await a_run(conn, workflow)
        of_run, of_machine = sealed(a=b"run", b=b"run"), sealed(b=b"machine", c=b"machine")

        await secrets.add_for_run(conn, organization, run.id, of_run)
        await secrets.add_for_machine(conn, organization, machine.id, of_machine)

        assert await secrets.for_run(conn, run.id) == {**of_run, **of_machine}
        assert await secrets.for_run(conn, elsewhere.id) == {}


async def test_a_run_may_use_the_secrets_of_the_pools_it_names_and_the_first_named_wins(
    database: Database,
) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        first, second, other = [await a_pool(conn, organization) for _ in range(3)]
        machine = await a_machine(conn, organization)
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow, machine_id=machine.id, pool_ids=(first.id, second.id))
        of_machine, of_run = sealed(a=b"machine"), sealed(a=b"run", b=b"run")
        of_first, of_second = sealed(a=b"1", b=b"1", c=b"1"), sealed(a=b"2", b=b"2", c=b"2", d=b"2")

        await secrets.add_for_machine(conn, organization, machine.id, of_machine)
        await secrets.add_for_run(conn, organization, run.id, of_run)
        await secrets.add_for_pool(conn, organization, first.id, of_first)
        await secrets.add_for_pool(conn, organization, second.id, of_second)
        await secrets.add_for_pool(conn, organization, other.id, sealed(e=b"not named"))

        assert await secrets.for_run(conn, run.id) == {**of_second, **of_first, **of_run, **of_machine}


async def test_secrets_are_forgotten_by_owner_and_name(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        pool = await a_pool(conn, organization)
        workflow = await a_workflow(conn, organization)
        run = await a_run(conn, workflow, machine_id=machine.id, pool_ids=(pool.id,))
        await secrets.add_for_run(conn, organization, run.id, sealed(a=b"1"))
        await secrets.add_for_machine(conn, organization, machine.id, sealed(b=b"2", c=b"3", d=b"4"))
        await secrets.add_for_pool(conn, organization, pool.id, sealed(e=b"5", f=b"6", g=b"7"))

        await secrets.forget_runs(conn, [run.id])
        await secrets.forget_machine(conn, machine.id, ["b"])
        await secrets.forget_pool(conn, pool.id, ["e"])
        some = set(await secrets.for_run(conn, run.id))
        await secrets.forget_machine(conn, machine.id)
        await secrets.forget_pool(conn, pool.id)

        assert some == {"c", "d", "f", "g"}
        assert await secrets.for_run(conn, run.id) == {}
