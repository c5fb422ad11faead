"""Registering, changing and deleting machines. They usually appear by themselves, when a driver connects."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.domain.refusals import FingerprintTaken, MachineIsBusy, Unknown
from cyberdesk_server.domain.runs import demand
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import machines, runs, secrets
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
) -> Machine:
    """The machine with these fields changed. Raises `Unknown`.

    Without `sensitive_parameters` the secrets stay as they are.
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
    after = await machines.update_fields(conn, organization_id, machine_id, changes)
    if after is None:
        raise Unknown("machine", machine_id)
    return after


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, machine_id: MachineId, *, now: datetime
) -> tuple[RunId, ...]:
    """Remove the machine; its ended runs stay without one, and runs that waited for it end with an error.

    Returns the runs that ended by this. Raises `Unknown`, and `MachineIsBusy` while a run is on it.
    """
    if await machines.get(conn, organization_id, machine_id) is None:
        raise Unknown("machine", machine_id)
    ended = await runs.end_waiting_for(
        conn,
        organization_id,
        [demand(machine_id)],
        reason="the machine this run waited for was deleted",
        now=now,
    )
    if not await machines.delete(conn, organization_id, machine_id):
        raise MachineIsBusy(machine_id)
    return ended
