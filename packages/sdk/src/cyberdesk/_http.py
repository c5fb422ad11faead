"""The HTTP clients behind a `CyberdeskClient`: built when first used, one per event loop."""

from __future__ import annotations

import asyncio
import ssl
import threading
import weakref
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from http import HTTPStatus
from typing import Any, TypeAlias

import httpx

from cyberdesk._files import CHUNK_BYTES, PartialFile
from cyberdesk._flow import Answer, NoAnswer, Outcome, Request
from cyberdesk._turns import LoopClients
from cyberdesk.errors import ClientClosed

Loop: TypeAlias = asyncio.AbstractEventLoop


DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds to wait for the next part of an answer (60) and for a connection (10)."""

WAY_BACK_SECONDS = 30.0
"""What an answer may take beyond the work itself: to the machine and back, through the server."""


class HttpClients:
    """Sends requests with httpx and turns what httpx answers or raises into an `Outcome`.

    A pooled connection belongs to the event loop that opened it, so each loop gets clients of its own, which
    are closed with that loop at the latest. Clients that the caller brought (`sync`, `asynchronous`) are used
    as they are and never closed; everything that a request needs comes with it.
    """

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        timeout: httpx.Timeout | None = None,
        sync: httpx.Client | None = None,
        asynchronous: httpx.AsyncClient | None = None,
    ) -> None:
        self.base_url = base_url
        self.is_closed = False
        self._headers = headers
        self._timeout = timeout
        self._brought = sync
        self._brought_async = asynchronous
        self._lock = threading.Lock()  # guards all of the following and is_closed
        self._certificates: ssl.SSLContext | None = None
        self._sync: httpx.Client | None = None
        self._per_loop: dict[Loop, LoopClients] = {}

    def send(self, request: Request) -> Outcome:
        """The outcome of a request, waited for in this thread. Raises `ClientClosed`."""
        client = self._sync_client()
        try:
            if request.into is not None:
                return self._received(client, request, request.into)
            return _answer(client.request(**self._arguments(client, request)))
        except httpx.RequestError as error:
            return _no_answer(error)

    async def send_async(self, request: Request) -> Outcome:
        """The outcome of a request, awaited on the running event loop. Raises `ClientClosed`."""
        try:
            async with await self._async_client(request) as client:
                if request.into is not None:
                    return await self._received_async(client, request, request.into)
                return _answer(await client.request(**self._arguments(client, request)))
        except httpx.RequestError as error:
            return _no_answer(error)

    def _received(self, client: httpx.Client, request: Request, file: PartialFile) -> Answer:
        """The answer, its body written to the file piece by piece; another than 200 comes whole."""
        with client.stream(**self._arguments(client, request)) as response:
            if response.status_code != HTTPStatus.OK:
                response.read()
                return _answer(response)
            file.start()
            for chunk in response.iter_bytes(CHUNK_BYTES):
                file.write(chunk)
            return Answer(response.status_code, _headers(response), b"")

    async def _received_async(self, client: httpx.AsyncClient, request: Request, file: PartialFile) -> Answer:
        """The same on the running event loop; the file is written in a thread."""
        async with client.stream(**self._arguments(client, request)) as response:
            if response.status_code != HTTPStatus.OK:
                await response.aread()
                return _answer(response)
            await asyncio.to_thread(file.start)
            async for chunk in response.aiter_bytes(CHUNK_BYTES):
                await asyncio.to_thread(file.write, chunk)
            return Answer(response.status_code, _headers(response), b"")

    def close(self) -> None:
        """Close all connections; those of event loops as soon as their loop gets to it."""
        with self._lock:
            self.is_closed = True
            sync, self._sync = self._sync, None
            loops = list(self._per_loop.items())
        if sync is not None:
            sync.close()
        for loop, clients in loops:
            with suppress(RuntimeError):  # that loop is closed, and so are its connections
                loop.call_soon_threadsafe(clients.start_closing)

    async def aclose(self) -> None:
        """Close all connections; those of the running event loop are closed on return."""
        self.close()
        mine = self._per_loop.get(asyncio.get_running_loop())
        if mine is not None:
            await mine.aclose()

    def _arguments(self, client: httpx.Client | httpx.AsyncClient, request: Request) -> dict[str, Any]:
        """The arguments of `httpx.Client.request`. A client of our own has our headers already."""
        is_ours = client is not self._brought and client is not self._brought_async
        files = {part: (file.file_name, file.payload, file.mime_type) for part, file in request.files.items()}
        return {
            "method": request.method,
            "url": httpx.URL(self.base_url.rstrip("/") + request.path),
            "params": request.query or None,
            "json": request.body,
            "files": files or None,
            "headers": request.headers if is_ours else {**self._headers, **request.headers},
            "timeout": request.timeout or self._stretched(request) or httpx.USE_CLIENT_DEFAULT,
        }

    def _stretched(self, request: Request) -> httpx.Timeout | None:
        """Our timeout, with time for the work that the request asks for; None: that of the HTTP client."""
        if not request.lasts_seconds:
            return self._timeout
        timeout = self._timeout or DEFAULT_TIMEOUT
        if timeout.read is None:
            return timeout
        read_seconds = max(timeout.read, request.lasts_seconds + WAY_BACK_SECONDS)
        return httpx.Timeout(
            connect=timeout.connect, read=read_seconds, write=timeout.write, pool=timeout.pool
        )

    def _settings(self) -> dict[str, Any]:
        """The arguments of an httpx client of our own."""
        return {
            "headers": self._headers,
            "timeout": self._timeout or DEFAULT_TIMEOUT,
            "verify": self._trusted(),
        }

    def _trusted(self) -> ssl.SSLContext | bool:
        """The certificates to trust. Reading them takes longest of all: once is enough, and only for HTTPS.

        Plain HTTP never turns into HTTPS on the way: redirects are not followed.
        """
        if httpx.URL(self.base_url).scheme != "https":
            return False
        if self._certificates is None:
            self._certificates = httpx.create_ssl_context()
        return self._certificates

    def _sync_client(self) -> httpx.Client:
        with self._lock:
            if self.is_closed:
                raise ClientClosed
            if self._brought is not None:
                return self._brought
            if self._sync is None:
                self._sync = httpx.Client(**self._settings())
                weakref.finalize(self, self._sync.close)  # for those who never close
            return self._sync

    async def _async_client(self, request: Request) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        """A client of the running event loop, for this request alone. Entering raises `httpx.PoolTimeout`."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self.is_closed:
                raise ClientClosed
            if self._brought_async is not None:
                return nullcontext(self._brought_async)
            mine = self._per_loop.get(loop)
            if mine is None:
                for ended in [other for other in self._per_loop if other.is_closed()]:
                    del self._per_loop[ended]
                mine = self._per_loop[loop] = LoopClients(self._settings())
        await mine.open()
        timeout = request.timeout or self._timeout or DEFAULT_TIMEOUT
        return mine.turn(timeout.pool)


def _answer(response: httpx.Response) -> Answer:
    return Answer(response.status_code, _headers(response), response.content)


def _headers(response: httpx.Response) -> dict[str, str]:
    return dict(response.headers.items())


def _no_answer(error: httpx.RequestError) -> NoAnswer:
    if isinstance(error, httpx.TimeoutException):
        return NoAnswer(error, "timeout")
    return NoAnswer(error, "network_error", is_permanent=_is_permanent(error))


def _is_permanent(error: BaseException) -> bool:
    """Whether the same request fails in the same way every time: a wrong address, certificate or encoding."""
    permanent = (
        httpx.LocalProtocolError,
        httpx.UnsupportedProtocol,
        httpx.DecodingError,
        httpx.TooManyRedirects,
        ssl.SSLCertVerificationError,
    )
    cause = error.__cause__ or error.__context__
    return isinstance(error, permanent) or (cause is not None and _is_permanent(cause))
