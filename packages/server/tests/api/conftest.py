"""The API over its real parts, with two organizations that must never see each other."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from cyberdesk_server.adapters.blobs import LocalBlobs, SignedLinks
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.store.claims import Claim
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.api import an_api
from cyberdesk_server.testing.ports import ScriptedProviders
from cyberdesk_server.testing.rows import (
    HERE,
    NOON,
    a_machine,
    an_api_key,
    an_organization,
    claim_next,
)
from cyberdesk_server.usecases.endings import finish

OWN_KEY = "cd_own"
FOREIGN_KEY = "cd_foreign"


class TickingClock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture(autouse=True)
def _plain_logs() -> Iterator[None]:
    """Without the locals of every frame, which take seconds to write."""
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
async def parts(any_database: Database, tmp_path: Path, clock: TickingClock) -> Parts:
    links = SignedLinks(os.urandom(32), public_url="http://server", clock=clock)
    async with any_database.transaction() as conn:
        for organization, key in (("org_own", OWN_KEY), ("org_foreign", FOREIGN_KEY)):
            await an_api_key(conn, await an_organization(conn, organization), key)
    return Parts(
        server_id=HERE,
        database=any_database,
        bus=InProcessBus(),
        blobs=LocalBlobs(tmp_path / "blobs", links),
        vault=EnvelopeVault(MasterKey(os.urandom(32))),
        clock=clock,
        providers=ScriptedProviders(),
        links=links,
        max_body_bytes=1024 * 1024,
    )


@pytest.fixture
def connect(parts: Parts) -> Callable[[str | None], httpx.AsyncClient]:
    """An HTTP client with this key, or without one."""
    transport = httpx.ASGITransport(an_api(parts))

    def connect(key: str | None) -> httpx.AsyncClient:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(transport=transport, base_url="http://server", headers=headers)

    return connect


@pytest.fixture
async def client(connect: Callable[[str | None], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    async with connect(OWN_KEY) as client:
        yield client


@pytest.fixture
async def stranger(connect: Callable[[str | None], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the other organization."""
    async with connect(FOREIGN_KEY) as client:
        yield client


Make = Callable[..., Any]


@pytest.fixture
def make(client: httpx.AsyncClient) -> Make:
    """Creates something over the API: `await make("workflows", main_prompt="…")`."""
    return _maker(client)


def _maker(client: httpx.AsyncClient) -> Make:
    async def make(noun: str, **body: Any) -> dict[str, Any]:
        if noun == "workflows":
            body = {"main_prompt": 'Click "Search"'} | body
        response = await client.post(f"/v1/{noun}", json=body)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    return make


