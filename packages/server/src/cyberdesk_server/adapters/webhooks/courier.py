"""One POST to an endpoint: not where it must not go, no redirect followed, bounded in time and size."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cyberdesk_server.domain.networks import Reach
from cyberdesk_server.domain.webhooks import Answer
from cyberdesk_server.ports import Clock

if TYPE_CHECKING:
    import httpcore

MAX_ANSWER_BYTES = 16 * 1024
"""What is read and kept of the body of an answer."""

MAX_HEADERS = 50
MAX_HEADER_LENGTH = 1000
"""What is kept of the head of an answer."""

IDLE_SECONDS = 2.0
"""How long a connection is kept for the next message: shorter than receivers keep theirs."""

ALWAYS = {
    "accept": "*/*",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "cyberdesk-webhooks",
}


@dataclass(slots=True)
class _Pool:
    """Connections to one origin."""

    connections: "httpcore.AsyncConnectionPool"
    under_way: int = 0
    last_used: float = 0.0


class HttpCourier:
    """Carries messages over HTTP, directly: proxies of the environment are not used, for they would resolve
    names themselves."""

    def __init__(
        self,
        reach: Reach,
        clock: Clock,
        *,
        timeout_seconds: float,
        backend: "httpcore.AsyncNetworkBackend | None" = None,
    ) -> None:
        """`timeout_seconds` is for one message, from looking the name up to the last byte that is read.
        `backend` opens connections in the place of one that is held to `reach`."""
        self._reach = reach
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._backend = backend
        self._tls: ssl.SSLContext | None = None
        self._pools: dict[tuple[str, str], _Pool] = {}
        """By origin."""

        self._looked_at = time.monotonic()

    async def carry(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        started_at, start = self._clock.now(), time.monotonic()
        sent = {**ALWAYS, **headers}
        status, head, text, error = await self._post(url, sent, body)
        return Answer(
            started_at=started_at,
            duration_ms=round((time.monotonic() - start) * 1000),
            url=url,
            request_headers=sent,
            status_code=status,
            response_headers=head,
            response_body=text,
            error=error,
        )

    async def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            await pool.connections.aclose()
        self._pools.clear()

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int | None, Mapping[str, str], str, str | None]:
        import httpcore  # only who sends webhooks needs it

        from cyberdesk_server.adapters.webhooks.guard import Forbidden

        problem = self._reach.problem_of(url)
        if problem is not None:
            return None, {}, "", f"the URL {problem}"
        status: int | None = None
        head: Mapping[str, str] = {}
        pieces: list[bytes] = []
        try:
            async with (
                asyncio.timeout(self._timeout_seconds),
                self._connections(url) as connections,
                connections.stream("POST", url, headers=[*headers.items()], content=body) as response,
            ):
                status, head = response.status, _head(response.headers)
                async for piece in response.aiter_stream():
                    pieces.append(piece)
                    if sum(map(len, pieces)) >= MAX_ANSWER_BYTES:
                        break
        except TimeoutError:
            if status is None:
                return None, {}, "", f"no answer in {self._timeout_seconds:g} seconds"
        except Forbidden as error:
            return None, {}, "", str(error)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            if status is None:
                return None, {}, "", f"{type(error).__name__}: {error}".removesuffix(": ")
        text = b"".join(pieces)[:MAX_ANSWER_BYTES].decode("utf-8", "replace")
        return status, head, text, None

    @asynccontextmanager
    async def _connections(self, url: str) -> "AsyncIterator[httpcore.AsyncConnectionPool]":
        """Those to this origin alone: one pool for all would look at every connection for each message."""
        await self._close_idle()
        parts = urlsplit(url)
        origin = parts.scheme, parts.netloc
        pool = self._pools.get(origin) or _Pool(self._new_connections())
        self._pools[origin] = pool
        pool.under_way += 1
        try:
            yield pool.connections
        finally:
            pool.under_way -= 1
            pool.last_used = time.monotonic()

    async def _close_idle(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < IDLE_SECONDS:
            return
        self._looked_at = now
        idle = [
            origin
            for origin, pool in self._pools.items()
            if not pool.under_way and now - pool.last_used > IDLE_SECONDS
        ]
        for pool in [self._pools.pop(origin) for origin in idle]:
            await pool.connections.aclose()

    def _new_connections(self) -> "httpcore.AsyncConnectionPool":
        import httpcore
        import httpx

        from cyberdesk_server.adapters.webhooks.guard import GuardedBackend

        self._tls = self._tls or httpx.create_ssl_context()
        self._backend = self._backend or GuardedBackend(self._reach)
        return httpcore.AsyncConnectionPool(
            ssl_context=self._tls,
            max_connections=None,
            max_keepalive_connections=None,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=self._backend,
        )


def _head(headers: Sequence[tuple[bytes, bytes]]) -> Mapping[str, str]:
    kept = headers[:MAX_HEADERS]
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")[:MAX_HEADER_LENGTH] for name, value in kept
    }
