"""The blows: each hits one thing, heals it, and tells what it did and when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from time import sleep

from chaos.site import Site, Victim

PAUSE_SECONDS = 6.0
"""Longer than `lease_seconds` of the settings."""

DOWN_SECONDS = 1.0
"""How long a killed database stays away at most, before it is started again."""


class Kind(StrEnum):
    """What can happen."""

    SERVER_KILLED = "server killed"
    SERVER_PAUSED = "server paused"
    SERVER_STOPPED = "server stopped"
    """In good order: it gives its runs up first."""

    DRIVER_KILLED = "driver killed"
    DRIVER_PAUSED = "driver paused"
    DATABASE_KILLED = "database killed"
    CONNECTIONS_CUT = "connections cut"


@dataclass(frozen=True, slots=True)
class Blow:
    """What happened to whom, from when until when."""

    kind: Kind
    victim: str
    began_at: datetime
    healed_at: datetime

    def __str__(self) -> str:
        seconds = (self.healed_at - self.began_at).total_seconds()
        return f"{self.kind} ({self.victim}), healed after {seconds:.1f} s"


def strike(site: Site, random: Random) -> Blow:
    """Hit something of the site, and heal it."""
    kinds = [kind for kind in Kind if site.database or kind is not Kind.DATABASE_KILLED]
    [kind] = random.choices(kinds, [_SHARES[kind] for kind in kinds])
    began_at = datetime.now(UTC)
    victim = _STRIKES[kind](site, random)
    return Blow(kind, victim, began_at, datetime.now(UTC))


def _kill_server(site: Site, random: Random) -> str:
    return _killed(random.choice(site.servers))


def _pause_server(site: Site, random: Random) -> str:
    return _paused(random.choice(site.servers))


def _stop_server(site: Site, random: Random) -> str:
    server = random.choice(site.servers)
    server.stop()
    server.start()
    return server.name


def _kill_driver(site: Site, random: Random) -> str:
    return _killed(random.choice(site.drivers))


def _pause_driver(site: Site, random: Random) -> str:
    return _paused(random.choice(site.drivers))


def _kill_database(site: Site, random: Random) -> str:
    assert site.database is not None
    site.database.kill()
    sleep(DOWN_SECONDS * random.random())
    site.database.start_again()
    return "database"


def _cut_connections(site: Site, random: Random) -> str:
    return f"{site.balancer.cut()} of the balancer"


def _killed(victim: Victim) -> str:
    victim.kill()
    victim.start()
    return victim.name


def _paused(victim: Victim) -> str:
    victim.pause()
    try:
        sleep(PAUSE_SECONDS)
    finally:
        victim.resume()
    return victim.name


_STRIKES: dict[Kind, Callable[[Site, Random], str]] = {
    Kind.SERVER_KILLED: _kill_server,
    Kind.SERVER_PAUSED: _pause_server,
    Kind.SERVER_STOPPED: _stop_server,
    Kind.DRIVER_KILLED: _kill_driver,
    Kind.DRIVER_PAUSED: _pause_driver,
    Kind.DATABASE_KILLED: _kill_database,
    Kind.CONNECTIONS_CUT: _cut_connections,
}

_SHARES: dict[Kind, int] = {
    Kind.SERVER_KILLED: 3,
    Kind.SERVER_PAUSED: 1,  # a pause takes longest
    Kind.SERVER_STOPPED: 3,
    Kind.DRIVER_KILLED: 3,
    Kind.DRIVER_PAUSED: 1,
    Kind.DATABASE_KILLED: 2,
    Kind.CONNECTIONS_CUT: 2,
}
"""How often each kind comes, in relation to the others."""
