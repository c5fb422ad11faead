"""A real server on loopback, and drivers that speak the published protocol by hand."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.adapters.clock import SystemClock
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.gateway import Gateway, TunnelWebSocketProtocol
from cyberdesk_server.questions import DriverAnswer, NoAnswer, Question, machine_topic, read_answer
from cyberdesk_server.store import machines
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.machines import Machine
from cyberdesk_server.testing.rows import HERE, an_api_key, an_organization
from cyberdesk_server.usecases.keys import KeyUses
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect

KEY = "ak_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
ORGANIZATION = OrganizationId("org_test")

Spoken = tuple[int, dict[str, str], bytes]
"""Status, headers and body, as a driver says them."""

Answering = Callable[[dict[str, Any], bytes], Awaitable[Spoken | None]]
"""What a driver answers to a meta and a body; None leaves the request waiting."""


async def done(meta: dict[str, Any], body: bytes) -> Spoken:
    """What the published drivers answer to an input."""
    return 200, {"Content-Type": "application/json"}, b"{}"


@dataclass
class ScriptedDriver:
    """One request at a time, answers in 16 KiB chunks: as the oldest published driver does it."""

    socket: ClientConnection
    answering: Answering = done
    chunk_bytes: int = 16 * 1024
    received: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        async for frame in self.socket:
            assert isinstance(frame, str)
            meta, body = json.loads(frame), b""
            while (part := await self.socket.recv()) != "end":
                assert isinstance(part, bytes)
                body += part
            self.received.append(meta)
            self.bodies.append(body)
            self._arrived.set()
            spoken = await self.answering(meta, body)
            if spoken:
                await self.answer(meta, spoken)

    async def receives(self, count: int) -> None:
        """Wait until exactly so many requests have come, and no more are on their way."""
        while len(self.received) < count:
            self._arrived.clear()
            await self._arrived.wait()
        await (await self.socket.ping())
        assert len(self.received) == count

    async def answer(self, meta: dict[str, Any], spoken: Spoken) -> None:
        status, headers, body = spoken
        await self.socket.send(
            json.dumps({"requestId": meta["requestId"], "status": status, "headers": headers})
        )
        for start in range(0, len(body), self.chunk_bytes):
            await self.socket.send(body[start : start + self.chunk_bytes])
        await self.socket.send("end")


@dataclass
class Site:
    """The server under test and what it stands on."""

    url: str
    gateway: Gateway
    bus: InProcessBus
    database: Database
    server: uvicorn.Server

    @asynccontextmanager
    async def dial(self, ssl: SSLContext | None = None, **headers: str) -> AsyncIterator[ClientConnection]:
        """A socket with these handshake headers, `_` standing for `-`, beside key and fingerprint."""
        sent = {"Authorization": f"Bearer {KEY}", "X-PIGLET-FINGERPRINT": str(uuid4())}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {"ping_interval": None, "max_size": None, "proxy": None}
        async with connect(self.url, ssl=ssl, additional_headers=sent, **options) as dialled:
            yield dialled

    @asynccontextmanager
    async def driver(
        self,
        answering: Answering = done,
        *,
        version: str = "0.0.39",
        ssl: SSLContext | None = None,
        **headers: str,
    ) -> AsyncIterator[tuple[ScriptedDriver, Machine]]:
        """A connected driver that answers so, and its machine."""
        fingerprint = headers.pop("X_PIGLET_FINGERPRINT", str(uuid4()))
        dialling = self.dial(ssl, X_PIGLET_FINGERPRINT=fingerprint, X_PIGLET_VERSION=version, **headers)
        async with self.bus.listen("machines.free") as freed, dialling as dialled:
            driver = ScriptedDriver(dialled, answering)
            running = asyncio.create_task(driver.run())
            await anext(freed)
            yield driver, await self.machine(fingerprint)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def another_organization(self, name: str) -> str:
        """A key of an organization of this name."""
        key = f"ak_{name}"
        async with self.database.transaction() as conn:
            await an_api_key(conn, await an_organization(conn, name), key)
        return key

    async def machine(self, fingerprint: str) -> Machine:
        async with self.database.read() as conn:
            found, _ = await machines.find(conn, ORGANIZATION)
        [machine] = [machine for machine in found if machine.fingerprint == fingerprint]
        return machine

    async def until(self, fingerprint: str, holds: Callable[[Machine], bool]) -> Machine:
        """The machine as soon as this holds for it."""
        while not holds(machine := await self.machine(fingerprint)):  # noqa: ASYNC110 - a row tells nobody
            await asyncio.sleep(0.005)
        return machine

    async def ask(self, machine: Machine, question: Question) -> DriverAnswer | NoAnswer:
        return read_answer(
            await self.bus.ask(machine_topic(machine.id), question.to_message(), timeout_seconds=60)
        )


@asynccontextmanager
async def _serving(database: Database, **settings: Any) -> AsyncIterator[Site]:
    bus = InProcessBus()
    gateway = Gateway(HERE, database, bus, SystemClock(), KeyUses())
    config = uvicorn.Config(
        Starlette(routes=[WebSocketRoute("/tunnel/ws", gateway)]),
        ws=TunnelWebSocketProtocol,
        ws_per_message_deflate=False,
        ws_max_size=160 * 1024 * 1024,
        log_config=None,
        lifespan="off",
        **settings,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve(sockets=[listener]))
    scheme = "wss" if config.is_ssl else "ws"
    host = "localhost" if config.is_ssl else "127.0.0.1"
    try:
        yield Site(f"{scheme}://{host}:{listener.getsockname()[1]}/tunnel/ws", gateway, bus, database, server)
    finally:
        await gateway.close()
        for listening in server.servers:
            listening.close()
        serving.cancel()  # uvicorn's own way out takes its time, test by test
        await asyncio.gather(serving, return_exceptions=True)


Serving = Callable[..., Any]


@pytest.fixture
async def database(any_database: Database) -> Database:
    async with any_database.transaction() as conn:
        await an_api_key(conn, await an_organization(conn, ORGANIZATION), KEY)
    return any_database


@pytest.fixture
def serving(database: Database) -> Serving:
    """Start a server with these uvicorn settings: `async with serving(...) as site`."""
    return lambda **settings: _serving(database, **settings)


@pytest.fixture
async def site(database: Database) -> AsyncIterator[Site]:
    async with _serving(database) as running:
        yield running
