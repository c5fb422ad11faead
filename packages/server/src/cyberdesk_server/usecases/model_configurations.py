"""Configuring models. System defaults cannot be changed; API keys are sealed and never read back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ModelConfigurationId, OrganizationId
from cyberdesk_server.domain.model_configurations import ModelConfiguration
from cyberdesk_server.domain.refusals import (
    ModelConfigurationInUse,
    ModelConfigurationIsSystemDefault,
    Unknown,
    invalid,
)
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import model_configurations as store
from cyberdesk_server.usecases.sealing import seal_one


async def create(
    conn: AsyncConnection,
    fields: Mapping[str, Any],
    *,
    api_key: str | None,
    organization_id: OrganizationId,
    vault: Vault,
    now: datetime,
) -> ModelConfiguration:
    """A new configuration of the organization. `fields` are members of `ModelConfiguration`."""
    key = None if api_key is None else await seal_one(vault, organization_id, api_key)
    configuration = ModelConfiguration(
        id=ModelConfigurationId(uuid4()),
        organization_id=organization_id,
        created_at=now,
        updated_at=now,
        secret_id=key and key[0],
        **fields,
    )
    await store.add(conn, configuration, key and key[1])
    return configuration


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    configuration_id: ModelConfigurationId,
    changes: Mapping[str, Any],
    *,
    api_key: str | None,
    clear_api_key: bool,
    vault: Vault,
    now: datetime,
) -> ModelConfiguration:
    """The configuration with these fields changed, and its key replaced or forgotten.

    Raises `Unknown`, `ModelConfigurationIsSystemDefault`, and `InvalidFields` for a key that is both sent and
    cleared.
    """
    if api_key is not None and clear_api_key:
        raise invalid(("body", "clear_api_key"), "an API key is either replaced or cleared, not both")
    after = replace(await _own(conn, organization_id, configuration_id), **changes, updated_at=now)
    await store.replace(conn, after)
    if api_key is None and not clear_api_key:
        return after
    key = None if api_key is None else await seal_one(vault, organization_id, api_key)
    await store.replace_key(conn, configuration_id, key)
    return replace(after, secret_id=key and key[0])


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, configuration_id: ModelConfigurationId
) -> None:
    """Remove the configuration and its key.

    Raises `Unknown`, `ModelConfigurationIsSystemDefault`, and `ModelConfigurationInUse` while a workflow or
    an unfinished run names it: such a configuration can be archived.
    """
    await _own(conn, organization_id, configuration_id)
    workflows, runs = await store.uses(conn, organization_id, configuration_id)
    if workflows or runs:
        raise ModelConfigurationInUse(configuration_id, workflows, runs)
    await store.delete(conn, configuration_id)


async def _own(
    conn: AsyncConnection, organization_id: OrganizationId, configuration_id: ModelConfigurationId
) -> ModelConfiguration:
    configuration = await store.get(conn, organization_id, configuration_id)
    if configuration is None:
        raise Unknown("model configuration", configuration_id)
    if configuration.is_system_default:
        raise ModelConfigurationIsSystemDefault(configuration_id)
    return configuration
