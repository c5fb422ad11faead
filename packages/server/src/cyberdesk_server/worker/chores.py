"""The table of what every server does by the clock.

Each chore is a use case of its own, and several servers may do the same one at once: what one has done the
other finds done.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from cyberdesk_server.ports import Blobs, Bus, Clock, Vault
from cyberdesk_server.store import idempotency
from cyberdesk_server.store.database import Database
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases import (
    attachments,
    machine_alarms,
    places,
    request_logs,
    sessions,
    waiting,
    webhook_messages,
)
from cyberdesk_server.usecases.keys import KeyUses
from cyberdesk_server.worker.timers import Chore

TUNNELS_SECONDS = 30.0
"""How old `last_seen` of a connected machine may be, and how long a tunnel that was overtaken stays open."""

KEYS_SECONDS = 2.0
"""How much longer than its key a tunnel lives."""

USES_SECONDS = 60.0
"""How old the last use of a key may be that is told."""

IDLE_SECONDS = 60.0
"""How much longer than it may an idle session keeps its machine."""

OVERDUE_SECONDS = 5.0
"""How much longer than it may a run waits."""

REVIEW_SECONDS = 30.0
"""How long a run may wait for one of a hundred free machines when the scheduler has lost sight of it."""

PLACES_SECONDS = 2.0
"""How long a secret that nobody needs stays where it is kept outside of the database."""

LEFT_SECRETS_SECONDS = 60.0
"""How often secrets are looked for that the end of their run did not remove."""

EXPIRY_SECONDS = 60.0
"""How long an expired file, which nobody can read any more, still takes up room."""

ALARM_SECONDS = 15.0
"""How much longer than it may a machine is lost before webhooks tell of it."""

FORGET_SECONDS = 3600.0
"""How long what is told no longer still takes up room: answers given again, request logs, webhooks."""


@dataclass(frozen=True, slots=True)
class Lives:
    """How long things are kept."""

    idle_session: timedelta | None
    """None: for ever."""

    request_log: timedelta
    webhook: timedelta


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What the chores are done with."""

    database: Database
    blobs: Blobs
    vault: Vault
    bus: Bus
    clock: Clock
    lives: Lives
    key_uses: KeyUses
    machine_down_seconds: float
    """How long a machine may be disconnected before webhooks tell of it."""

    async def note_key_uses(self) -> None:
        await self.key_uses.write(self.database, now=self.clock.now())

    async def end_overdue_runs(self) -> None:
        await waiting.end_overdue(self.database, self.bus, now=self.clock.now())

    async def release_idle_sessions(self) -> None:
        if self.lives.idle_session is None:
            return
        now = self.clock.now()
        if await sessions.release_idle(self.database, before=now - self.lives.idle_session, now=now):
            await self.bus.publish(MACHINES_FREE)

    async def empty_places(self) -> None:
        await places.empty_due(self.database, self.vault, now=self.clock.now())

    async def forget_secrets_of_ended_runs(self) -> None:
        await places.forget_ended(self.database)

    async def remove_expired_files(self) -> None:
        await attachments.remove_expired(self.database, self.blobs, now=self.clock.now())

    async def forget_old_answers(self) -> None:
        async with self.database.transaction() as conn:
            await idempotency.forget_old(conn, now=self.clock.now())

    async def forget_old_request_logs(self) -> None:
        await request_logs.forget_old(self.database, before=self.clock.now() - self.lives.request_log)

    async def tell_of_lost_machines(self) -> None:
        await machine_alarms.tell_of_lost(
            self.database, self.bus, after_seconds=self.machine_down_seconds, now=self.clock.now()
        )

    async def forget_old_webhooks(self) -> None:
        await webhook_messages.forget_old(self.database, before=self.clock.now() - self.lives.webhook)


def chores(
    upkeep: Upkeep,
    *,
    stay_alive: Callable[[], Awaitable[None]],
    sign_seconds: float,
    check_tunnels: Callable[[], Awaitable[None]],
    check_keys: Callable[[], Awaitable[None]],
) -> tuple[Chore, ...]:
    """All of them. Each `sign_seconds` a server says that it lives, and looks whether the others do."""
    review = waiting.Review(upkeep.database, upkeep.bus)
    return (
        Chore("stay alive", sign_seconds, stay_alive),
        Chore("check tunnels", TUNNELS_SECONDS, check_tunnels),
        Chore("close tunnels of keys that are not valid", KEYS_SECONDS, check_keys),
        Chore("note which keys were used", USES_SECONDS, upkeep.note_key_uses),
        Chore("end runs that waited too long", OVERDUE_SECONDS, upkeep.end_overdue_runs),
        Chore("look at free machines anew", REVIEW_SECONDS, review.go_on),
        Chore("release idle sessions", IDLE_SECONDS, upkeep.release_idle_sessions),
        Chore("delete secrets kept outside", PLACES_SECONDS, upkeep.empty_places),
        Chore("forget secrets of ended runs", LEFT_SECRETS_SECONDS, upkeep.forget_secrets_of_ended_runs),
        Chore("remove expired files", EXPIRY_SECONDS, upkeep.remove_expired_files),
        Chore("forget old answers", FORGET_SECONDS, upkeep.forget_old_answers),
        Chore("forget old request logs", FORGET_SECONDS, upkeep.forget_old_request_logs),
        Chore("tell of lost machines", ALARM_SECONDS, upkeep.tell_of_lost_machines),
        Chore("forget old webhooks", FORGET_SECONDS, upkeep.forget_old_webhooks),
    )
