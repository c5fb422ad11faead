"""A machine that is lost is told of once, with the others of its organization."""

import json
from datetime import timedelta
from typing import Any

from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.webhooks import WebhookEventType
from cyberdesk_server.store import machines
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import webhook_messages
from cyberdesk_server.testing.rows import NOON, a_machine, an_organization
from cyberdesk_server.testing.webhook_rows import an_endpoint
from cyberdesk_server.usecases.machine_alarms import tell_of_lost
from sqlalchemy import select

VAULT = EnvelopeVault(MasterKey(b"m" * 32))
ALL = (WebhookEventType.DOWNED_MACHINES,)


async def told(database: Database, *, seconds: float) -> list[tuple[str, list[Any]]]:
    """What is told so long after noon: organizations, and the names of their machines."""
    bus, now = InProcessBus(), NOON + timedelta(seconds=seconds)
    await tell_of_lost(database, bus, after_seconds=60, now=now)
    async with database.read() as conn:
        rows = await conn.execute(select(webhook_messages).where(webhook_messages.c.created_at == now))
        payloads = [json.loads(row.payload) for row in rows]
    return sorted(
        (payload["organization_id"], sorted(machine["name"] for machine in payload["machines"]))
        for payload in payloads
    )


async def test_lost_machines_are_told_of_once_until_they_come_back(database: Database) -> None:
    async with database.transaction() as conn:
        own, other = await an_organization(conn), await an_organization(conn, "org_other")
        for organization_id in (own, other):
            await an_endpoint(conn, organization_id, VAULT, event_types=ALL)
        for name, fields in {
            "one": {"fingerprint": "one"},
            "two": {},
            "connected": {"is_connected": True},
            "quiet": {"alerts_enabled": False},
        }.items():
            await a_machine(conn, own, **{"is_connected": False, "name": name} | fields)  # type: ignore[arg-type]
        await a_machine(conn, other, is_connected=False, name="theirs")

    assert await told(database, seconds=59) == []
    assert await told(database, seconds=60) == [("org_other", ["theirs"]), ("org_test", ["one", "two"])]
    assert await told(database, seconds=61) == []
    async with database.transaction() as conn:
        await a_machine(conn, own, is_connected=False, name="one", fingerprint="one")
    assert await told(database, seconds=62) == [("org_test", ["one"])]


async def test_a_machine_that_never_was_connected_is_not_lost(database: Database) -> None:
    async with database.transaction() as conn:
        organization_id = await an_organization(conn)
        await an_endpoint(conn, organization_id, VAULT, event_types=ALL)
        machine = await a_machine(conn, organization_id, is_connected=False, name="one")
        await machines.delete(conn, organization_id, machine.id)
        await machines.add(conn, machine)

    assert await told(database, seconds=100) == []


async def test_nothing_is_kept_for_an_organization_without_endpoints(database: Database) -> None:
    async with database.transaction() as conn:
        await a_machine(conn, await an_organization(conn), is_connected=False, name="one")

    assert await told(database, seconds=100) == []
