"""What is between the parts: buses, and the lines by which drivers reach servers. Both may lose things."""

import asyncio
from collections.abc import Callable, MutableMapping
from random import Random
from typing import Any

from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.ports import EMPTY_MESSAGE, Message

from simulation.chance import CALM
from simulation.loop import Host

USUAL_SECONDS = 0.004
SLOW_SECONDS = 2.0
SLOW = 1 / 100
UNNOTICED_SECONDS = 80.0
"""After so long without a pong a server closes a line that is dead."""

Event = MutableMapping[str, Any]
"""Of ASGI."""

DISCONNECT: Event = {"type": "websocket.disconnect", "code": 1006}


class Network:
    """How well everything that is sent arrives in one seed."""

    def __init__(self, chance: Random) -> None:
        self.weather = CALM
        self._chance = chance

    def happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability

    def seconds_on_the_way(self) -> float:
        longest = SLOW_SECONDS if self.happens(SLOW) else USUAL_SECONDS
        return self._chance.random() * longest

    def seconds_unnoticed(self) -> float:
        return self._chance.random() * UNNOTICED_SECONDS


class LossyBus(InProcessBus):
    """The bus of one server, on which a wake-up may be lost: nothing on a bus is durable."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    async def publish(self, topic: str, message: Message = EMPTY_MESSAGE) -> None:
        await asyncio.sleep(0)
        if not self._network.happens(self._network.weather.wake_up_lost):
            await super().publish(topic, message)


class Line:
    """A WebSocket from a driver to a server, as the server's ASGI application sees it."""

    def __init__(self, network: Network, driver: Host, server: Host, headers: dict[str, str]) -> None:
        self.scope: MutableMapping[str, Any] = {
            "type": "websocket",
            "client": ("192.0.2.1", 1),
            "extensions": {},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        self.is_cut = False
        self.to_driver: asyncio.Queue[Event] = asyncio.Queue()
        self._to_server: asyncio.Queue[Event] = asyncio.Queue()
        self._network = network
        self._driver = driver
        self._server = server
        self._arrivals = {driver: 0.0, server: 0.0}
        self._bring(server, self._to_server, {"type": "websocket.connect"})
        driver.at_death.append(self.cut)
        server.at_death.append(self.cut)

    @property
    def is_answered(self) -> bool:
        """Whether a ping would be."""
        return not self.is_cut and self._server.is_able

    async def receive(self) -> Event:
        """For the server."""
        return await self._to_server.get()

    async def send(self, event: Event) -> None:
        """For the server. Raises `OSError` when the line is cut."""
        await asyncio.sleep(0)
        if self.is_cut:
            raise OSError("broken pipe (simulated)")
        if not self._breaks():
            self._bring(self._driver, self.to_driver, event)
        if event["type"] == "websocket.close":
            self.is_cut = True
            self._bring(self._server, self._to_server, DISCONNECT)

    def say(self, frame: str | bytes) -> None:
        """For the driver."""
        if not self.is_cut and not self._breaks():
            kind = "text" if isinstance(frame, str) else "bytes"
            self._bring(self._server, self._to_server, {"type": "websocket.receive", kind: frame})

    def cut(self, unnoticed_seconds: float = 0.0) -> None:
        """Break the line; the server learns of it so much later, unless it tries to send before."""
        if not self.is_cut:
            self.is_cut = True
            self._bring(self._driver, self.to_driver, DISCONNECT)
            self._bring(self._server, self._to_server, DISCONNECT, unnoticed_seconds)

    def _breaks(self) -> bool:
        network = self._network
        if not network.happens(network.weather.line_breaks):
            return False
        is_unnoticed = network.happens(network.weather.break_goes_unnoticed)
        self.cut(network.seconds_unnoticed() if is_unnoticed else 0.0)
        return True

    def _bring(self, host: Host, queue: asyncio.Queue[Event], event: Event, later: float = 0.0) -> None:
        """In the order in which it was sent, however long each takes."""
        now = asyncio.get_running_loop().time()
        arrival = max(self._arrivals[host], now + later + self._network.seconds_on_the_way())
        self._arrivals[host] = arrival
        put: Callable[[Event], None] = queue.put_nowait
        host.call_later(arrival - now, put, event)
