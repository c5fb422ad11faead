"""`/v1/machines`."""

from collections.abc import Collection, Iterable
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer, no_content
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.schemas.common import (
    WRITES,
    Limit,
    PaginatedResponseWithIncludes,
    Skip,
    UtcTime,
    inclusion,
)
from cyberdesk_server.api.schemas.machines import (
    MachineCreate,
    MachineResponse,
    MachineResponseWithIncludes,
    MachineUpdate,
)
from cyberdesk_server.api.schemas.pool_members import MachinePoolUpdate
from cyberdesk_server.api.schemas.pools import PoolResponse
from cyberdesk_server.api.secrets import sealing
from cyberdesk_server.api.views import View, included_once, machine_view, page, sent
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import MachineId, PoolId, RunId
from cyberdesk_server.domain.machines import Machine, MachineStatus
from cyberdesk_server.domain.refusals import Unknown, invalid
from cyberdesk_server.store import machines as store
from cyberdesk_server.store import pools as pools_store
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases import machines, pools
from cyberdesk_server.usecases.endings import tell_ended
from cyberdesk_server.usecases.sealing import set_values

api = router(prefix="/v1/machines", tags=["machines"])

Included = Annotated[Collection[str], Depends(inclusion("pools"))]

Page = PaginatedResponseWithIncludes[MachineResponse]

NEVER_NULL = frozenset({"is_available", "alerts_enabled", "status", "last_seen"})
SECRETS = "machine_sensitive_parameters"


@api.post("", status_code=201, response_model=MachineResponse, openapi_extra=WRITES)
async def create_machine(request: Request, body: MachineCreate, caller: Caller, parts: PartsOf) -> Response:
    """Register a machine before its driver connects with this fingerprint."""
    fields = body.model_dump(exclude={SECRETS}) | {
        "fingerprint": body.fingerprint or str(uuid4()),
        "unkey_key_id": body.unkey_key_id or str(caller.id),
    }

    async def work(conn: AsyncConnection) -> Response:
        machine = await machines.create(
            conn,
            fields,
            sensitive_parameters=body.machine_sensitive_parameters,
            organization_id=caller.organization_id,
            vault=vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(machine_view(machine), 201)

    secrets = set_values(body.machine_sensitive_parameters)
    async with sealing(parts, caller, secrets) as vault:
        return await write(request, work)


@api.get("", response_model=Page)
async def list_machines(
    caller: Caller,
    parts: PartsOf,
    include: Included,
    search: str | None = None,
    name: str | None = None,
    status: MachineStatus | None = None,
    created_at_from: UtcTime | None = None,
    created_at_to: UtcTime | None = None,
    skip: Skip = 0,
    limit: Limit = 100,
) -> Response:
    """Machines, newest first. `search` is a part of id, name or host name in any case."""
    async with parts.database.read() as conn:
        found, total = await store.find(
            conn,
            caller.organization_id,
            search=search or None,
            name=name or None,
            status=status,
            created_from=created_at_from,
            created_to=created_at_to,
            skip=skip,
            limit=limit,
        )
        its_pools = await pools_store.of_machines(conn, [machine.id for machine in found])
    items = [machine_view(machine, its_pools.get(machine.id, ())) for machine in found]
    answer = page(items, total, skip=skip, limit=limit)
    return JsonAnswer({**answer, "included": _included_pools(items) if include else None})


@api.get("/{machine_id}", response_model=MachineResponseWithIncludes)
async def get_machine(machine_id: UUID, caller: Caller, parts: PartsOf, include: Included) -> Response:
    """The machine."""
    async with parts.database.read() as conn:
        machine = await store.get(conn, caller.organization_id, MachineId(machine_id))
        if machine is None:
            raise Unknown("machine", machine_id)
        view = await _view(conn, machine)
    return JsonAnswer({**view, "included": _included_pools([view]) if include else None})


@api.patch("/{machine_id}", response_model=MachineResponse, openapi_extra=WRITES)
async def update_machine(
    request: Request, machine_id: UUID, body: MachineUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the fields that are sent. A null `reserved_session_id` ends the machine's reservation.

    `status` and `last_seen` hold until the machine's connection next says something else. A connected machine
    that is set to `error` or `disconnected` gets no runs until it is set back or connects anew; one that is
    not connected gets none, whatever its status says.
    """
    if body.reserved_session_id is not None:
        raise invalid(("body", "reserved_session_id"), "there is no such session")
    changes = sent(body.model_dump(exclude_unset=True, exclude={SECRETS}), not_null=NEVER_NULL)
    if changes.get("machine_parameters") == {}:
        changes["machine_parameters"] = None
    secrets = body.machine_sensitive_parameters
    if secrets is None and SECRETS in body.model_fields_set:
        secrets = {}

    ended: tuple[RunId, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal ended
        machine, ended = await machines.update(
            conn,
            caller.organization_id,
            MachineId(machine_id),
            changes,
            sensitive_parameters=secrets,
            vault=vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(await _view(conn, machine))

    async with sealing(parts, caller, set_values(secrets)) as vault:
        answer = await write(request, work)
    await tell_ended(parts.bus, ended)
    if body.is_available or body.status is MachineStatus.CONNECTED or "reserved_session_id" in changes:
        await parts.bus.publish(MACHINES_FREE)
    return answer


@api.delete("/{machine_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_machine(request: Request, machine_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Remove a machine without a run; its runs stay, without a machine."""
    ended: tuple[RunId, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal ended
        ended = await machines.delete(
            conn, caller.organization_id, MachineId(machine_id), now=parts.clock.now()
        )
        return no_content()

    answer = await write(request, work)
    await tell_ended(parts.bus, ended)
    return answer


@api.get("/{machine_id}/pools", response_model=list[PoolResponse])
async def get_machine_pools(machine_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """The pools the machine is in, newest first."""
    async with parts.database.read() as conn:
        machine = await store.get(conn, caller.organization_id, MachineId(machine_id))
        if machine is None:
            raise Unknown("machine", machine_id)
        view = await _view(conn, machine)
    return JsonAnswer(view["pools"])


@api.put("/{machine_id}/pools", response_model=MachineResponse, openapi_extra=WRITES)
async def update_machine_pools(
    request: Request, machine_id: UUID, body: MachinePoolUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Put the machine into these pools, and take it out of all others."""

    async def work(conn: AsyncConnection) -> Response:
        machine = await pools.replace_for_machine(
            conn, caller.organization_id, MachineId(machine_id), [PoolId(one) for one in body.pool_ids]
        )
        return JsonAnswer(await _view(conn, machine))

    answer = await write(request, work)
    await parts.bus.publish(MACHINES_FREE)
    return answer


async def _view(conn: AsyncConnection, machine: Machine) -> View:
    its_pools = await pools_store.of_machines(conn, [machine.id])
    return machine_view(machine, its_pools.get(machine.id, ()))


def _included_pools(machines: Iterable[View]) -> list[View]:
    return included_once("pool", (pool for machine in machines for pool in machine["pools"]))
