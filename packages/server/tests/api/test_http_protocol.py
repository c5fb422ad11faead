"""Heads that never end and clients that are slow cost a connection little, and others nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import uvicorn
from cyberdesk_server.api import http_protocol
from cyberdesk_server.api.http_protocol import MAX_HEAD_BYTES, GuardedHttpProtocol
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

PATIENCE_SECONDS = 20.0
ANSWER_BYTES = 64 * 1024 * 1024
LIMIT = 4
"""From so many connections on, requests are not answered any more."""


class App:
    """Answers with what it was sent, or with a lot."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.may_read = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            if request.url.path == "/patient":
                await self.may_read.wait()
            body = bytes(ANSWER_BYTES) if request.url.path == "/large" else await request.body()
            await Response(body)(scope, receive, send)
        except (ClientDisconnect, OSError):
            pass
        finally:
            self.left.set()


@pytest.fixture
async def app() -> App:
    return App()


@pytest.fixture
async def server(app: App) -> AsyncIterator[uvicorn.Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=GuardedHttpProtocol,
        lifespan="off",
        log_config=None,
        server_header=False,
        limit_concurrency=LIMIT,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)
    yield server
    server.should_exit = server.force_exit = True
    await serving


@pytest.fixture
def port(server: uvicorn.Server) -> int:
    found: int = server.servers[0].sockets[0].getsockname()[1]
    return found


@pytest.fixture
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "CHECK_SECONDS", 0.05)


@asynccontextmanager
async def dialled(port: int, **options: Any) -> AsyncIterator[Streams]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
        yield reader, writer
        writer.close()


async def answer_to(port: int, *pieces: bytes) -> bytes:
    """All that comes until the server hangs up."""
    async with dialled(port) as (reader, writer):
        for piece in pieces:
            writer.write(piece)
        return await reader.read()


async def test_a_request_is_answered_without_a_word_about_the_server(port: int) -> None:
    answer = await answer_to(port, b"POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\nab")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nab")
    assert b"server:" not in answer.lower()
    assert b"uvicorn" not in answer.lower()


@pytest.mark.parametrize(
    "start",
    [b"GET /", b"GET / HTTP/1.1\r\nx: ", b"GET / HTTP/1.1\r\n", b""],
    ids=["url", "header", "headers", "nothing"],
)
async def test_a_head_without_end_is_refused(port: int, start: bytes) -> None:
    more = b"x: y\r\n" if start.endswith(b"\n") else b"\r\n" if not start else b"x"
    async with dialled(port) as (reader, writer):
        writer.write(start)
        for _ in range(64):
            if reader.at_eof() or writer.is_closing():
                break
            writer.write(more * (MAX_HEAD_BYTES // 8 // len(more)))
            await asyncio.sleep(0)
        try:
            answer = await reader.read()
        except ConnectionError:
            answer = b"HTTP/1.1 431 "  # it hung up while we were still talking

    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_requests_of_one_connection_are_counted_each_for_itself(port: int) -> None:
    async with dialled(port) as (reader, writer):
        for _ in range(4):
            head = b"GET / HTTP/1.1\r\nx: " + b"y" * (MAX_HEAD_BYTES // 2)
            writer.write(head)
            await writer.drain()
            writer.write(b"\r\n\r\n")
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 OK")


async def test_with_too_many_connections_a_request_is_told_to_come_back_until_one_is_gone(
    server: uvicorn.Server, port: int
) -> None:
    request = b"GET / HTTP/1.1\r\n\r\n"
    async with AsyncExitStack() as stack:
        open_ = [await stack.enter_async_context(dialled(port)) for _ in range(LIMIT - 1)]
        while len(server.server_state.connections) < LIMIT - 1:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)

        refused = await answer_to(port, request)
        of_one_that_was_there = [await asked(stream, request) for stream in open_]
        open_[0][1].close()
        while len(server.server_state.connections) > LIMIT - 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        afterwards = await answer_to(port, b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n")

    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"connection: close" in refused
    assert b"uvicorn" not in refused.lower()
    assert [answer[:15] for answer in of_one_that_was_there] == [b"HTTP/1.1 200 OK"] * (LIMIT - 1)
    assert afterwards.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.usefixtures("_hasty")
async def test_those_beyond_the_limit_who_ask_nothing_are_cut_like_others(port: int) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(LIMIT - 1):
            kept = await stack.enter_async_context(dialled(port))
            await asked(kept, b"GET / HTTP/1.1\r\n\r\n")

        answer = await answer_to(port, b"")

    assert answer.startswith(b"HTTP/1.1 408 ")


async def asked(streams: Streams, request: bytes) -> bytes:
    """The head of the answer to this request, on a connection that stays open."""
    reader, writer = streams
    writer.write(request)
    return await reader.readuntil(b"\r\n\r\n")


@pytest.mark.usefixtures("_hasty")
@pytest.mark.parametrize(
    "start",
    [b"", b"GET / HT", b"POST / HTTP/1.1\r\ncontent-length: 100\r\n\r\nab"],
    ids=["silence", "half a head", "half a body"],
)
async def test_who_stops_in_the_middle_is_cut(port: int, app: App, start: bytes) -> None:
    answer = await answer_to(port, start)

    assert answer.startswith(b"HTTP/1.1 408 ")
    if start.startswith(b"POST"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await app.left.wait()


async def test_a_request_that_has_only_begun_is_given_time(server: uvicorn.Server, port: int) -> None:
    async with dialled(port) as (_, writer):
        writer.write(b"GET / HT")
        while not server.server_state.connections:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
        connection: Any = next(iter(server.server_state.connections))

        connection._check()
        had_time = not connection.transport.is_closing()
        connection._check()

        assert (had_time, connection.transport.is_closing()) == (True, True)


@pytest.mark.usefixtures("_hasty")
async def test_a_connection_that_waits_for_its_answer_or_for_its_next_request_is_not_cut(
    port: int, app: App
) -> None:
    async with dialled(port) as (reader, writer):
        for path in (b"/patient", b"/"):
            writer.write(b"GET " + path + b" HTTP/1.1\r\n\r\n")
            await asyncio.sleep(4 * http_protocol.CHECK_SECONDS)
            app.may_read.set()
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.usefixtures("_hasty")
async def test_who_does_not_read_the_answer_is_cut(port: int, app: App) -> None:
    async with dialled(port, limit=1024) as (_, writer):
        writer.write(b"GET /large HTTP/1.1\r\n\r\n")

        await app.left.wait()
