"""A stage for the driver's own tests: a machine with a painted desktop, and a server that follows a script.

The machine is real from dispatcher to journal; the server speaks the real tunnel over a real socket.
"""

import asyncio
import contextlib
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cyberdesk_wire import Frame, Limits, ProtocolError, Request, Response, ServerSide
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as Refusal

from cyberdriver.backends.fake import FakeBackend
from cyberdriver.commands import Desk, Dispatcher
from cyberdriver.commands.screen import Desktop
from cyberdriver.commands.shells import Shells
from cyberdriver.journal import Journal
from cyberdriver.settings import Allowed

_ANSWER_SECONDS = 30.0


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


async def until(claim: Callable[[], bool]) -> None:
    """Returns as soon as the claim is true. Raises `TimeoutError` when it never is."""
    async with asyncio.timeout(_ANSWER_SECONDS):
        while not claim():  # noqa: ASYNC110 - other threads and processes make it true, and tell no event
            await asyncio.sleep(0.01)


@dataclass
class StagedMachine:
    """A desk with everything around it at hand."""

    folder: Path
    backend: FakeBackend = field(default_factory=FakeBackend)
    awake: Awake = field(default_factory=Awake)
    shutdowns: list[str] = field(default_factory=list)
    opened: int = 0
    allowed: Allowed = field(default_factory=Allowed)
    own_folder: Path | None = None
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
            own_folder=self.own_folder,
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


class ScriptedGateway:
    """A scripted server: accepts tunnels, sends requests, hands out answers."""

    def __init__(self) -> None:
        self.handshakes: list[Handshake] = []
        self.refusals: list[Refusal] = []
        """What the next handshakes are answered with in place of a tunnel."""
        self.tunnels: asyncio.Queue[ScriptedTunnel] = asyncio.Queue()
        self.server: Server | None = None
        self.is_tls = False

    @contextlib.asynccontextmanager
    async def listen(self, port: int = 0, trust: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        """Listens on loopback meanwhile; on a free port unless one is named."""
        self.is_tls = trust is not None
        async with serve(
            self.serve,
            "127.0.0.1",
            port,
            ssl=trust,
            process_request=self.decide,
            compression=None,
            max_size=None,
            close_timeout=1,
        ) as self.server:
            yield

    @property
    def port(self) -> int:
        assert self.server is not None
        return int(next(iter(self.server.sockets)).getsockname()[1])

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self.is_tls else f"http://127.0.0.1:{self.port}"

    def decide(self, connection: ServerConnection, handshake: Handshake) -> Refusal | None:
        self.handshakes.append(handshake)
        return self.refusals.pop(0) if self.refusals else None

    async def serve(self, socket: ServerConnection) -> None:
        tunnel = ScriptedTunnel(socket)
        self.tunnels.put_nowait(tunnel)
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                tunnel.take(frame)
        tunnel.drop()

    async def next_tunnel(self) -> "ScriptedTunnel":
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await self.tunnels.get()


class ScriptedTunnel:
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
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await (await self.send(request))
