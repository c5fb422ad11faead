"""Invariant 7 where it is hard: many equal requests at once, in one process and in two."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cyberdesk_server.adapters.blobs import LocalBlobs, SignedLinks
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.ports import ScriptedProviders
from cyberdesk_server.testing.rows import (
    HERE,
    an_api_key,
    an_organization,
)

AT_ONCE = 50
TRIES = 600
PAUSE_SECONDS = 0.1
KEY = {"Idempotency-Key": "k-1"}


@pytest.fixture
async def parts(database: Database, tmp_path: Path) -> Parts:
    clock = SystemClock()
    async with database.transaction() as conn:
        await an_api_key(conn, await an_organization(conn), "cd_own")
    return Parts(
        server_id=HERE,
        database=database,
        bus=InProcessBus(),
        blobs=LocalBlobs(tmp_path / "blobs", SignedLinks(bytes(32), public_url="http://server", clock=clock)),
        vault=EnvelopeVault(MasterKey(bytes(32))),
        clock=clock,
        providers=ScriptedProviders(),
    )


def a_process(parts: Parts) -> httpx.AsyncClient:
    """A client of a process of its own, as far as the list of what is under way goes."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(replace(parts, under_way=set()))),
        base_url="http://server",
        headers={"Authorization": "Bearer cd_own"},
    )


async def until_answered(client: httpx.AsyncClient, path: str, body: object) -> httpx.Response:
    """The answer once the server no longer says that the first request is going on."""
    for _ in range(TRIES):
        answer = await client.post(path, json=body, headers=KEY)
        if answer.headers.get("idempotency-status") != "in_progress":
            return answer
        assert answer.status_code == 409
        await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError(f"still going on after {TRIES} tries")


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.slow
async def test_of_many_equal_requests_at_once_one_is_done_and_all_get_its_answer(
    parts: Parts, processes: int
) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(a_process(parts)) for _ in range(processes)]
        workflow = (await clients[0].post("/v1/workflows", json={"main_prompt": "x"})).json()
        body = {"workflow_id": workflow["id"]}

        answers = await asyncio.gather(
            *(until_answered(clients[number % processes], "/v1/runs", body) for number in range(AT_ONCE))
        )

        assert len({(answer.status_code, answer.content) for answer in answers}) == 1
        assert answers[0].status_code == 201
        assert sum("idempotency-status" not in answer.headers for answer in answers) == 1
        assert (await clients[0].get("/v1/runs")).json()["total"] == 1


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.slow
async def test_of_many_refused_requests_at_once_all_get_the_same_refusal(
    parts: Parts, processes: int
) -> None:
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(a_process(parts)) for _ in range(processes)]
        body = {"workflow_id": "00000000-0000-0000-0000-000000000001"}

        answers = await asyncio.gather(
            *(until_answered(clients[number % processes], "/v1/runs", body) for number in range(AT_ONCE))
        )

        assert {answer.status_code for answer in answers} == {404}
        assert sum("idempotency-status" not in answer.headers for answer in answers) == 1
