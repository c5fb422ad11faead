"""Sealed secrets of runs and machines. What is sealed is the JSON text of the value."""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId, SecretId
from cyberdesk_server.store.tables import runs, secrets

Sealed = Mapping[str, tuple[SecretId, bytes]]
"""By name: under which id a secret was sealed, and the sealed JSON text of its value."""


async def for_run(conn: AsyncConnection, run_id: RunId) -> Sealed:
    """What the run may type: its own secrets and those of its machine, the machine's winning."""
    rows = await conn.execute(
        select(secrets.c.name, secrets.c.id, secrets.c.sealed)
        .select_from(
            runs.join(secrets, (secrets.c.run_id == runs.c.id) | (secrets.c.machine_id == runs.c.machine_id))
        )
        .where(runs.c.id == run_id)
        .order_by(secrets.c.machine_id.is_not(None))
    )
    return {row.name: (SecretId(row.id), row.sealed) for row in rows}


async def add_for_run(
    conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId, sealed: Sealed
) -> None:
    await _add(conn, sealed, organization_id=organization_id, run_id=run_id)


async def add_for_machine(
    conn: AsyncConnection, organization_id: OrganizationId, machine_id: MachineId, sealed: Sealed
) -> None:
    await _add(conn, sealed, organization_id=organization_id, machine_id=machine_id)


async def _add(conn: AsyncConnection, sealed: Sealed, **owner: OrganizationId | RunId | MachineId) -> None:
    rows = [{"id": id_, "name": name, "sealed": content, **owner} for name, (id_, content) in sealed.items()]
    if rows:
        await conn.execute(secrets.insert(), rows)


async def forget_run(conn: AsyncConnection, run_id: RunId) -> None:
    """Remove a run's secrets; its aliases stay on the run."""
    await conn.execute(delete(secrets).where(secrets.c.run_id == run_id))


async def forget_machine(
    conn: AsyncConnection, machine_id: MachineId, names: Collection[str] | None = None
) -> None:
    """Remove a machine's secrets of these names, or all of them."""
    chosen = delete(secrets).where(secrets.c.machine_id == machine_id)
    await conn.execute(chosen if names is None else chosen.where(secrets.c.name.in_(names)))
