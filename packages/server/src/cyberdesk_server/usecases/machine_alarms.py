"""Telling of machines that were connected and are lost."""

from datetime import datetime, timedelta
from itertools import groupby

from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.webhooks import WebhookEventType
from cyberdesk_server.ports import Bus
from cyberdesk_server.store import machines, outbox
from cyberdesk_server.store.database import Database
from cyberdesk_server.topics import WEBHOOKS_WAITING


async def tell_of_lost(database: Database, bus: Bus, *, after_seconds: float, now: datetime) -> None:
    """Tell of each machine once that has been disconnected for so long, those of an organization together."""
    async with database.transaction() as conn:
        lost = await machines.take_lost(conn, before=now - timedelta(seconds=after_seconds))
        facts = [
            {
                "organization_id": organization_id,
                "machines": [_facts(machine, after_seconds) for machine in its_own],
            }
            for organization_id, its_own in groupby(lost, key=lambda machine: machine.organization_id)
        ]
        await outbox.happened(conn, WebhookEventType.DOWNED_MACHINES, facts, now=now)
    if lost:
        await bus.publish(WEBHOOKS_WAITING)


def _facts(machine: Machine, after_seconds: float) -> dict[str, object]:
    return {
        "machine_id": machine.id,
        "organization_id": machine.organization_id,
        "name": machine.name,
        "status": machine.status,
        "last_seen": machine.last_seen,
        "reason": f"its driver has not been connected for {after_seconds:g} seconds",
    }
