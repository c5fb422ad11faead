"""Registering, changing and deleting machines. They usually appear by themselves, when a driver connects."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.domain.refusals import FingerprintTaken, MachineIsBusy, Unknown
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import machines, runs, secrets
from cyberdesk_server.usecases.sealing import aliases, seal

Secrets = Mapping[str, str | None]
"""Values of a machine's secrets by name; None removes one."""


async def create(
    conn: AsyncConnection,
    fields: Mapping[str, Any],
    *,
    sensitive_parameters: Secrets | None,
    organization_id: OrganizationId,
    vault: Vault,
    now: datetime,
) -> Machine:
    """A machine nobody has connected from yet. `fields` are members of `Machine`.

    Raises `FingerprintTaken` when the organization has one with this fingerprint.
    """
    told = {name: value for name, value in (sensitive_parameters or {}).items() if value is not None}
    sealed = await seal(vault, organization_id, told)
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
    sensitive_parameters: Secrets | None,
    vault: Vault,
) -> Machine:
    """The machine with these fields changed. Raises `Unknown`.

    `sensitive_parameters` adds and replaces secrets, removes those that are None, and all when it is empty;
    None leaves them alone.
    """
    before = await machines.get(conn, organization_id, machine_id)
    if before is None:
        raise Unknown("machine", machine_id)
    if sensitive_parameters is not None:
        kept = await _replace_secrets(conn, before, sensitive_parameters, vault)
        changes = {**changes, "sensitive_parameter_aliases": dict(kept) or None}
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
        conn, organization_id, machine_id, reason="the machine this run waited for was deleted", now=now
    )
    if not await machines.delete(conn, organization_id, machine_id):
        raise MachineIsBusy(machine_id)
    return ended


async def _replace_secrets(
    conn: AsyncConnection, machine: Machine, values: Secrets, vault: Vault
) -> Mapping[str, str]:
    if not values:
        await secrets.forget_machine(conn, machine.id)
        return {}
    await secrets.forget_machine(conn, machine.id, tuple(values))
    told = {name: value for name, value in values.items() if value is not None}
    sealed = await seal(vault, machine.organization_id, told)
    await secrets.add_for_machine(conn, machine.organization_id, machine.id, sealed)
    kept = {
        name: alias
        for name, alias in (machine.sensitive_parameter_aliases or {}).items()
        if name not in values
    }
    return {**kept, **aliases(sealed)}
