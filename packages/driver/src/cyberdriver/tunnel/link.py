"""Staying joined: connect, serve, and come back after every end that is not for good."""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass

from cyberdesk_wire import Limits
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, WebSocketException

from cyberdriver import __version__
from cyberdriver.commands import Dispatcher
from cyberdriver.tunnel.address import Address
from cyberdriver.tunnel.backoff import Backoff
from cyberdriver.tunnel.connection import Connection
from cyberdriver.tunnel.verdicts import NO_CLOSE, Stop, TryAgain, Verdict, WaitFor, after_close, after_status

FEATURES = "action-journal, conditional-screenshot, key-hold"
OPEN_TIMEOUT_SECONDS = 15.0
PING_SECONDS = 20.0
CLOSE_TIMEOUT_SECONDS = 5.0
FINISH_SECONDS = 10.0
"""How long a command that runs may still finish when the driver is asked to end."""
HELD_SECONDS = 10.0
"""How long keys and buttons stay down after a drop: the server may come back and go on with its drag."""
_FRAME_MARGIN_BYTES = 1024 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Greeting:
    """Who joins (protocol, section 1)."""

    key: str
    fingerprint: str
    name: str
    hostname: str
    keepalive_for: str | None = None
    """The id of a machine that this one keeps awake."""

    def headers(self) -> dict[str, str]:
        """The handshake headers."""
        headers = {
            "Authorization": f"Bearer {self.key}",
            "X-PIGLET-FINGERPRINT": self.fingerprint,
            "X-PIGLET-VERSION": __version__,
            "X-PIGLET-HOSTNAME": self.hostname,
            "X-CYBERDRIVER-NAME": self.name,
            "X-Cyberdriver-Features": FEATURES,
        }
        if self.keepalive_for:
            headers["X-Remote-Keepalive-For"] = self.keepalive_for
        return headers

    def __repr__(self) -> str:
        return f"Greeting(name={self.name!r}, fingerprint={self.fingerprint!r})"


class _Connect(connect):
    """Follows no redirect: the key would travel to an address its owner did not write."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class Link:
    """One machine's way to its server."""

    def __init__(
        self,
        address: Address,
        greeting: Greeting,
        dispatcher: Dispatcher,
        *,
        on_request: Callable[[], None] = lambda: None,
        limits: Limits | None = None,
        trust: ssl.SSLContext | None = None,
        random_fraction: Callable[[], float] = random.random,
    ) -> None:
        """`trust` says whose certificates count; None means those of the system and of `SSL_CERT_FILE`."""
        self._address = address
        self._greeting = greeting
        self._dispatcher = dispatcher
        self._on_request = on_request
        self._limits = limits or Limits()
        self._trust = (trust or ssl.create_default_context()) if address.is_secure else None
        self._backoff = Backoff(random_fraction)
        self._release: asyncio.Task[None] | None = None

    async def stay_joined(self, stop: asyncio.Event) -> None:
        """Returns after `stop` is set and the goodbye is said. Raises `KeyRefused` or `TurnedAway`."""
        try:
            while not stop.is_set():
                verdict = await self._join_once(stop)
                if stop.is_set():
                    return
                match verdict:
                    case Stop(error):
                        raise error
                    case WaitFor(seconds, why):
                        self._backoff.reset()
                    case TryAgain(why):
                        seconds = self._backoff.next_seconds()
                logger.warning("not joined: %s; again in %.1f s server=%s", why, seconds, self._address)
                await _sleep(seconds, stop)
        finally:
            await self._keep_held()

    async def _join_once(self, stop: asyncio.Event) -> Verdict:
        try:
            socket = await self._connect()
        except InvalidStatus as error:
            headers = error.response.headers
            return after_status(
                error.response.status_code, headers.get("Retry-After"), headers.get("Location")
            )
        except ssl.SSLError as error:
            return TryAgain(f"TLS failed: {getattr(error, 'verify_message', '') or error.reason or error}")
        except TimeoutError:
            return TryAgain(f"no answer within {OPEN_TIMEOUT_SECONDS:g} s")
        except OSError as error:
            return TryAgain(f"cannot connect: {error.strerror or error}")
        except (InvalidHandshake, WebSocketException) as error:
            return TryAgain(f"this is no tunnel: {error}")
        await self._keep_held()
        joined_seconds = time.monotonic()
        logger.info("joined server=%s name=%s", self._address, self._greeting.name)
        try:
            await self._serve(socket, stop)
        finally:
            self._release = asyncio.create_task(self._release_later())
        self._backoff.ended_after(time.monotonic() - joined_seconds)
        code = socket.close_code
        return after_close(NO_CLOSE if code is None else code, socket.close_reason or "")

    def _connect(self) -> _Connect:
        return _Connect(
            self._address.uri,
            ssl=self._trust,
            additional_headers=self._greeting.headers(),
            user_agent_header=f"cyberdriver/{__version__}",
            compression=None,
            # A proxy of the environment is for the network outside.
            proxy=None if self._address.is_loopback else True,
            open_timeout=OPEN_TIMEOUT_SECONDS,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_SECONDS,
            close_timeout=CLOSE_TIMEOUT_SECONDS,
            max_size=self._limits.max_message_bytes + _FRAME_MARGIN_BYTES,
        )

    async def _serve(self, socket: ClientConnection, stop: asyncio.Event) -> None:
        connection = Connection(socket, self._dispatcher, self._on_request, self._limits)
        serving = asyncio.create_task(connection.serve())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                self._dispatcher.take_back_waiting()
                await connection.finish(FINISH_SECONDS)
            await serving
        finally:
            stopping.cancel()
            serving.cancel()
            await asyncio.gather(serving, stopping, return_exceptions=True)

    async def _release_later(self) -> None:
        await asyncio.sleep(HELD_SECONDS)
        await self._dispatcher.release_held()

    async def _keep_held(self) -> None:
        if self._release is not None:
            self._release.cancel()
            await asyncio.gather(self._release, return_exceptions=True)
            self._release = None


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
