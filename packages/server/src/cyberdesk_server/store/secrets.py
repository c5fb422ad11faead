"""Sealed secrets of runs, machines and pools. What is sealed is the JSON text of the value.

Where a secret is kept elsewhere the row has its place, and the last word on the place: `store.places`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, PoolId, RunId, SecretId
from cyberdesk_server.domain.runs import TERMINAL
from cyberdesk_server.store import places
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.tables import runs, secrets

SealedValue = tuple[SecretId, bytes]
"""Under which id a secret was sealed, and the sealed JSON text of its value."""

Sealed = Mapping[str, SealedValue]
"""Sealed secrets by name."""


async def for_run(conn: AsyncConnection, run_id: RunId) -> Sealed:
    """What the run may type: its own secrets, those of its machine and of the pools it names.

    The machine's win over the run's, the run's over the pools', and of the pools the one named first.
    """
    named = (await conn.execute(select(runs.c.pool_ids).where(runs.c.id == run_id))).scalar_one_or_none()
    pool_ids = [PoolId(UUID(pool_id)) for pool_id in named or ()]
    of_run, of_machine = secrets.c.run_id == runs.c.id, secrets.c.machine_id == runs.c.machine_id
    rows = await conn.execute(
        select(secrets)
        .select_from(runs.join(secrets, of_run | of_machine | secrets.c.pool_id.in_(pool_ids)))
        .where(runs.c.id == run_id)
    )

    def strength(row: Row[Any]) -> int:
        if row.pool_id is not None:
            return -1 - pool_ids.index(row.pool_id)
        return 0 if row.machine_id is None else 1

    return {row.name: (SecretId(row.id), row.sealed) for row in sorted(rows, key=strength)}


async def add_for_run(
    conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId, sealed: Sealed
) -> None:
    await add_for_runs(conn, organization_id, {run_id: sealed})


async def add_for_runs(
    conn: AsyncConnection, organization_id: OrganizationId, sealed: Mapping[RunId, Sealed]
) -> None:
    rows = [
        {"id": id_, "organization_id": organization_id, "run_id": run_id, "name": name, "sealed": content}
        for run_id, of_run in sealed.items()
        for name, (id_, content) in of_run.items()
    ]
    await _insert(conn, rows)


async def add_for_machine(
    conn: AsyncConnection, organization_id: OrganizationId, machine_id: MachineId, sealed: Sealed
) -> None:
    await _add(conn, sealed, organization_id=organization_id, machine_id=machine_id)


async def add_for_pool(
    conn: AsyncConnection, organization_id: OrganizationId, pool_id: PoolId, sealed: Sealed
) -> None:
    await _add(conn, sealed, organization_id=organization_id, pool_id=pool_id)


async def _add(conn: AsyncConnection, sealed: Sealed, **owner: OrganizationId | MachineId | PoolId) -> None:
    rows = [{"id": id_, "name": name, "sealed": content, **owner} for name, (id_, content) in sealed.items()]
    await _insert(conn, rows)


async def _insert(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await conn.execute(secrets.insert(), rows)
        await places.use(conn, (row["sealed"] for row in rows))


async def forget_runs(conn: AsyncConnection, run_ids: Collection[RunId]) -> None:
    """Remove the secrets of these runs; their aliases stay on them."""
    if run_ids:
        await _discard(conn, await conn.execute(_FORGET_RUNS, {"run_ids": list(run_ids)}))


async def forget_ended(conn: AsyncConnection) -> int:
    """Remove the secrets of all runs that have ended; how many there were. Each end has done so already."""
    ended = select(runs.c.id).where(runs.c.status.in_(sorted(status.value for status in TERMINAL)))
    gone = await conn.execute(delete(secrets).where(secrets.c.run_id.in_(ended)).returning(*_GONE))
    return await _discard(conn, gone)


async def forget_machine(
    conn: AsyncConnection, machine_id: MachineId, names: Collection[str] | None = None
) -> None:
    """Remove a machine's secrets of these names, or all of them."""
    await _forget(conn, secrets.c.machine_id == machine_id, names)


async def forget_pool(conn: AsyncConnection, pool_id: PoolId, names: Collection[str] | None = None) -> None:
    """Remove a pool's secrets of these names, or all of them."""
    await _forget(conn, secrets.c.pool_id == pool_id, names)


async def _forget(conn: AsyncConnection, whose: ColumnElement[bool], names: Collection[str] | None) -> None:
    chosen = delete(secrets).where(whose).returning(*_GONE)
    await _discard(
        conn, await conn.execute(chosen if names is None else chosen.where(secrets.c.name.in_(names)))
    )


async def _discard(conn: AsyncConnection, gone: CursorResult[Any]) -> int:
    owned = [(row.organization_id, row.sealed) for row in gone]
    await places.discard(conn, owned)
    return len(owned)


_GONE = secrets.c.organization_id, secrets.c.sealed
# Built once: each ended run asks for it.
_FORGET_RUNS = delete(secrets).where(among(secrets.c.run_id, "run_ids")).returning(*_GONE)
