"""Model configurations: the system's, which are code, and those of organizations, which are rows."""

from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import ModelConfigurationId, OrganizationId, SecretId
from cyberdesk_server.domain.model_configurations import SYSTEM_DEFAULTS, ModelConfiguration
from cyberdesk_server.domain.runs import TERMINAL
from cyberdesk_server.store.secrets import SealedValue
from cyberdesk_server.store.tables import model_configurations, post_run_checks, runs, workflows

COLUMNS = [column for column in model_configurations.c if column.name != "sealed"]
ROLES = ("main_agent_model_id", "cache_detection_model_id", "fallback_model_1_id", "fallback_model_2_id")
"""Where a workflow or a run may name a model, in its `model_metadata`."""


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, configuration_id: ModelConfigurationId
) -> ModelConfiguration | None:
    """The system default or own configuration with this id, archived ones included; None for others."""
    if configuration_id in SYSTEM_DEFAULTS:
        return SYSTEM_DEFAULTS[configuration_id]
    row = (await conn.execute(select(*COLUMNS).where(*_own(organization_id, configuration_id)))).one_or_none()
    return None if row is None else ModelConfiguration(**row._mapping)


async def find(conn: AsyncConnection, organization_id: OrganizationId) -> tuple[ModelConfiguration, ...]:
    """The system defaults, then the organization's own, oldest first, archived ones included."""
    rows = await conn.execute(
        select(*COLUMNS)
        .where(model_configurations.c.organization_id == organization_id)
        .order_by(model_configurations.c.created_at, model_configurations.c.id)
    )
    return (*SYSTEM_DEFAULTS.values(), *(ModelConfiguration(**row._mapping) for row in rows))


async def add(conn: AsyncConnection, configuration: ModelConfiguration, sealed_key: bytes | None) -> None:
    """Write a new configuration of an organization. `sealed_key` is sealed under its `secret_id`."""
    await conn.execute(model_configurations.insert(), {**_values(configuration), "sealed": sealed_key})


async def replace(conn: AsyncConnection, configuration: ModelConfiguration) -> None:
    """Put `configuration` in the place of the one with its id; the sealed key stays as it is."""
    await conn.execute(
        update(model_configurations)
        .where(model_configurations.c.id == configuration.id)
        .values(_values(configuration))
    )


async def replace_key(
    conn: AsyncConnection, configuration_id: ModelConfigurationId, key: SealedValue | None
) -> None:
    """Keep this sealed key, and no other, for the configuration; None forgets the one it has."""
    secret_id, sealed = key or (None, None)
    await conn.execute(
        update(model_configurations)
        .where(model_configurations.c.id == configuration_id)
        .values(secret_id=secret_id, sealed=sealed)
    )


async def sealed_key(
    conn: AsyncConnection, organization_id: OrganizationId, configuration_id: ModelConfigurationId
) -> SealedValue | None:
    """The configuration's API key and the id it is sealed under; None when it has none of its own."""
    row = (
        await conn.execute(
            select(model_configurations.c.secret_id, model_configurations.c.sealed).where(
                *_own(organization_id, configuration_id)
            )
        )
    ).one_or_none()
    return None if row is None or row.secret_id is None else (SecretId(row.secret_id), row.sealed)


async def delete(conn: AsyncConnection, configuration_id: ModelConfigurationId) -> None:
    await conn.execute(model_configurations.delete().where(model_configurations.c.id == configuration_id))


async def uses(
    conn: AsyncConnection, organization_id: OrganizationId, configuration_id: ModelConfigurationId
) -> tuple[int, int]:
    """How many workflows, by themselves or by a check, and how many unfinished runs name it."""
    checked = select(post_run_checks.c.workflow_id).where(
        post_run_checks.c.organization_id == organization_id,
        post_run_checks.c.settings["model"].as_string() == str(configuration_id),
    )
    naming_workflows = select(func.count()).where(
        workflows.c.organization_id == organization_id,
        workflows.c.deleted_at.is_(None),
        _named(workflows.c.model_metadata, configuration_id) | workflows.c.id.in_(checked),
    )
    naming_runs = select(func.count()).where(
        runs.c.organization_id == organization_id,
        runs.c.status.not_in([status.value for status in TERMINAL]),
        _named(runs.c.model_metadata, configuration_id),
    )
    return (
        (await conn.execute(naming_workflows)).scalar_one(),
        (await conn.execute(naming_runs)).scalar_one(),
    )


def _named(metadata: ColumnElement[Any], configuration_id: ModelConfigurationId) -> ColumnElement[bool]:
    return or_(*(metadata[role].as_string() == str(configuration_id) for role in ROLES))


def _own(
    organization_id: OrganizationId, configuration_id: ModelConfigurationId
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        model_configurations.c.id == configuration_id,
        model_configurations.c.organization_id == organization_id,
    )


def _values(configuration: ModelConfiguration) -> dict[str, Any]:
    return {column.name: getattr(configuration, column.name) for column in COLUMNS}
