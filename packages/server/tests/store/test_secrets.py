"""Sealed secrets, on both databases."""

from uuid import uuid4

from cyberdesk_server.domain.ids import SecretId
from cyberdesk_server.store import secrets
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import a_machine, a_run, a_workflow, an_organization


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


async def test_secrets_are_forgotten_by_owner_and_name(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine = await a_machine(conn, organization)
        run = await a_run(conn, await a_workflow(conn, organization), machine_id=machine.id)
        await secrets.add_for_run(conn, organization, run.id, sealed(a=b"1"))
        await secrets.add_for_machine(conn, organization, machine.id, sealed(b=b"2", c=b"3", d=b"4"))

        await secrets.forget_run(conn, run.id)
        await secrets.forget_machine(conn, machine.id, ["b"])
        some = set(await secrets.for_run(conn, run.id))
        await secrets.forget_machine(conn, machine.id)

        assert some == {"c", "d"}
        assert await secrets.for_run(conn, run.id) == {}
