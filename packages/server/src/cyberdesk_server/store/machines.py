"""Machines and the tunnels that speak for them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, Text, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.connections import ConnectionStatus
from cyberdesk_server.domain.ids import (
    ApiKeyId,
    ConnectionId,
    MachineId,
    OrganizationId,
    RunId,
    ServerId,
)
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.ownership import not_among
from cyberdesk_server.store.search import contains
from cyberdesk_server.store.tables import connections, machines
from cyberdesk_server.store.upsert import insert

__all__ = [
    "Machine",
    "add",
    "connect",
    "connected_elsewhere",
    "delete",
    "disconnect",
    "disconnect_all",
    "find",
    "free",
    "get",
    "parameter_names",
    "seen",
    "take_lost",
    "unknown",
    "update_fields",
]


async def get(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    machine_id: MachineId,
    *,
    for_update: bool = False,
) -> Machine | None:
    """The machine, or None when the organization has no such machine.

    With `for_update` nobody else changes or deletes it until the transaction ends.
    """
    query = select(machines).where(machines.c.id == machine_id, machines.c.organization_id == organization_id)
    row = (await conn.execute(query.with_for_update() if for_update else query)).one_or_none()
    return None if row is None else machine_from(row)


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    search: str | None = None,
    name: str | None = None,
    status: MachineStatus | None = None,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    ids: Sequence[MachineId] | None = None,
    skip: int = 0,
    limit: int = 100,
) -> tuple[tuple[Machine, ...], int]:
    """One page, newest first, and how many there are in all.

    `search` is a part of id, name or host name in any case, `name` the whole name.
    The dates are inclusive.
    """
    wanted: list[ColumnElement[bool]] = [machines.c.organization_id == organization_id]
    if search is not None:
        places = (cast(machines.c.id, Text), machines.c.name, machines.c.hostname)
        wanted.append(contains(search, *places))
    if name is not None:
        wanted.append(machines.c.name == name)
    if status is not None:
        wanted.append(machines.c.status == status.value)
    if created_from is not None:
        wanted.append(machines.c.created_at >= created_from)
    if created_to is not None:
        wanted.append(machines.c.created_at <= created_to)
    if ids is not None:
        wanted.append(machines.c.id.in_(ids))
    total = (await conn.execute(select(func.count()).select_from(machines).where(*wanted))).scalar_one()
    rows = await conn.execute(
        select(machines)
        .where(*wanted)
        .order_by(machines.c.created_at.desc(), machines.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return tuple(machine_from(row) for row in rows), total


async def add(conn: AsyncConnection, machine: Machine) -> bool:
    """Write a new machine. False when the organization already has one with this fingerprint."""
    written = await conn.execute(
        insert(conn, machines)
        .values(_values(machine))
        .on_conflict_do_nothing(index_elements=["organization_id", "fingerprint"])
    )
    return written.rowcount == 1


async def connect(
    conn: AsyncConnection,
    *,
    organization_id: OrganizationId,
    api_key_id: ApiKeyId,
    fingerprint: str,
    name: str | None,
    hostname: str | None,
    version: str | None,
    features: frozenset[str],
    peer_id: str | None = None,
    connection_id: ConnectionId,
    server_id: ServerId,
    ip_address: str | None,
    user_agent: str | None,
    now: datetime,
) -> Machine:
    """The machine of this fingerprint, made when it is new, from now on spoken for by `connection_id`
    at this server.

    The newest connection wins: an older one is closed in the same transaction. A name, host name or
    version that the driver does not tell keeps its last value.
    """
    told = {"name": name, "hostname": hostname, "version": version}
    now_current = {
        "unkey_key_id": str(api_key_id),
        "status": MachineStatus.CONNECTED.value,
        "connection_id": connection_id,
        "server_id": server_id,
        "features": sorted(features),
        "peer_id": peer_id,
        "last_seen": now,
        "is_watched": True,
    }
    statement = insert(conn, machines).values(
        id=uuid4(),
        organization_id=organization_id,
        fingerprint=fingerprint,
        created_at=now,
        **told,
        **now_current,
    )
    known = {field: value for field, value in told.items() if value is not None}
    row = (
        await conn.execute(
            statement.on_conflict_do_update(
                index_elements=["organization_id", "fingerprint"], set_={**now_current, **known}
            ).returning(machines)
        )
    ).one()
    machine = machine_from(row)
    await _close_connections(conn, machines_=connections.c.machine_id == machine.id, now=now)
    await conn.execute(
        insert(conn, connections).values(
            id=connection_id,
            organization_id=organization_id,
            machine_id=machine.id,
            websocket_id=str(connection_id),
            ip_address=ip_address,
            user_agent=user_agent,
            status=ConnectionStatus.CONNECTED.value,
            connected_at=now,
            last_ping=now,
        )
    )
    return machine


async def disconnect(
    conn: AsyncConnection, machine_id: MachineId, *, connection_id: ConnectionId, now: datetime
) -> bool:
    """The tunnel is gone. False when a newer one had already taken its place."""
    await _close_connections(conn, machines_=connections.c.id == connection_id, now=now)
    gone = await conn.execute(
        update(machines)
        .where(machines.c.id == machine_id, machines.c.connection_id == connection_id)
        .values(status=MachineStatus.DISCONNECTED.value, connection_id=None, server_id=None, last_seen=now)
    )
    return gone.rowcount == 1


async def seen(
    conn: AsyncConnection, server_id: ServerId, *, now: datetime
) -> Mapping[MachineId, ConnectionId]:
    """The machines that are connected to this server gave a sign of life; which, and their tunnels."""
    rows = await conn.execute(
        update(machines)
        .where(machines.c.server_id == server_id)
        .values(last_seen=now)
        .returning(machines.c.id, machines.c.connection_id)
    )
    its_tunnels = select(machines.c.connection_id).where(machines.c.server_id == server_id)
    await conn.execute(update(connections).where(connections.c.id.in_(its_tunnels)).values(last_ping=now))
    return {row.id: row.connection_id for row in rows}


async def connected_elsewhere(
    conn: AsyncConnection, ids: Collection[MachineId], server_id: ServerId
) -> frozenset[MachineId]:
    """Those of the machines that are connected to another server than this."""
    rows = await conn.execute(
        select(machines.c.id).where(machines.c.id.in_(ids), machines.c.server_id != server_id)
    )
    return frozenset(rows.scalars())


async def disconnect_all(conn: AsyncConnection, server_id: ServerId, *, now: datetime) -> int:
    """The server that held these tunnels is gone; how many machines are disconnected by it."""
    its_own = machines.c.server_id == server_id
    its_tunnels = select(machines.c.connection_id).where(its_own)
    await _close_connections(conn, machines_=connections.c.id.in_(its_tunnels), now=now)
    gone = await conn.execute(
        update(machines)
        .where(its_own)
        .values(status=MachineStatus.DISCONNECTED.value, connection_id=None, server_id=None)
    )
    return gone.rowcount


async def take_lost(conn: AsyncConnection, *, before: datetime) -> tuple[Machine, ...]:
    """The machines that were connected, have given no sign since then, and are to be told of.

    Each is taken once until it is connected again. Those of an organization follow each other."""
    rows = await conn.execute(
        update(machines)
        .where(
            machines.c.is_watched,
            machines.c.status != MachineStatus.CONNECTED.value,
            machines.c.alerts_enabled,
            machines.c.last_seen <= before,
        )
        .values(is_watched=False)
        .returning(machines)
    )
    return tuple(sorted(map(machine_from, rows), key=lambda machine: (machine.organization_id, machine.id)))


async def update_fields(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    machine_id: MachineId,
    changes: Mapping[str, Any],
) -> Machine | None:
    """The machine with these columns changed; None when the organization has no such machine."""
    if not changes:
        return await get(conn, organization_id, machine_id)
    row = (
        await conn.execute(
            update(machines)
            .where(machines.c.id == machine_id, machines.c.organization_id == organization_id)
            .values(**changes)
            .returning(machines)
        )
    ).one_or_none()
    return None if row is None else machine_from(row)


async def delete(conn: AsyncConnection, organization_id: OrganizationId, machine_id: MachineId) -> bool:
    """Remove a machine nobody holds, its connections and secrets; its runs stay, without a machine.

    False when there is no such machine or a run holds it.
    """
    gone = await conn.execute(
        machines.delete().where(
            machines.c.id == machine_id,
            machines.c.organization_id == organization_id,
            machines.c.held_by_run_id.is_(None),
        )
    )
    return gone.rowcount == 1


async def free(conn: AsyncConnection, run_ids: Collection[RunId]) -> None:
    """The machines that these runs hold, those that do, are free for the next."""
    await conn.execute(_FREE, {"run_ids": list(run_ids)})


async def unknown(
    conn: AsyncConnection, organization_id: OrganizationId, ids: Collection[MachineId]
) -> tuple[MachineId, ...]:
    """Those of `ids` that are no machine of the organization; the others stay until the transaction ends."""
    return await not_among(conn, machines, organization_id, ids)


async def parameter_names(
    conn: AsyncConnection, organization_id: OrganizationId
) -> tuple[frozenset[str], frozenset[str]]:
    """Names of the parameters, and of the sensitive ones, that any machine of the organization has."""
    rows = await conn.execute(
        select(machines.c.machine_parameters, machines.c.sensitive_parameter_aliases).where(
            machines.c.organization_id == organization_id,
            machines.c.machine_parameters.is_not(None) | machines.c.sensitive_parameter_aliases.is_not(None),
        )
    )
    plain: set[str] = set()
    sensitive: set[str] = set()
    for parameters, aliases in rows:
        plain.update(parameters or ())
        sensitive.update(aliases or ())
    return frozenset(plain), frozenset(sensitive)


async def _close_connections(conn: AsyncConnection, *, machines_: ColumnElement[bool], now: datetime) -> None:
    await conn.execute(
        update(connections)
        .where(machines_, connections.c.disconnected_at.is_(None))
        .values(status=ConnectionStatus.DISCONNECTED.value, disconnected_at=now)
    )


def machine_from(row: Row[Any]) -> Machine:
    """The value of a row of `machines`, which may hold other columns besides."""
    by_name = row._mapping
    fields = {name: by_name[name] for name in _NAMES}
    fields["status"] = MachineStatus(fields["status"])
    fields["features"] = frozenset(fields["features"])
    return Machine(**fields)


def _values(machine: Machine) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(machine, name) for name in _NAMES}
    return values | {"status": machine.status.value, "features": sorted(machine.features)}


_NAMES = [column.name for column in machines.c if column.name != "is_watched"]
_FREE = update(machines).where(among(machines.c.held_by_run_id, "run_ids")).values(held_by_run_id=None)
