"""What goes wrong with hosts: they die, they freeze, their clocks jump."""

from random import Random

from simulation.blobs import ShakyBlobs
from simulation.chance import CALM, Weather
from simulation.database import Storage
from simulation.loop import Host, SimulatedLoop
from simulation.network import Network
from simulation.story import Story

FROZEN_SECONDS = 70.0
"""At most, which is more than twice a lease."""

JUMP_SECONDS = 25.0
AFTER_A_COMMIT = 20.0
"""How much likelier it is then: something is written, and nothing of what follows from it is done."""


class Faults:
    """Happens to a site, step by step, until it is calm."""

    def __init__(
        self,
        loop: SimulatedLoop,
        story: Story,
        chance: Random,
        storage: Storage,
        blobs: ShakyBlobs,
        network: Network,
    ) -> None:
        self.servers: list[Host] = []
        self.drivers: list[Host] = []
        self._loop = loop
        self._story = story
        self._chance = chance
        self._storage = storage
        self._blobs = blobs
        self._network = network
        self._weather = CALM
        self._has_committed: Host | None = None

    def begin(self, weather: Weather) -> None:
        self._weather = weather
        self._storage.weather = self._blobs.weather = self._network.weather = weather

    def end(self) -> None:
        """From now on everything works; what is frozen thaws, and the clocks are set right."""
        self.begin(CALM)
        for host in self.servers:
            self._thaw(host)
            host.skew_seconds = 0.0

    def after_step(self, host: Host) -> None:
        """The host stands at one of its awaits."""
        weather = self._weather
        if weather is CALM or host.is_dead:
            return
        if host in self.servers:
            self._meet_server(host, weather, AFTER_A_COMMIT if host is self._has_committed else 1.0)
        elif host in self.drivers and self._happens(weather.driver_dies):
            host.die()
        self._has_committed = None

    def after_commit(self, host: Host) -> None:
        """The host has written something, and goes on to its next await."""
        self._has_committed = host

    def _meet_server(self, host: Host, weather: Weather, times: float) -> None:
        if self._happens(weather.server_dies * times):
            host.die()
        elif self._happens(weather.server_freezes * times):
            host.is_frozen = True
            seconds = self._chance.random() * FROZEN_SECONDS
            self._story.add("freezes", who=host, seconds=round(seconds, 1))
            self._loop.outside.call_later(seconds, self._thaw, host)
        elif self._happens(weather.clock_jumps * times):
            host.skew_seconds = self._chance.uniform(-JUMP_SECONDS, JUMP_SECONDS)
            self._story.add("clock jumps", who=host, skew_seconds=round(host.skew_seconds, 1))

    def _thaw(self, host: Host) -> None:
        if host.is_frozen:
            self._story.add("thaws", who=host)
            host.is_frozen = False

    def _happens(self, probability: float) -> bool:
        return probability > 0 and self._chance.random() < probability
