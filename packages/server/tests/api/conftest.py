"""The API over its real parts, with two organizations that must never see each other."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from cyberdesk_server.adapters.blobs import LocalBlobs, SignedLinks
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.vault import EnvelopeVault, MasterKey
from cyberdesk_server.api.app import create_app
from cyberdesk_server.api.parts import Parts
from cyberdesk_server.testing.ports import ScriptedProviders
from cyberdesk_server.testing.rows import NOON, a_database, an_api_key, an_organization

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
async def parts(tmp_path: Path, clock: TickingClock) -> AsyncIterator[Parts]:
    links = SignedLinks(os.urandom(32), public_url="http://server", clock=clock)
    async with a_database(tmp_path) as database:
        async with database.transaction() as conn:
            for organization, key in (("org_own", OWN_KEY), ("org_foreign", FOREIGN_KEY)):
                await an_api_key(conn, await an_organization(conn, organization), key)
        yield Parts(
            database=database,
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
    transport = httpx.ASGITransport(create_app(parts))

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

    async def make(noun: str, **body: Any) -> dict[str, Any]:
        if noun == "workflows":
            body = {"main_prompt": 'Click "Search"'} | body
        response = await client.post(f"/v1/{noun}", json=body)
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    return make
