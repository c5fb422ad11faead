"""A small TCP balancer on loopback: one address in front of several servers, whose connections can be cut."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from cyberdesk_server.testing.programs import ServerProgram

CHUNK_BYTES = 65536
START_SECONDS = 10.0
CLOSE_SECONDS = 10.0

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Balancer:
    """Connections go to the servers in turn; one that does not accept is passed over."""

    def __init__(self, servers: Sequence[ServerProgram]) -> None:
        """The servers share a database, and have been started once."""
        self._servers = servers
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._connections: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_key(self) -> str:
        """One that is valid at each of the servers."""
        return self._servers[0].api_key

    def cut(self) -> int:
        """Break every connection there is; how many there were."""

        async def cut() -> int:
            broken = list(self._connections)
            for connection in broken:
                connection.cancel()
            await asyncio.gather(*broken, return_exceptions=True)
            return len(broken)

        return asyncio.run_coroutine_threadsafe(cut(), self._loop).result(CLOSE_SECONDS)

    @contextmanager
    def up(self) -> Iterator["Balancer"]:
        """Accept connections, in a thread of its own, until the block ends."""
        is_up, stop = threading.Event(), asyncio.Event()
        thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(is_up, stop),), name="balancer"
        )
        thread.start()
        try:
            if not is_up.wait(START_SECONDS):
                raise TimeoutError(f"the balancer did not start within {START_SECONDS:g} s")
            yield self
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            thread.join(CLOSE_SECONDS)
            self._loop.close()

    async def _serve(self, is_up: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        is_up.set()
        await stop.wait()
        server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.current_task()
        assert connection is not None
        self._connections.add(connection)
        try:
            await self._carry((reader, writer))
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._connections.discard(connection)
            writer.close()

    async def _carry(self, caller: Pair) -> None:
        server = await self._connect()
        if server is None:
            return
        try:
            ways = [asyncio.create_task(_pump(caller, server)), asyncio.create_task(_pump(server, caller))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            server[1].transport.abort()

    async def _connect(self) -> Pair | None:
        for _ in self._servers:
            self._turn += 1
            server = self._servers[self._turn % len(self._servers)]
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", server.port)
        return None


async def _pump(source: Pair, sink: Pair) -> None:
    with suppress(ConnectionError):
        while chunk := await source[0].read(CHUNK_BYTES):
            sink[1].write(chunk)
            await sink[1].drain()
