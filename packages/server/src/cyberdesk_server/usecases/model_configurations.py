"""Configuring models. System defaults cannot be changed; API keys are sealed and never read back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ModelConfigurationId, OrganizationId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.model_configurations import ModelConfiguration
from cyberdesk_server.domain.refusals import (
    ModelConfigurationInUse,
    ModelConfigurationIsSystemDefault,
    Problem,
    Unknown,
    invalid,
)
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import model_configurations as store
from cyberdesk_server.usecases.sealing import seal_one

DRIVING_ROLES = frozenset({"main_agent_model_id", "fallback_model_1_id", "fallback_model_2_id"})
"""Who acts on the desktop, or takes over from it."""


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


async def unusable_models(
    conn: AsyncConnection, organization_id: OrganizationId, metadata: JsonObject
) -> tuple[Problem, ...]:
    """What is wrong with the models a `model_metadata` names, each where it stands in the body.

    A model must be there and not archived; who drives the desktop must be a computer use model.
    """
    problems = []
    for role in store.ROLES:
        named = metadata.get(role)
        if named is None:
            continue
        reason = await why_unusable(conn, organization_id, UUID(str(named)), must_drive=role in DRIVING_ROLES)
        if reason is not None:
            problems.append(Problem(("body", "model_metadata", role), reason))
    return tuple(problems)


async def why_unusable(
    conn: AsyncConnection, organization_id: OrganizationId, named: UUID, *, must_drive: bool = False
) -> str | None:
    """Why nothing new may name this model configuration; None when it may."""
    found = await store.get(conn, organization_id, ModelConfigurationId(named))
    if found is None:
        return "there is no such model configuration"
    if found.is_archived:
        return "the model configuration is archived"
    if must_drive and not found.is_computer_use_model:
        return "the model configuration is no computer use model"
    return None
