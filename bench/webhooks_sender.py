"""A process that sends webhooks until it is killed: `python -m bench.webhooks_sender DATABASE_URL FOLDER`."""

import asyncio
import random
import sys
from datetime import UTC, datetime
from uuid import uuid4

import uvloop
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.vault import EnvelopeVault
from cyberdesk_server.adapters.webhooks import HttpCourier
from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.ports import Bus
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases import servers
from cyberdesk_server.usecases.webhook_deliveries import Patience
from cyberdesk_server.worker.sender import Sender, SenderLimits

from bench.webhooks_load import MASTER_KEY, REACH, TIMEOUT_SECONDS

WAITS_SECONDS = (0.2,) * 60
"""Failures are tried again soon here, and often: what is measured is whether all arrive."""

LEASE_SECONDS = 10.0


def a_sender(database: Database, bus: Bus, server_id: ServerId) -> Sender:
    """As a server builds it, but for its patience."""
    clock = SystemClock()
    return Sender(
        server_id,
        database,
        bus,
        clock,
        HttpCourier(REACH, clock, timeout_seconds=TIMEOUT_SECONDS),
        EnvelopeVault(MASTER_KEY),
        Patience(luck=random.random, waits_seconds=WAITS_SECONDS),
        SenderLimits(lease_seconds=LEASE_SECONDS),
    )


async def _send(url: str, folder: str) -> None:
    database = await Database.open(url)
    server_id = ServerId(f"bench-{uuid4().hex[:8]}")
    await servers.begin(database, server_id, folder=folder, now=datetime.now(UTC))
    await a_sender(database, InProcessBus(), server_id).run()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(_send(*sys.argv[1:]))
