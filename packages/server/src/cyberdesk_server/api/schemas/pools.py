"""Pools, as machines show them."""

from datetime import datetime
from uuid import UUID

from cyberdesk_server.api.schemas.common import JsonDict, Model


class PoolResponse(Model):
    name: str
    id: UUID
    organization_id: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    pool_parameters: JsonDict | None = None
    pool_sensitive_parameters: dict[str, str] | None = None
    machine_count: int | None = 0
