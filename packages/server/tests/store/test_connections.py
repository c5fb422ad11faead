"""Connections as callers see them, on both databases."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from cyberdesk_server.domain.connections import Connection, ConnectionStatus
from cyberdesk_server.domain.ids import ConnectionId, OrganizationId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.store import connections, machines
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import NOON, a_machine, an_organization

STRANGER = OrganizationId("org_stranger")


def a_connection(machine: Machine, minutes: int = 0) -> Connection:
    moment = NOON + timedelta(minutes=minutes)
    return Connection(
        id=ConnectionId(uuid4()),
        organization_id=machine.organization_id,
        machine_id=machine.id,
        websocket_id="ws",
        status=ConnectionStatus.CONNECTED,
        connected_at=moment,
        last_ping=moment,
        user_agent="Ł",
    )


async def test_a_connection_is_read_back_as_it_was_written(database: Database) -> None:
    async with database.transaction() as conn:
        machine = await a_machine(conn, await an_organization(conn))
        connection = a_connection(machine)

        await connections.add(conn, connection)

        assert await connections.get(conn, machine.organization_id, connection.id) == connection
        assert await connections.get(conn, STRANGER, connection.id) is None


async def test_a_tunnel_is_a_connection_until_it_is_gone(database: Database) -> None:
    async with database.transaction() as conn:
        machine = await a_machine(conn, await an_organization(conn))
        assert machine.connection_id is not None

        opened = await connections.get(conn, machine.organization_id, machine.connection_id)
        await machines.disconnect(conn, machine.id, connection_id=machine.connection_id, now=NOON)
        closed = await connections.get(conn, machine.organization_id, machine.connection_id)

    assert opened is not None
    assert opened.status is ConnectionStatus.CONNECTED
    assert closed == replace(opened, status=ConnectionStatus.DISCONNECTED, disconnected_at=NOON)


async def test_a_page_holds_the_last_connected_first(database: Database) -> None:
    async with database.transaction() as conn:
        organization = await an_organization(conn)
        first = await a_machine(conn, organization, is_connected=False)
        second = await a_machine(conn, organization)
        newer, newest = a_connection(first, 1), a_connection(first, 2)
        await connections.add(conn, newest)
        await connections.add(conn, newer)

        found, total = await connections.find(conn, organization, machine_id=first.id)
        page, _ = await connections.find(conn, organization, machine_id=first.id, skip=1, limit=1)
        open_, _ = await connections.find(conn, organization, status=ConnectionStatus.CONNECTED)

        assert (found[:2], total) == ((newest, newer), 3)
        assert page == (newer,)
        assert {connection.machine_id for connection in open_} == {first.id, second.id}
        assert await connections.find(conn, STRANGER) == ((), 0)


async def test_only_the_own_organization_changes_and_removes_a_connection(database: Database) -> None:
    async with database.transaction() as conn:
        connection = a_connection(await a_machine(conn, await an_organization(conn)))
        await connections.add(conn, connection)
        own, changes = connection.organization_id, {"disconnected_at": NOON}

        assert await connections.update_fields(conn, STRANGER, connection.id, changes) is None
        assert await connections.update_fields(conn, own, connection.id, {}) == connection
        changed = await connections.update_fields(conn, own, connection.id, changes)
        assert changed == replace(connection, disconnected_at=NOON)
        assert not await connections.delete(conn, STRANGER, connection.id)
        assert await connections.delete(conn, own, connection.id)
        assert await connections.get(conn, own, connection.id) is None
