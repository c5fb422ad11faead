"""A driver with a painted desktop, and a small server for it to join."""

import asyncio
import contextlib
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cyberdesk_wire import Frame, Limits, ProtocolError, Request, Response, ServerSide
from cyberdriver.commands import Desk, Dispatcher
from cyberdriver.commands.screen import Desktop
from cyberdriver.commands.shells import Shells
from cyberdriver.journal import Journal
from cyberdriver.settings import Allowed
from cyberdriver.testing import FakeBackend
from cyberdriver.tunnel import Greeting, Link, parse_address
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as Refusal

KEY = "ak_test"


class Awake:
    """A keepalive that writes down what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def touch(self) -> None:
        self.told.append("touch")

    def enable(self) -> None:
        self.told.append("enable")

    def disable(self) -> None:
        self.told.append("disable")


@dataclass
class Machine:
    """A desk with everything around it at hand."""

    folder: Path
    backend: FakeBackend = field(default_factory=FakeBackend)
    awake: Awake = field(default_factory=Awake)
    shutdowns: list[str] = field(default_factory=list)
    opened: int = 0
    allowed: Allowed = field(default_factory=Allowed)
    desktop: Desktop = field(init=False)
    desk: Desk = field(init=False)
    journal: Journal = field(init=False)
    dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        self.desktop = Desktop(self._open)
        self.desk = Desk(
            desktop=self.desktop,
            wakefulness=self.awake,
            request_shutdown=self.shutdowns.append,
            allowed=self.allowed,
            shells=Shells("sh"),
            transfers=self.folder / "transfers",
        )
        self.journal = Journal(self.folder)
        self.dispatcher = Dispatcher(self.desk, self.journal)

    def _open(self) -> FakeBackend:
        self.opened += 1
        return self.backend

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer to one request."""
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(str(uuid.uuid4()), method, path, query, headers or {}, raw)
        return await self.dispatcher.answer(request)

    def close(self) -> None:
        self.dispatcher.close(10)
        self.journal.close()


@pytest.fixture
def make_machine(tmp_path: Path) -> Iterator[Callable[..., Machine]]:
    """Makes machines; each closes its predecessor's journal first, as a restart would."""
    made: list[Machine] = []

    def make(**fields: object) -> Machine:
        machine = Machine(tmp_path, **fields)  # type: ignore[arg-type]
        made.append(machine)
        return machine

    yield make
    for machine in made:
        machine.close()


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine()


@pytest.fixture
def backend(machine: Machine) -> FakeBackend:
    return machine.backend


class Gateway:
    """A scripted server: accepts tunnels, sends requests, hands out answers."""

    def __init__(self) -> None:
        self.handshakes: list[Handshake] = []
        self.refusals: list[Refusal] = []
        """What the next handshakes are answered with in place of a tunnel."""
        self.tunnels: asyncio.Queue[Tunnel] = asyncio.Queue()
        self.server: Server | None = None
        self.is_tls = False

    @property
    def url(self) -> str:
        assert self.server is not None
        port = next(iter(self.server.sockets)).getsockname()[1]
        return f"https://localhost:{port}" if self.is_tls else f"http://127.0.0.1:{port}"

    def decide(self, connection: ServerConnection, handshake: Handshake) -> Refusal | None:
        self.handshakes.append(handshake)
        return self.refusals.pop(0) if self.refusals else None

    async def serve(self, socket: ServerConnection) -> None:
        tunnel = Tunnel(socket)
        self.tunnels.put_nowait(tunnel)
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                tunnel.take(frame)
        tunnel.drop()

    async def next_tunnel(self) -> "Tunnel":
        async with asyncio.timeout(20):
            return await self.tunnels.get()


class Tunnel:
    """One tunnel as the server sees it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.side = ServerSide(Limits(max_outstanding_requests=200))
        self.waiting: dict[str, asyncio.Future[Response]] = {}
        self.order: list[str] = []

    def take(self, frame: Frame) -> None:
        for event in self.side.receive(frame):
            assert isinstance(event, Response), event
            self.order.append(event.request_id)
            self.waiting.pop(event.request_id).set_result(event)

    def drop(self) -> None:
        for future in self.waiting.values():
            future.cancel()

    async def send(self, request: Request) -> "asyncio.Future[Response]":
        frames = self.side.send(request)
        assert not isinstance(frames, ProtocolError), frames
        future = self.waiting[request.request_id] = asyncio.get_running_loop().create_future()
        for frame in frames:
            await self.socket.send(frame)
        return future

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        raw = b"" if body is None else json.dumps(body).encode()
        request = Request(str(uuid.uuid4()), method, path, query, headers or {}, raw)
        async with asyncio.timeout(20):
            return await (await self.send(request))


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    async with serve(
        gateway.serve,
        "127.0.0.1",
        0,
        process_request=gateway.decide,
        compression=None,
        max_size=None,
        close_timeout=1,
    ) as gateway.server:
        yield gateway


Join = Callable[..., "asyncio.Task[None]"]


@pytest.fixture
async def join(gateway: Gateway, machine: Machine) -> AsyncIterator[Join]:
    """Joins the machine to the gateway in the background; `join.stop` is not needed, the fixture ends it."""
    stop = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    def begin(
        *,
        url: str | None = None,
        trust: ssl.SSLContext | None = None,
        on: Machine | None = None,
        stop_on: asyncio.Event | None = None,
    ) -> "asyncio.Task[None]":
        link = Link(
            parse_address(url or gateway.url),
            Greeting(KEY, str(uuid.UUID(int=1)), "front desk", "host-1"),
            (on or machine).dispatcher,
            trust=trust,
            random_fraction=lambda: 0.0,
        )
        task = asyncio.create_task(link.stay_joined(stop_on or stop))
        tasks.append(task)
        return task

    yield begin
    stop.set()
    for task in tasks:
        task.cancel() if task.done() else None
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks, return_exceptions=True)
