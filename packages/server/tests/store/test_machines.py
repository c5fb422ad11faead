"""Machines and their tunnels, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from cyberdesk_server.domain.ids import ApiKeyId, ConnectionId, MachineId, OrganizationId, ServerId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.store import machines
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import connections
from cyberdesk_server.testing.rows import HERE, NOON, a_machine, an_organization
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

LATER = NOON + timedelta(minutes=1)


async def connect(
    conn: AsyncConnection, organization: OrganizationId, **told: object
) -> tuple[Machine, ConnectionId]:
    connection_id = ConnectionId(uuid4())
    fields = {
        "name": None,
        "hostname": None,
        "version": None,
        "features": frozenset[str](),
        "server_id": HERE,
        "now": LATER,
    }
    machine = await machines.connect(
        conn,
        organization_id=organization,
        api_key_id=ApiKeyId(uuid4()),
        fingerprint="f-1",
        connection_id=connection_id,
        ip_address="10.0.0.1",
        user_agent="driver",
        **(fields | told),  # type: ignore[arg-type]  # the keywords of `connect`
    )
    return machine, connection_id


async def open_connections(conn: AsyncConnection) -> list[ConnectionId]:
    rows = await conn.execute(select(connections.c.id).where(connections.c.disconnected_at.is_(None)))
    return list(rows.scalars())


async def test_a_new_fingerprint_makes_a_machine(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)

        machine, connection_id = await connect(
            conn, organization, name="Front desk", version="2.0", features=frozenset({"b", "a"})
        )

        assert await machines.get(conn, organization, machine.id) == machine
        assert machine.status is MachineStatus.CONNECTED
        assert (machine.name, machine.version) == ("Front desk", "2.0")
        assert machine.features == frozenset({"a", "b"})
        assert machine.connection_id == connection_id
        assert (machine.created_at, machine.last_seen) == (LATER, LATER)
        assert await open_connections(conn) == [connection_id]


async def test_a_known_fingerprint_keeps_its_machine_and_what_the_driver_does_not_tell(
    database: Database,
) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        first, _ = await connect(conn, organization, name="Front desk", hostname="PC1", now=NOON)
        await machines.update_fields(conn, organization, first.id, {"is_available": False})

        second, connection_id = await connect(conn, organization, hostname="PC2")

        assert second == replace(
            first,
            hostname="PC2",
            is_available=False,
            unkey_key_id=second.unkey_key_id,
            connection_id=connection_id,
            last_seen=LATER,
        )


async def test_the_newest_tunnel_speaks_for_the_machine(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine, older = await connect(conn, organization)
        _, newer = await connect(conn, organization)

        assert await open_connections(conn) == [newer]
        assert not await machines.disconnect(conn, machine.id, connection_id=older, now=LATER)
        found = await machines.get(conn, organization, machine.id)
        assert found is not None
        assert (found.status, found.connection_id) == (MachineStatus.CONNECTED, newer)


async def test_a_machine_without_its_tunnel_is_disconnected(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine, connection_id = await connect(conn, organization, now=NOON)

        assert await machines.disconnect(conn, machine.id, connection_id=connection_id, now=LATER)

        assert await machines.get(conn, organization, machine.id) == replace(
            machine,
            status=MachineStatus.DISCONNECTED,
            connection_id=None,
            server_id=None,
            last_seen=LATER,
        )
        assert await open_connections(conn) == []


async def test_a_server_keeps_the_machines_seen_that_are_connected_to_it(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine, connection_id = await connect(conn, organization, now=NOON)
        other = await a_machine(conn, organization, server_id=ServerId("elsewhere"))
        await a_machine(conn, organization, is_connected=False)

        assert await machines.seen(conn, HERE, now=LATER) == {machine.id: connection_id}

        found, _ = await machines.find(conn, organization, ids=[machine.id, other.id])
        assert {each.id: each.last_seen for each in found} == {machine.id: LATER, other.id: NOON}


async def test_machines_at_other_servers_are_told_from_those_that_are_nowhere(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        here, _ = await connect(conn, organization)
        other = await a_machine(conn, organization, server_id=ServerId("elsewhere"))
        gone = await a_machine(conn, organization, is_connected=False)

        ids = [here.id, other.id, gone.id]
        assert await machines.connected_elsewhere(conn, ids, HERE) == {other.id}


async def test_a_server_that_is_gone_holds_no_tunnel(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        machine, _ = await connect(conn, organization)
        await a_machine(conn, organization, is_connected=False)

        assert await machines.disconnect_all(conn, HERE, now=LATER) == 1

        found = await machines.get(conn, organization, machine.id)
        assert found is not None
        assert found.status is MachineStatus.DISCONNECTED
        assert await open_connections(conn) == []


async def test_the_same_fingerprint_in_two_organizations_is_two_machines(database: Database) -> None:
    """Invariant 8."""
    async with database.transaction() as conn:
        own, _ = await connect(conn, await an_organization(conn, "org_a"))
        other, _ = await connect(conn, await an_organization(conn, "org_b"))

        assert own.id != other.id
        assert await machines.get(conn, own.organization_id, other.id) is None
        assert await machines.update_fields(conn, own.organization_id, other.id, {"name": "x"}) is None
        assert not await machines.delete(conn, own.organization_id, other.id)


async def test_the_names_of_parameters_are_those_of_all_machines(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        await a_machine(conn, organization, machine_parameters={"a": 1})
        await a_machine(
            conn, organization, machine_parameters={"b": 1}, sensitive_parameter_aliases={"c": "alias"}
        )
        await a_machine(conn, await an_organization(conn, "org_b"), machine_parameters={"d": 1})

        assert await machines.parameter_names(conn, organization) == (frozenset("ab"), frozenset("c"))


async def test_an_unknown_machine_is_none(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)

        assert await machines.get(conn, organization, MachineId(uuid4())) is None
