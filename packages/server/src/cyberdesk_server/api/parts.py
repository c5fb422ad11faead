"""What the HTTP API is built from."""

from dataclasses import dataclass, field
from typing import Protocol

from cyberdesk_server.api.rates import Rates
from cyberdesk_server.domain.ids import OrganizationId, ServerId
from cyberdesk_server.domain.limits import BUILT_IN_LIMITS, ServerLimits
from cyberdesk_server.domain.networks import Reach
from cyberdesk_server.domain.web_sessions import Relay
from cyberdesk_server.ports import Blobs, Bus, Clock, Vault
from cyberdesk_server.store.database import Database
from cyberdesk_server.usecases.audit_log import Trail
from cyberdesk_server.usecases.keys import KeyUses
from cyberdesk_server.usecases.provider_credentials import Providers

DRIVER_VERSION = "2.0.0"
"""The newest driver, as `GET /v1/internal/cyberdriver-version` tells it."""


class Links(Protocol):
    """Checks the links that the embedded blob store signs."""

    def is_valid(self, key: str, *, expires: int, signature: str) -> bool:
        """True when this server signed exactly this key and expiry, and the time is not up."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    server_id: ServerId
    """This server: it reaches the machines that are connected to it."""

    database: Database
    bus: Bus
    blobs: Blobs
    vault: Vault
    clock: Clock
    providers: Providers
    links: Links | None = None
    """None when the blob store answers its links itself."""

    rates: Rates | None = None
    """None: a key may ask as often as it likes."""

    audit: Trail | None = None
    """Takes what writes were asked for; None where nobody writes it down."""

    key_uses: KeyUses = field(default_factory=KeyUses)
    """Takes which keys were used."""

    limits: ServerLimits = BUILT_IN_LIMITS
    """Of runs."""

    reach: Reach = field(default_factory=Reach)
    """Where endpoints of webhooks may be."""

    under_way: set[tuple[OrganizationId, str]] = field(default_factory=set)
    """Idempotency keys of the writes this process is working on."""

    driver_version: str = DRIVER_VERSION
    max_body_bytes: int = 150 * 1024 * 1024
    """A larger request is refused with 413."""

    relay: Relay | None = None
    """None: the operator runs no relay for live views."""
