"""Who owns what: organizations, and the API keys that open them.

a key with      may
read            look at everything the organization has
run             read, and create, retry, change and cancel runs
manage          all of it
driver          join machines, and nothing else
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId


class KeyScope(StrEnum):
    """What a key may do, and what an operation asks for."""

    READ = "read"
    RUN = "run"
    MANAGE = "manage"
    DRIVER = "driver"

    def covers(self, needed: "KeyScope") -> bool:
        """Whether a key with this scope may do what asks for the other one."""
        return needed in _COVERED[self]


_COVERED: Mapping[KeyScope, frozenset[KeyScope]] = {
    KeyScope.READ: frozenset({KeyScope.READ}),
    KeyScope.RUN: frozenset({KeyScope.READ, KeyScope.RUN}),
    KeyScope.MANAGE: frozenset(KeyScope),
    KeyScope.DRIVER: frozenset({KeyScope.DRIVER}),
}


@dataclass(frozen=True, slots=True)
class Organization:
    id: OrganizationId
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: without the key."""

    id: ApiKeyId
    organization_id: OrganizationId
    name: str
    hint: str
    """Its last four characters, so that people can tell keys apart."""

    created_at: datetime
    scope: KeyScope = KeyScope.MANAGE
    expires_at: datetime | None = None
    """From then on it opens nothing; None for never."""

    life: timedelta | None = None
    """How long it was made to last, whatever has ended it sooner; None for ever."""

    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    """To the minute; None before its first use."""

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
