"""Pools, as they are made and as machines show them. What holds machines is in `pool_members`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from cyberdesk_server.api.schemas.common import JsonDict, Model

Name = Annotated[str, Field(min_length=1, max_length=255)]


class PoolCreate(Model):
    name: Name
    """What people call the pool, 1 to 255 characters."""

    description: str | None = None
    """What the pool is for, in words."""

    pool_parameters: JsonDict | None = None
    """Values of `{x}` for runs that name this pool; those of the machine and the run win."""

    pool_sensitive_parameters: dict[str, str] | None = Field(default=None, repr=False)
    """Secrets for `{$x}` in runs that name this pool, by name; sealed, never shown again."""


class PoolUpdate(Model):
    name: Name | None = None
    """What people call the pool, 1 to 255 characters; null leaves it."""

    description: str | None = None
    """What the pool is for, in words."""

    pool_parameters: JsonDict | None = None
    """Values of `{x}` for runs that name this pool, in place of those it had."""

    pool_sensitive_parameters: dict[str, str | None] | None = Field(default=None, repr=False)
    """Secrets to set, by name; those not named stay. A null secret is removed, `{}` removes all."""


class PoolResponse(Model):
    name: str
    """What people call the pool."""

    id: UUID
    """The pool's id."""

    organization_id: str
    """The organization that owns it."""

    created_at: datetime
    """When the pool was made, in UTC."""

    updated_at: datetime
    """When the pool last changed, in UTC."""

    description: str | None = None
    """What the pool is for, in words; null when nobody wrote it."""

    pool_parameters: JsonDict | None = None
    """Values of `{x}` for runs that name this pool; those of the machine and the run win."""

    pool_sensitive_parameters: dict[str, str] | None = None
    """Name of each secret kept for runs that name this pool, and its alias; never the secret."""

    machine_count: int | None = 0
    """How many machines are in the pool."""
