"""Registering, changing and deleting machines. They usually appear by themselves, when a driver connects."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.domain.refusals import FingerprintTaken, MachineIsBusy, Unknown
from cyberdesk_server.domain.runs import demand_of_machine
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import machines, secrets, sessions
from cyberdesk_server.usecases.endings import end_demanding, end_session
from cyberdesk_server.usecases.sealing import SensitiveParameters, aliases, seal_change, seal_given


async def create(
    conn: AsyncConnection,
    fields: Mapping[str, Any],
    *,
    sensitive_parameters: SensitiveParameters | None,
    organization_id: OrganizationId,
    vault: Vault,
    now: datetime,
) -> Machine:
    """A machine nobody has connected from yet. `fields` are members of `Machine`.

    Raises `FingerprintTaken` when the organization has one with this fingerprint.
    """
    sealed = await seal_given(vault, organization_id, sensitive_parameters)
    machine = Machine(
        id=MachineId(uuid4()),
        organization_id=organization_id,
        status=MachineStatus.DISCONNECTED,
        created_at=now,
        last_seen=now,
        sensitive_parameter_aliases=aliases(sealed) or None,
        **fields,
    )
    if not await machines.add(conn, machine):
        raise FingerprintTaken(machine.fingerprint)
    await secrets.add_for_machine(conn, organization_id, machine.id, sealed)
    return machine


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    machine_id: MachineId,
    changes: Mapping[str, Any],
    *,
    sensitive_parameters: SensitiveParameters | None,
    vault: Vault,
    now: datetime,
) -> tuple[Machine, tuple[RunId, ...]]:
    """The machine with these fields changed, and the runs that ended by it. Raises `Unknown`.

    Without `sensitive_parameters` the secrets stay as they are.
    Without its `reserved_session_id` a machine is free for others: the session ends, and what waits in it
    is cancelled.
    """
    before = await machines.get(conn, organization_id, machine_id, for_update=True)
    if before is None:
        raise Unknown("machine", machine_id)
    if sensitive_parameters is not None:
        change = await seal_change(
            vault, organization_id, before.sensitive_parameter_aliases, sensitive_parameters
        )
        await secrets.forget_machine(conn, machine_id, change.gone)
        await secrets.add_for_machine(conn, organization_id, machine_id, change.sealed)
        changes = {**changes, "sensitive_parameter_aliases": change.aliases}
    ended: tuple[RunId, ...] = ()
    if "reserved_session_id" in changes:
        for session in await sessions.reserving(conn, machine_id):
            ended += await end_session(conn, session, reason="the session was cleared", now=now)
    after = await machines.update_fields(conn, organization_id, machine_id, changes)
    if after is None:
        raise Unknown("machine", machine_id)
    return after, ended


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, machine_id: MachineId, *, now: datetime
) -> tuple[RunId, ...]:
    """Remove the machine; its ended runs stay without one, and runs that waited for it end with an error.

    Returns the runs that ended by this. Raises `Unknown`, and `MachineIsBusy` while a run is on it.
    """
    if await machines.get(conn, organization_id, machine_id) is None:
        raise Unknown("machine", machine_id)
    reason = "the machine this run waited for was deleted"
    reserving = await sessions.reserving(conn, machine_id)
    ended = await end_demanding(conn, [demand_of_machine(machine_id)], reserving, reason=reason, now=now)
    await secrets.forget_machine(conn, machine_id)
    if not await machines.delete(conn, organization_id, machine_id):
        raise MachineIsBusy(machine_id)
    return ended
