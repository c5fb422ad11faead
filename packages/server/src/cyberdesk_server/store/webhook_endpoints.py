"""Endpoints of webhooks, their secrets sealed beside them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, SecretId, WebhookEndpointId
from cyberdesk_server.domain.webhooks import WebhookDisabledReason, WebhookEndpoint, WebhookEventType
from cyberdesk_server.store.secrets import SealedValue
from cyberdesk_server.store.tables import webhook_endpoints

SECRETS = ("sealed", "old_secret_id", "old_sealed")
COLUMNS = [column for column in webhook_endpoints.c if column.name not in SECRETS]


async def get(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    endpoint_id: WebhookEndpointId,
    *,
    for_update: bool = False,
) -> WebhookEndpoint | None:
    """The endpoint, or None when the organization has no such endpoint.

    With `for_update` nobody else changes it until the transaction ends.
    """
    query = select(*COLUMNS).where(*_own(organization_id, endpoint_id))
    row = (await conn.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if row is None else _endpoint(row)


async def find(
    conn: AsyncConnection, organization_id: OrganizationId, *, skip: int = 0, limit: int = 100
) -> tuple[tuple[WebhookEndpoint, ...], int]:
    """One page, newest first, and how many there are in all."""
    own = webhook_endpoints.c.organization_id == organization_id
    count = select(func.count()).select_from(webhook_endpoints).where(own)
    total = (await conn.execute(count)).scalar_one()
    rows = await conn.execute(
        select(*COLUMNS)
        .where(own)
        .order_by(webhook_endpoints.c.created_at.desc(), webhook_endpoints.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return tuple(map(_endpoint, rows)), total


async def enabled_in(
    conn: AsyncConnection, organization_ids: Collection[OrganizationId]
) -> tuple[WebhookEndpoint, ...]:
    """All endpoints of these organizations that are not disabled, nor will be until the transaction ends."""
    rows = await conn.execute(
        select(*COLUMNS)
        .where(
            webhook_endpoints.c.organization_id.in_(organization_ids),
            webhook_endpoints.c.disabled_at.is_(None),
        )
        .order_by(webhook_endpoints.c.id)
        .with_for_update(read=True)
    )
    return tuple(map(_endpoint, rows))


async def held(
    conn: AsyncConnection, ids: Collection[WebhookEndpointId]
) -> Mapping[WebhookEndpointId, WebhookEndpoint]:
    """These endpoints, save those that are gone; nobody else changes them until the transaction ends."""
    rows = await conn.execute(
        select(*COLUMNS)
        .where(webhook_endpoints.c.id.in_(ids))
        .order_by(webhook_endpoints.c.id)
        .with_for_update()
    )
    return {endpoint.id: endpoint for endpoint in map(_endpoint, rows)}


async def secrets(
    conn: AsyncConnection, organization_id: OrganizationId, endpoint_id: WebhookEndpointId
) -> tuple[SealedValue, SealedValue | None] | None:
    """The sealed secret, and the one before it if that was kept; None when there is no such endpoint."""
    row = (
        await conn.execute(select(webhook_endpoints).where(*_own(organization_id, endpoint_id)))
    ).one_or_none()
    return None if row is None else sealed_in(row)


async def add(conn: AsyncConnection, endpoint: WebhookEndpoint, sealed_secret: bytes) -> None:
    """Write a new endpoint."""
    await conn.execute(webhook_endpoints.insert(), {**_values(endpoint), "sealed": sealed_secret})


async def replace(conn: AsyncConnection, endpoint: WebhookEndpoint) -> None:
    """Write what is known of the endpoint, save its secrets."""
    await conn.execute(
        update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint.id).values(_values(endpoint))
    )


async def set_secret(
    conn: AsyncConnection, endpoint_id: WebhookEndpointId, secret: SealedValue, *, old_valid_until: datetime
) -> None:
    """Sign with this secret, and until then with the one that was there as well."""
    table = webhook_endpoints.c
    await conn.execute(
        update(webhook_endpoints)
        .where(table.id == endpoint_id)
        .values(
            old_secret_id=table.secret_id,
            old_sealed=table.sealed,
            old_secret_valid_until=old_valid_until,
            secret_id=secret[0],
            sealed=secret[1],
        )
    )


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, endpoint_id: WebhookEndpointId
) -> bool:
    """Remove the endpoint with its deliveries. False when the organization has no such endpoint."""
    gone = await conn.execute(webhook_endpoints.delete().where(*_own(organization_id, endpoint_id)))
    return gone.rowcount == 1


def sealed_in(row: Row[Any]) -> tuple[SealedValue, SealedValue | None]:
    """The sealed secrets in a row that has all columns."""
    old = None if row.old_secret_id is None else (SecretId(row.old_secret_id), row.old_sealed)
    return (SecretId(row.secret_id), row.sealed), old


def _own(organization_id: OrganizationId, endpoint_id: WebhookEndpointId) -> list[ColumnElement[bool]]:
    return [webhook_endpoints.c.id == endpoint_id, webhook_endpoints.c.organization_id == organization_id]


def _values(endpoint: WebhookEndpoint) -> dict[str, Any]:
    values = {column.name: getattr(endpoint, column.name) for column in COLUMNS}
    reason = endpoint.disabled_reason
    return values | {
        "event_types": [event_type.value for event_type in endpoint.event_types],
        "disabled_reason": None if reason is None else reason.value,
    }


def _endpoint(row: Row[Any]) -> WebhookEndpoint:
    fields = dict(row._mapping)
    reason = fields["disabled_reason"]
    return WebhookEndpoint(
        **fields
        | {
            "event_types": tuple(map(WebhookEventType, fields["event_types"])),
            "disabled_reason": None if reason is None else WebhookDisabledReason(reason),
        }
    )
