"""Pools, as they are made and as machines show them. What holds machines is in `pool_members`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.common import JsonDict, Model

Name = Annotated[str, Field(min_length=1, max_length=255)]


class PoolCreate(Model):
    name: Name
    description: str | None = None
    pool_parameters: JsonDict | None = None
    pool_sensitive_parameters: dict[str, str] | None = Field(default=None, repr=False)


class PoolUpdate(Model):
    name: Name | None = None
    description: str | None = None
    pool_parameters: JsonDict | None = None
    pool_sensitive_parameters: dict[str, str | None] | None = Field(default=None, repr=False)


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
