"""Credentials at the providers of models, at most one for each organization and slot."""

from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, SecretId
from cyberdesk_server.domain.provider_credentials import (
    AuthType,
    CredentialStatus,
    ProviderCredential,
    ProviderSlot,
)
from cyberdesk_server.store.secrets import SealedValue
from cyberdesk_server.store.tables import provider_credentials
from cyberdesk_server.store.upsert import insert

COLUMNS = [column for column in provider_credentials.c if column.name != "sealed"]
KEY = ("organization_id", "slot")


async def find(conn: AsyncConnection, organization_id: OrganizationId) -> tuple[ProviderCredential, ...]:
    """All that the organization has, by slot."""
    rows = await conn.execute(
        select(*COLUMNS)
        .where(provider_credentials.c.organization_id == organization_id)
        .order_by(provider_credentials.c.slot)
    )
    return tuple(_credential(row) for row in rows)


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, slot: ProviderSlot
) -> ProviderCredential | None:
    row = (await conn.execute(select(*COLUMNS).where(*_at(organization_id, slot)))).one_or_none()
    return None if row is None else _credential(row)


async def sealed(
    conn: AsyncConnection, organization_id: OrganizationId, slot: ProviderSlot
) -> tuple[AuthType, SealedValue] | None:
    """The sealed secret and its kind; None when the organization has no credential in this slot."""
    row = (await conn.execute(select(provider_credentials).where(*_at(organization_id, slot)))).one_or_none()
    return None if row is None else (AuthType(row.auth_type), (SecretId(row.secret_id), row.sealed))


async def put(conn: AsyncConnection, credential: ProviderCredential, sealed_secret: bytes) -> None:
    """Write the credential, in the place of the one in its slot when there is one."""
    row = {**_values(credential), "sealed": sealed_secret}
    once = insert(conn, provider_credentials)
    replaced = {name: once.excluded[name] for name in row if name not in KEY}
    await conn.execute(once.on_conflict_do_update(index_elements=KEY, set_=replaced), row)


async def replace(conn: AsyncConnection, credential: ProviderCredential) -> bool:
    """Write what is known of the credential. False when another secret is in its slot by now, or none."""
    written = await conn.execute(
        update(provider_credentials)
        .where(
            *_at(credential.organization_id, credential.slot),
            provider_credentials.c.secret_id == credential.secret_id,
        )
        .values(_values(credential))
    )
    return written.rowcount == 1


async def delete(conn: AsyncConnection, organization_id: OrganizationId, slot: ProviderSlot) -> bool:
    """Forget the credential and its secret. False when there was none."""
    gone = await conn.execute(provider_credentials.delete().where(*_at(organization_id, slot)))
    return gone.rowcount == 1


def _at(
    organization_id: OrganizationId, slot: ProviderSlot
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        provider_credentials.c.organization_id == organization_id,
        provider_credentials.c.slot == slot.value,
    )


def _values(credential: ProviderCredential) -> dict[str, Any]:
    values = {column.name: getattr(credential, column.name) for column in COLUMNS}
    return values | {
        "slot": credential.slot.value,
        "auth_type": credential.auth_type.value,
        "status": credential.status.value,
    }


def _credential(row: Row[Any]) -> ProviderCredential:
    fields = dict(row._mapping)
    return ProviderCredential(
        **fields
        | {
            "slot": ProviderSlot(fields["slot"]),
            "auth_type": AuthType(fields["auth_type"]),
            "status": CredentialStatus(fields["status"]),
        }
    )
