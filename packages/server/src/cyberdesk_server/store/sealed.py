"""Everything the server has sealed, wherever it is kept: for a change of the master key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.sealed import is_elsewhere
from cyberdesk_server.store.tables import (
    model_configurations,
    provider_credentials,
    secrets,
    webhook_endpoints,
)


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed secrets, and that of the ids they are sealed under. A test misses none."""

    sealed: Column[Any]
    secret_id: Column[Any]


SEALED_COLUMNS = (
    SealedColumn(secrets.c.sealed, secrets.c.id),
    SealedColumn(model_configurations.c.sealed, model_configurations.c.secret_id),
    SealedColumn(provider_credentials.c.sealed, provider_credentials.c.secret_id),
    SealedColumn(webhook_endpoints.c.sealed, webhook_endpoints.c.secret_id),
    SealedColumn(webhook_endpoints.c.old_sealed, webhook_endpoints.c.old_secret_id),
)


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """One of them."""

    secret_id: SecretId
    organization_id: OrganizationId
    sealed: bytes


async def page(
    conn: AsyncConnection, column: SealedColumn, *, after: UUID, most: int
) -> tuple[SealedSecret, ...]:
    """At most so many that follow this id, in the order of their ids, also those that are kept elsewhere."""
    rows = await conn.execute(
        select(column.secret_id, column.sealed.table.c.organization_id, column.sealed)
        .where(column.secret_id > after, column.sealed.is_not(None))
        .order_by(column.secret_id)
        .limit(most)
    )
    return tuple(SealedSecret(*row) for row in rows)


async def replace(conn: AsyncConnection, column: SealedColumn, others: Mapping[SealedSecret, bytes]) -> None:
    """Put these in the place of what was read; what has changed or gone since then stays as it is."""
    assert not any(is_elsewhere(one.sealed) for one in others)
    rows = [{"which": one.secret_id, "before": one.sealed, "after": sealed} for one, sealed in others.items()]
    if rows:
        await conn.execute(
            update(column.sealed.table)
            .where(column.secret_id == bindparam("which"), column.sealed == bindparam("before"))
            .values({column.sealed: bindparam("after")}),
            rows,
        )
