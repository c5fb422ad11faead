"""Receivers of webhooks that are well or ill, and runs that end for them to be told of."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from time import perf_counter
from uuid import uuid4

from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.domain.ids import RunId, SessionId
from cyberdesk_server.domain.networks import Reach, networks_in
from cyberdesk_server.domain.runs import Run, RunStatus, demand_of_session
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import runs
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import a_workflow, an_organization
from cyberdesk_server.testing.webhook_rows import an_endpoint

MASTER_KEY = MasterKey(b"b" * 32)
REACH = Reach(networks_in("127.0.0.0/8"), allows_http=True)
TIMEOUT_SECONDS = 1.0
"""Of one attempt here."""

MOST_RECEIVERS = 20
SLOW_SECONDS = 0.3
OK = b"HTTP/1.1 204 No Content\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"


class Health(Enum):
    """How a receiver answers."""

    WELL = "well"
    FAILING = "every other message with 500"
    TIMING_OUT = "every tenth message not at all"
    SLOW = "late"
    DEAD = "never"


@dataclass
class Receivers:
    """Receivers of any health on loopback, and what reached them."""

    ports: list[int] = field(default_factory=list)
    """Still to be given to an endpoint: each is a host of its own."""

    arrived: dict[str, float] = field(default_factory=dict)
    """Run -> when a message told of it first."""

    taken: set[str] = field(default_factory=set)
    """Runs that were told of in a message that was answered with 204."""

    ids: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Run -> the ids of the messages that told of it."""

    requests: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, health: Health) -> str:
        return f"http://127.0.0.1:{self.ports.pop()}/{health.name}/"

    async def until(self, holds: Callable[[set[str]], bool], *, silence_seconds: float) -> bool:
        """True when this holds for what was taken; False once nothing more was for so long."""
        count, since = len(self.taken), perf_counter()
        while not holds(self.taken):
            if len(self.taken) > count:
                count, since = len(self.taken), perf_counter()
            elif perf_counter() - since > silence_seconds:
                return False
            self.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self.changed.wait()
        return True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
                body = await reader.readexactly(int(headers["content-length"]))
                health = Health[head.split("/")[1].upper()]
                answer = await self._answer(health, headers["webhook-id"], json.loads(body))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    async def _answer(self, health: Health, message_id: str, event: dict[str, dict[str, str]]) -> bytes:
        run_id = event["run"]["id"]
        self.requests += 1
        self.arrived.setdefault(run_id, perf_counter())
        self.ids[run_id].add(message_id)
        if health is Health.DEAD or (health is Health.TIMING_OUT and self.requests % 10 == 0):
            await asyncio.sleep(10 * TIMEOUT_SECONDS)
        if health is Health.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if health is Health.FAILING and self.requests % 2:
            return BROKEN
        self.taken.add(run_id)
        self.changed.set()
        return OK


def more_than(count: int) -> Callable[[set[str]], bool]:
    """For `Receivers.until`."""
    return lambda taken: len(taken) > count


@asynccontextmanager
async def receivers() -> AsyncIterator[Receivers]:
    """Running ones; nobody waits for their last answers."""
    these = Receivers()
    servers = [await asyncio.start_server(these.serve, "127.0.0.1", 0) for _ in range(MOST_RECEIVERS)]
    these.ports = [server.sockets[0].getsockname()[1] for server in servers]
    try:
        yield these
    finally:
        for server in servers:
            server.close()


async def told_workflow(database: Database, url: str) -> Workflow:
    """A workflow of an organization of its own, whose ended runs are told to this URL."""
    async with database.transaction() as conn:
        organization_id = await an_organization(conn, f"org_{uuid4().hex[:12]}")
        await an_endpoint(conn, organization_id, EnvelopeVault(MASTER_KEY), url=url, reach=REACH)
        return await a_workflow(conn, organization_id, is_webhooks_enabled=True)


async def end_runs(database: Database, *workflows: Workflow) -> dict[str, float]:
    """End a run of each of these workflows, in one transaction: run -> when that was committed."""
    now = datetime.now(UTC)
    demand = demand_of_session(SessionId(uuid4()))
    made = [
        Run(RunId(uuid4()), one.organization_id, one.id, RunStatus.SCHEDULING, now, demand=demand)
        for one in workflows
    ]
    async with database.transaction() as conn:
        await runs.add_all(conn, made)
        await runs.end_waiting(
            conn, runs.demanding(demand), status=RunStatus.CANCELLED, reason="bench", now=now
        )
    committed = perf_counter()
    return {str(run.id): committed for run in made}
