"""Connections that lead only where they may.

The host is resolved here, and what is checked is what is connected to: there is no second look-up that could
say something else. That is why this stands below HTTP, in the place where httpx's transport opens sockets.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any

import httpcore

from cyberdesk_server.domain.networks import Address, Reach

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as texts. Raises OSError when it has none."""


class Forbidden(Exception):
    """The host leads to an address that the server must not connect to."""


RESOLVING_AT_ONCE = 128
"""Names that are looked up at the same time: those that nobody answers for must not hold up the others."""


class SystemResolver:
    """What the operating system says, asked in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(RESOLVING_AT_ONCE, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        return [str(address[0]) for *_, address in found]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens the sockets of an `httpcore` pool, to addresses inside `reach` and to no others."""

    def __init__(
        self,
        reach: Reach,
        *,
        resolve: Resolve | None = None,
        backend: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._reach = reach
        self._resolve = resolve or SystemResolver()
        self._backend = backend or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to one of the host's addresses. Raises `Forbidden` when one of them is outside.

        One is enough: a name that leads inside and outside is no name of a public service.
        """
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
        addresses = list(dict.fromkeys(map(_address, found)))
        for address in addresses:
            if not self._reach.includes(address):
                raise Forbidden(f"{host} leads to {address}, which is no public address")
        return await self._connect_to_one(addresses, port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise Forbidden("no Unix socket is an endpoint")

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)

    async def _connect_to_one(
        self, addresses: Sequence[Address], port: int, *options: Any
    ) -> httpcore.AsyncNetworkStream:
        refused: Exception = httpcore.ConnectError("the host has no address")
        for address in addresses:
            try:
                return await self._backend.connect_tcp(str(address), port, *options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                refused = error
        raise refused


def _address(text: str) -> Address:
    return ip_address(text.partition("%")[0])
