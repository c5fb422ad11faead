"""Entries of the audit log."""

from datetime import datetime
from uuid import UUID

from cyberdesk_server.api.schemas.common import Model


class AuditLogEntryResponse(Model):
    number: int
    """Its place in the organization's log, from 1 on, without gaps."""

    at: datetime
    """When the answer was given, in UTC."""

    api_key_id: UUID | None
    """The key it was asked with; null when the operator did it by a command."""

    actor: str
    """What the key was called then, or `operator`."""

    operation: str
    """Method and path: `PATCH /v1/runs/{run_id}`; or the operator's command: `keys revoke`."""

    target_ids: list[str]
    """Ids in the path, then those in the body, then those of what was made; each once."""

    status_code: int
    """The HTTP status of the answer; 0 for a command."""

    request_id: str
    """The answer's `X-Request-Id`; empty for a command."""

    hash: str
    """SHA-256 of the entry and of the hash of the one before, in hexadecimal."""
