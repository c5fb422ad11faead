"""The HTTP clients of one event loop, and who may use one when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from cyberdesk.errors import ClientClosed

REQUESTS_AT_ONCE = 100
"""How many requests of one event loop are under way; the others wait for their turn."""


class LoopClients:
    """HTTP clients that carry one request at a time each, so that each has one connection.

    One client for all would look through its connections and through all that wait for one whenever a
    request comes or goes: a thousand calls at once would take it a minute instead of a second.

    `settings` are the arguments of `httpx.AsyncClient`.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.opened: list[httpx.AsyncClient] = []
        self._settings = settings
        self._turns = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._idle: list[httpx.AsyncClient] = []
        self._life: AsyncGenerator[None, None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._is_closed = False

    async def open(self) -> None:
        """Tie the clients to the running loop; twice is once."""
        if self._life is None:
            self._life = _closed_at_the_end(self.aclose)
            await self._life.__anext__()

    @asynccontextmanager
    async def turn(self, timeout_seconds: float | None) -> AsyncIterator[httpx.AsyncClient]:
        """A client for one request, as soon as there is one.

        Raises `httpx.PoolTimeout` when that takes longer, and `ClientClosed`.
        """
        await self._acquire(timeout_seconds)
        try:
            http = self._free_client()
            try:
                yield http
            finally:
                self._idle.append(http)
        finally:
            self._turns.release()

    def start_closing(self) -> None:
        """Close the connections; called on the loop."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self.aclose())

    async def aclose(self) -> None:
        """Close the connections, busy or not."""
        self._is_closed = True
        for http in self.opened:
            await http.aclose()

    async def _acquire(self, timeout_seconds: float | None) -> None:
        if not self._turns.locked():
            await self._turns.acquire()  # at once, and without the task that `wait_for` makes
            return
        try:
            await asyncio.wait_for(self._turns.acquire(), timeout_seconds)
        except asyncio.TimeoutError as error:
            raise httpx.PoolTimeout(f"{REQUESTS_AT_ONCE} other requests are under way") from error

    def _free_client(self) -> httpx.AsyncClient:
        """The client that became idle last: its connection is the most likely to be open still."""
        if self._is_closed:
            raise ClientClosed
        if self._idle:
            return self._idle.pop()
        http = httpx.AsyncClient(**self._settings)
        self.opened.append(http)
        return http


async def _closed_at_the_end(close: Callable[[], Awaitable[None]]) -> AsyncGenerator[None, None]:
    """A generator that closes when its event loop shuts down its generators.

    Every loop that ends in order does that, `asyncio.run` among them; there is no other hook at that moment.
    """
    try:
        yield
    finally:
        await close()
