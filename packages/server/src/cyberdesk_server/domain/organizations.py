"""Who owns what: organizations and their API keys."""

from dataclasses import dataclass
from datetime import datetime

from cyberdesk_server.domain.ids import ApiKeyId, OrganizationId


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
    revoked_at: datetime | None = None
