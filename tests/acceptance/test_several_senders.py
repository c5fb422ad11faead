"""Two servers on one PostgreSQL send webhooks: when one is killed, the other sends what it had under way."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from cyberdesk import RunBulkCreate, RunStatus, RunUpdate, WebhookEndpointCreate, WorkflowCreate
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.tables import webhook_deliveries
from cyberdesk_server.testing.programs import Program, ServerProgram
from cyberdesk_server.testing.rows import a_postgresql
from sqlalchemy import select

pytestmark = pytest.mark.slow

ENDPOINTS = ("east", "north", "west")
RUNS_BEFORE = 120
RUNS_AFTER = 20
ANSWERED_BEFORE = 30
"""After so many requests the receiver says nothing more until the server is dead."""

HOLD_SECONDS = 60
ARRIVAL_SECONDS = 120

Until = Callable[..., Any]
Told = tuple[str, str]
"""An endpoint, and a run that it was told of."""


@dataclass
class Inbox:
    """A receiver that answers the first requests, holds the next without a word, and then loses those."""

    url: str = ""
    asked: list[tuple[Told, str]] = field(default_factory=list)
    """Who was told of what in each request, answered or not, and the id of the message."""

    taken: list[Told] = field(default_factory=list)
    """What was answered."""

    losing: Event = field(default_factory=Event)

    def takes(self, endpoint: str, message_id: str, event: dict[str, Any]) -> bool:
        """Whether this request is answered; returns when it is to be, or to be hung up on."""
        assert event["event_id"] == message_id
        told = (endpoint, event["run"]["id"])
        self.asked.append((told, message_id))
        is_held = len(self.asked) > ANSWERED_BEFORE and not self.losing.is_set()
        if is_held:
            self.losing.wait(HOLD_SECONDS)
        else:
            self.taken.append(told)
        return not is_held


@contextmanager
def an_inbox() -> Iterator[Inbox]:
    """A running one on loopback."""
    inbox = Inbox()

    class Receive(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if inbox.takes(self.path.strip("/"), self.headers["webhook-id"], json.loads(body)):
                self.send_response(204)
                self.end_headers()
            else:
                self.close_connection = True

        def handle(self) -> None:
            with suppress(ConnectionError):  # of a server that was killed
                super().handle()

        def finish(self) -> None:
            with suppress(ConnectionError):
                super().finish()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receive) as server, ThreadPoolExecutor(1) as thread:
        inbox.url = f"http://127.0.0.1:{server.server_port}"
        serving = thread.submit(server.serve_forever)
        try:
            yield inbox
        finally:
            inbox.losing.set()
            server.shutdown()
            serving.result()


@dataclass
class Senders:
    """Two servers, one of which will be killed, and a workflow whose ended runs they tell of."""

    doomed: Program
    clients: Sequence[Any]
    """Of the server that will be killed, and of the other."""

    database_url: str
    workflow_id: str

    def end_runs(self, count: int, *through: Any) -> set[str]:
        """End so many runs, by these clients in turn: their ids."""
        asked = RunBulkCreate(workflow_id=self.workflow_id, count=count)
        made = [str(run.id) for run in through[0].runs.bulk_create_sync(asked).unwrap().created_runs]
        for number, run_id in enumerate(made):
            client = through[number % len(through)]
            client.runs.update_sync(run_id, RunUpdate(status=RunStatus.CANCELLED)).unwrap()
        return set(made)

    def at_work(self) -> set[str]:
        """The servers that have messages under way."""

        async def ask() -> set[str]:
            database = await Database.open(self.database_url)
            try:
                async with database.read() as conn:
                    claimed = select(webhook_deliveries.c.server_id).distinct()
                    found = await conn.execute(claimed.where(webhook_deliveries.c.server_id.is_not(None)))
                    return set(found.scalars())
            finally:
                await database.close()

        return asyncio.run(ask())


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with an_inbox() as inbox:
        yield inbox


@pytest.fixture
def senders(tmp_path: Path, inbox: Inbox, site_of: Any) -> Iterator[Senders]:
    with ExitStack() as parts:
        database_url = parts.enter_context(a_postgresql()).url("postgres")
        settings = {
            "CYBERDESK_DATABASE_URL": database_url,
            "CYBERDESK_BLOB_URL": f"file://{tmp_path}/blobs",
            "CYBERDESK_MASTER_KEY": base64.b64encode(bytes(32)).decode(),
            "CYBERDESK_WEBHOOK_HTTP": "true",
            "CYBERDESK_WEBHOOK_NETWORKS": "127.0.0.0/8",
        }
        servers = [ServerProgram(tmp_path / name, settings) for name in ("doomed", "other")]
        programs, clients = [], []
        for server in servers:
            server.folder.mkdir()
            server.api_key = servers[0].api_key
            programs.append(parts.enter_context(server.up()))
            clients.append(parts.enter_context(site_of(server)).client)
        made = WorkflowCreate(name="told", main_prompt='Click "OK"', is_webhooks_enabled=True)
        workflow_id = str(clients[0].workflows.create_sync(made).unwrap().id)
        for name in ENDPOINTS:
            endpoint = WebhookEndpointCreate(f"{inbox.url}/{name}", event_types=["run_complete"])
            clients[0].webhooks.create_endpoint_sync(endpoint).unwrap()
        yield Senders(programs[0], clients, database_url, workflow_id)


@pytest.mark.timeout(300)
def test_every_event_arrives_under_one_id_though_a_server_is_killed_while_it_sends(
    senders: Senders, inbox: Inbox, until: Until
) -> None:
    survivor = senders.clients[1]
    ended = senders.end_runs(RUNS_BEFORE, *senders.clients)
    until(lambda: len(senders.at_work()) == 2, what="both servers at work")

    senders.doomed.kill()
    inbox.losing.set()
    ended |= senders.end_runs(RUNS_AFTER, survivor)
    until(
        lambda: survivor.webhooks.messages_sync(status="waiting").unwrap().total == 0,
        seconds=ARRIVAL_SECONDS,
        what="the last message",
    )

    messages = list(survivor.webhooks.iterate_messages_sync())
    id_of = {str(message.run_id): str(message.id) for message in messages}
    assert len(messages) == len(id_of) == len(ended)
    assert {delivery.status for message in messages for delivery in message.deliveries} == {"delivered"}
    assert set(inbox.taken) == {(endpoint, run_id) for endpoint in ENDPOINTS for run_id in ended}
    assert {(run_id, message_id) for (_, run_id), message_id in inbox.asked} == set(id_of.items())
