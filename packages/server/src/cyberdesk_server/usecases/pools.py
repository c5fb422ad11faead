"""Making, changing and deleting pools, and putting machines into them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, PoolId, RunId
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.pools import Pool
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import machines, pools, secrets
from cyberdesk_server.usecases.endings import end_demanding
from cyberdesk_server.usecases.sealing import SensitiveParameters, aliases, seal_change, seal_given


async def create(
    conn: AsyncConnection,
    fields: Mapping[str, Any],
    *,
    sensitive_parameters: SensitiveParameters | None,
    organization_id: OrganizationId,
    vault: Vault,
    now: datetime,
) -> Pool:
    """A pool without machines. `fields` are members of `Pool`."""
    sealed = await seal_given(vault, organization_id, sensitive_parameters)
    pool = Pool(
        id=PoolId(uuid4()),
        organization_id=organization_id,
        created_at=now,
        updated_at=now,
        sensitive_parameter_aliases=aliases(sealed) or None,
        **fields,
    )
    await pools.add(conn, pool)
    await secrets.add_for_pool(conn, organization_id, pool.id, sealed)
    return pool


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    pool_id: PoolId,
    changes: Mapping[str, Any],
    *,
    sensitive_parameters: SensitiveParameters | None,
    vault: Vault,
    now: datetime,
) -> Pool:
    """The pool with these fields changed. Raises `Unknown`.

    Without `sensitive_parameters` the secrets stay as they are.
    """
    before = await _get(conn, organization_id, pool_id)
    if sensitive_parameters is not None:
        change = await seal_change(
            vault, organization_id, before.sensitive_parameter_aliases, sensitive_parameters
        )
        await secrets.forget_pool(conn, pool_id, change.gone)
        await secrets.add_for_pool(conn, organization_id, pool_id, change.sealed)
        changes = {**changes, "sensitive_parameter_aliases": change.aliases}
    if changes:
        await pools.update_fields(conn, pool_id, {**changes, "updated_at": now})
    return await _get(conn, organization_id, pool_id)


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, pool_id: PoolId, *, now: datetime
) -> tuple[RunId, ...]:
    """Remove the pool; its machines stay, and runs that waited for a machine in it end with an error.

    Returns the runs that ended by this. Raises `Unknown`.
    """
    await _get(conn, organization_id, pool_id)
    await secrets.forget_pool(conn, pool_id)
    lost = await pools.delete(conn, pool_id)
    reason = f"pool {pool_id}, which this run named, was deleted"
    return await end_demanding(conn, lost, reason=reason, now=now)


async def add_machines(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    pool_id: PoolId,
    machine_ids: Collection[MachineId],
) -> Pool:
    """The pool with these machines in it besides. Raises `Unknown` for the pool and for a machine."""
    await _get(conn, organization_id, pool_id)
    await _require_machines(conn, organization_id, machine_ids)
    await pools.add_machines(conn, pool_id, machine_ids)
    return await _get(conn, organization_id, pool_id)


async def remove_machines(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    pool_id: PoolId,
    machine_ids: Collection[MachineId],
) -> None:
    """Take these machines out of the pool. Raises `Unknown` for the pool and for a machine."""
    await _get(conn, organization_id, pool_id)
    await _require_machines(conn, organization_id, machine_ids)
    await pools.remove_machines(conn, pool_id, machine_ids)


async def replace_for_machine(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    machine_id: MachineId,
    pool_ids: Collection[PoolId],
) -> Machine:
    """The machine, which is in these pools now and in no other. Raises `Unknown` for it and for a pool."""
    machine = await machines.get(conn, organization_id, machine_id, for_update=True)
    if machine is None:
        raise Unknown("machine", machine_id)
    for unknown in await pools.unknown(conn, organization_id, pool_ids):
        raise Unknown("pool", unknown)
    await pools.replace_for_machine(conn, machine_id, pool_ids)
    return machine


async def _get(conn: AsyncConnection, organization_id: OrganizationId, pool_id: PoolId) -> Pool:
    pool = await pools.get(conn, organization_id, pool_id, for_update=True)
    if pool is None:
        raise Unknown("pool", pool_id)
    return pool


async def _require_machines(
    conn: AsyncConnection, organization_id: OrganizationId, machine_ids: Collection[MachineId]
) -> None:
    for unknown in await machines.unknown(conn, organization_id, machine_ids):
        raise Unknown("machine", unknown)
