"""Couriers and receivers of webhooks for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cyberdesk_server.domain.webhooks import Answer
from cyberdesk_server.testing.rows import NOON


@dataclass(frozen=True, slots=True)
class Carried:
    """A message that a courier was given."""

    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]


def an_answer(
    status_code: int | None = 204, *, error: str | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(NOON, 3, "https://receiver.test", {}, status_code, headers or {}, error=error)


@dataclass
class ScriptedCourier:
    """A `Courier` of `usecases.webhook_deliveries` that answers as `respond` says."""

    respond: Callable[[Carried], Answer] = lambda _: an_answer()
    carried: list[Carried] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    held: set[str] = field(default_factory=set)
    """URLs that do not answer until they are taken out."""

    async def carry(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        message = Carried(url, headers, body)
        async with self.changed:
            self.carried.append(message)
            self.changed.notify_all()
            await self.changed.wait_for(lambda: url not in self.held)
        return self.respond(message)

    async def until(self, holds: Callable[[list[Carried]], bool]) -> list[Carried]:
        """What was carried, as soon as this holds for it."""
        async with self.changed:
            await self.changed.wait_for(lambda: holds(self.carried))
            return list(self.carried)

    async def release(self, url: str) -> None:
        async with self.changed:
            self.held.discard(url)
            self.changed.notify_all()


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came over the wire."""

    path: str
    headers: Mapping[str, str]
    body: bytes


Respond = Callable[[Received], bytes]
"""The whole answer, head and body; an empty one hangs up."""

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Receiver:
    """An HTTP server on loopback."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def a_receiver(respond: Respond = lambda _: NO_CONTENT) -> AsyncIterator[Receiver]:
    """A running one, which answers as `respond` says."""
    receiver = Receiver()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver.connections += 1
        try:
            while (request := await _request(reader)) is not None:
                receiver.received.append(request)
                answer = respond(request)
                writer.write(answer)
                await writer.drain()
                if not answer or b"connection: close" in answer.lower():
                    return
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


async def _request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body)