@pytest.fixture
def read_run(client: httpx.AsyncClient) -> Callable[[str], Awaitable[dict[str, Any]]]:
    """A run as it is told now: `await read_run(run_id)`."""

    async def read_run(run_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = (await client.get(f"/v1/runs/{run_id}")).json()
        return answer

    return read_run


class Worker:
    """Claims the next run and ends it, as a worker would."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def machine(self, **fields: Any) -> str:
        """The id of a machine that has joined the own organization."""
        async with self._parts.database.transaction() as conn:
            machine = await a_machine(conn, OrganizationId("org_own"), **fields)
        return str(machine.id)

    async def claim(self) -> Claim | None:
        async with self._parts.database.transaction() as conn:
            return await claim_next(conn, server_id=HERE, now=self._parts.clock.now(), lease_seconds=1000)

    async def next(self) -> Claim:
        """The claim on a run that must be there."""
        claim = await self.claim()
        assert claim is not None
        return claim

    async def claimed(self) -> str | None:
        """The id of the run that is next."""
        claim = await self.claim()
        return None if claim is None else str(claim.run.id)

    async def end(
        self, claim: Claim, status: str = "success", output: JsonObject | None = None
    ) -> tuple[RunId, ...]:
        ending = Ending(
            RunStatus(status),
            error=() if status == "success" else ("reason",),
            output_data=output,
            usage_metadata={"total_agentic_steps": 2, "billing_outcome": status},
        )
        async with self._parts.database.transaction() as conn:
            ended = await finish(conn, {claim.held: ending}, now=self._parts.clock.now())
        return ended.get(claim.held, ())


@pytest.fixture
def worker(parts: Parts) -> Worker:
    return Worker(parts)


PNG = b"\x89PNG\r\n\x1a\n and the rest"

A_FILE = {
    "filename": "secret name",
    "content": "QUJD",
    "content_type": "text/plain",
    "attachment_type": "output",
}
"""An attachment, but for its run."""


@pytest.fixture
async def own(client: httpx.AsyncClient) -> dict[str, str]:
    """Ids of one of each, which the other organization must not see, by the names paths have for them."""
    return await _one_of_each(client)


@pytest.fixture
async def theirs(stranger: httpx.AsyncClient) -> dict[str, str]:
    """The same of the other organization."""
    return await _one_of_each(stranger)


async def _one_of_each(client: httpx.AsyncClient) -> dict[str, str]:
    make = _maker(client)
    check = {"name": "secret name", "type": "run_attachment_exists", "file_names": ["f"]}
    workflow = await make("workflows", name="secret name", post_run_checks=[check], is_webhooks_enabled=True)
    group = await make("workflow-tag-groups", name="secret name")
    tag = await make("workflow-tags", name="secret name", group_id=group["id"])
    await client.post(f"/v1/workflows/{workflow['id']}/tags", json={"tag_ids": [tag["id"]]})
    machine = await make("machines", name="secret name")
    run = await make(
        "runs", workflow_id=workflow["id"], machine_id=machine["id"], session_alias="secret name"
    )
    await client.patch(f"/v1/runs/{run['id']}", json={"status": "cancelled"})
    await client.post(f"/v1/runs/{run['id']}/retry", json={})  # a message has told of its first end
    in_session = await make("runs", workflow_id=workflow["id"], start_session=True)
    ended = await make("runs", workflow_id=workflow["id"])
    await client.patch(f"/v1/runs/{ended['id']}", json={"status": "cancelled"})
    file = await make("run-attachments", run_id=run["id"], **A_FILE)
    image = await client.post("/v1/workflows/prompt-image", files={"file": ("secret name.png", PNG)})
    await client.patch(f"/v1/runs/{run['id']}", json={"usage_metadata": {"total_agentic_steps": 1}})
    connection = await make("connections", machine_id=machine["id"], user_agent="secret name")
    log = await make(
        "request-logs", machine_id=machine["id"], request_id="1", method="GET", path="secret name"
    )
    configuration = await make("model-configurations", name="secret name", provider="openai", model="gpt-4o")
    pool = await make("pools", name="secret name")
    await client.post(f"/v1/pools/{pool['id']}/machines", json={"machine_ids": [machine["id"]]})
    await client.put("/v1/provider-credentials/anthropic", json={"api_key": "sk-secret-name"})
    trajectory = await make("trajectories", workflow_id=workflow["id"], run_id=run["id"], name="secret name")
    endpoint = await make("webhooks/endpoints", url="https://secret-name.test", description="secret name")
    message = await client.post(f"/v1/webhooks/endpoints/{endpoint['id']}/test", json={})
    return {
        "slot": "anthropic",
        "endpoint_id": endpoint["id"],
        "message_id": message.json()["id"],
        "trajectory_id": trajectory["id"],
        "workflow_id": workflow["id"],
        "machine_id": machine["id"],
        "run_id": run["id"],
        "ended_run_id": ended["id"],
        "session_id": in_session["session_id"],
        "image_address": image.json()["supabase_url"],
        "attachment_id": file["id"],
        "connection_id": connection["id"],
        "log_id": log["id"],
        "model_configuration_id": configuration["id"],
        "pool_id": pool["id"],
        "check_id": workflow["post_run_checks"][0]["id"],
        "tag_id": tag["id"],
        "group_id": group["id"],
    }
