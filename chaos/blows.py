"""The blows: each hits one thing, heals it, and tells what it did and when."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from random import Random
from time import sleep

from cyberdesk_server.testing.rows import PostgresqlForTests

from chaos.site import Site, Victim

PAUSE_SECONDS = 6.0
"""Longer than `lease_seconds` of the settings."""

DOWN_SECONDS = 1.0
"""How long a killed database stays away at most, before it is started again."""


DATABASE = "database"
"""As a victim."""


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
    """What happened to whom, and when."""

    kind: Kind
    victim: str
    began_at: datetime
    over_at: datetime
    """When what was killed could start again, what stood still went on, and what was cut could connect."""

    leaves_a_server: bool = True
    """False when no server was up but the one that was hit."""

    def __str__(self) -> str:
        seconds = (self.over_at - self.began_at).total_seconds()
        return f"{self.kind} ({self.victim}), {seconds:.1f} s"


def strike(site: Site, random: Random) -> Blow:
    """Hit something of the site, as soon as it is up, and heal it."""
    kinds = [kind for kind in Kind if site.database or kind is not Kind.DATABASE_KILLED]
    [kind] = random.choices(kinds, [_SHARES[kind] for kind in kinds])
    match kind:
        case Kind.SERVER_KILLED | Kind.SERVER_PAUSED | Kind.SERVER_STOPPED:
            victim = random.choice(site.servers)
            return _hit(kind, victim, any(other.is_up for other in site.servers if other is not victim))
        case Kind.DRIVER_KILLED | Kind.DRIVER_PAUSED:
            return _hit(kind, random.choice(site.drivers), True)
        case Kind.DATABASE_KILLED:
            assert site.database is not None
            return _kill(site.database, random)
        case Kind.CONNECTIONS_CUT:
            began_at = datetime.now(UTC)
            cut = site.balancer.cut()
            return Blow(kind, f"{cut} of the balancer", began_at, datetime.now(UTC))


def _hit(kind: Kind, victim: Victim, leaves_a_server: bool) -> Blow:
    victim.wait_until_up()
    began_at = datetime.now(UTC)
    match kind:
        case Kind.SERVER_KILLED | Kind.DRIVER_KILLED:
            victim.kill()
            victim.start()
        case Kind.SERVER_STOPPED:
            victim.stop()
            victim.start()
        case _:
            victim.pause()
            sleep(PAUSE_SECONDS)
            victim.resume()
    return Blow(kind, victim.name, began_at, datetime.now(UTC), leaves_a_server)


def _kill(database: PostgresqlForTests, random: Random) -> Blow:
    began_at = datetime.now(UTC)
    database.kill()
    sleep(DOWN_SECONDS * random.random())
    database.start_again()
    return Blow(Kind.DATABASE_KILLED, DATABASE, began_at, datetime.now(UTC))


_SHARES: dict[Kind, int] = {
    Kind.SERVER_KILLED: 2,
    Kind.SERVER_PAUSED: 1,
    Kind.SERVER_STOPPED: 2,
    Kind.DRIVER_KILLED: 5,
    Kind.DRIVER_PAUSED: 1,
    Kind.DATABASE_KILLED: 2,
    Kind.CONNECTIONS_CUT: 1,
}
"""How often each kind comes, in relation to the others. Blows to single drivers come most: after the others
all drivers keep away for a while, and nothing is under way that could be hit."""
