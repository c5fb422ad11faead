"""`/v1/pools`."""

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
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
    inclusion,
)
from cyberdesk_server.api.schemas.pool_members import (
    MachinePoolAssignment,
    PoolResponseWithIncludes,
    PoolWithMachines,
)
from cyberdesk_server.api.schemas.pools import PoolCreate, PoolResponse, PoolUpdate
from cyberdesk_server.api.secrets import sealing
from cyberdesk_server.api.views import View, included_once, machine_view, page, pool_view, sent
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import MachineId, PoolId, RunId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.store import pools as store
from cyberdesk_server.topics import MACHINES_FREE
from cyberdesk_server.usecases import pools
from cyberdesk_server.usecases.endings import tell_ended
from cyberdesk_server.usecases.sealing import set_values

api = router(prefix="/v1/pools", tags=["pools"])

Included = Annotated[Collection[str], Depends(inclusion("machines"))]

Page = PaginatedResponseWithIncludes[PoolResponse]

NEVER_NULL = frozenset({"name"})
SECRETS = "pool_sensitive_parameters"


@api.post("", status_code=201, response_model=PoolResponse, openapi_extra=WRITES)
async def create_pool(request: Request, body: PoolCreate, caller: Caller, parts: PartsOf) -> Response:
    """Make a pool; machines are added afterwards."""

    async def work(conn: AsyncConnection) -> Response:
        pool = await pools.create(
            conn,
            body.model_dump(exclude={SECRETS}),
            sensitive_parameters=body.pool_sensitive_parameters,
            organization_id=caller.organization_id,
            vault=vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(pool_view(pool), 201)

    secrets = set_values(body.pool_sensitive_parameters)
    async with sealing(parts, caller, secrets) as vault:
        return await write(request, work)


@api.get("", response_model=Page)
async def list_pools(
    caller: Caller, parts: PartsOf, include: Included, skip: Skip = 0, limit: Limit = 100
) -> Response:
    """Pools, newest first."""
    async with parts.database.read() as conn:
        found, total = await store.find(conn, caller.organization_id, skip=skip, limit=limit)
        members = await _machine_views(conn, [pool.id for pool in found]) if include else []
    answer = page([pool_view(pool) for pool in found], total, skip=skip, limit=limit)
    return JsonAnswer({**answer, "included": included_once("machine", members) if include else None})


@api.get("/{pool_id}", response_model=PoolResponseWithIncludes)
async def get_pool(
    pool_id: UUID,
    caller: Caller,
    parts: PartsOf,
    include: Included,
    include_machines: Annotated[bool, Query(deprecated=True)] = False,
) -> Response:
    """The pool. `include_machines` puts its machines into `machines`, `include=machines` into `included`."""
    async with parts.database.read() as conn:
        pool = await store.get(conn, caller.organization_id, PoolId(pool_id))
        if pool is None:
            raise Unknown("pool", pool_id)
        members = await _machine_views(conn, [pool.id]) if include or include_machines else []
    return JsonAnswer(
        {
            **pool_view(pool),
            "machines": members if include_machines else None,
            "included": included_once("machine", members) if include else None,
        }
    )


@api.patch("/{pool_id}", response_model=PoolResponse, openapi_extra=WRITES)
async def update_pool(
    request: Request, pool_id: UUID, body: PoolUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the fields that are sent; `{}` clears parameters, and a secret that is null goes."""
    changes = sent(body.model_dump(exclude_unset=True, exclude={SECRETS}), not_null=NEVER_NULL)
    if changes.get("pool_parameters") == {}:
        changes["pool_parameters"] = None
    secrets = body.pool_sensitive_parameters
    if secrets is None and SECRETS in body.model_fields_set:
        secrets = {}

    async def work(conn: AsyncConnection) -> Response:
        pool = await pools.update(
            conn,
            caller.organization_id,
            PoolId(pool_id),
            changes,
            sensitive_parameters=secrets,
            vault=vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(pool_view(pool))

    async with sealing(parts, caller, set_values(secrets)) as vault:
        return await write(request, work)


@api.delete("/{pool_id}", status_code=204, response_class=Response, openapi_extra=WRITES)
async def delete_pool(request: Request, pool_id: UUID, caller: Caller, parts: PartsOf) -> Response:
    """Remove a pool. Its machines stay; runs that waited for a machine in it end with an error."""
    ended: tuple[RunId, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal ended
        ended = await pools.delete(conn, caller.organization_id, PoolId(pool_id), now=parts.clock.now())
        return no_content()

    answer = await write(request, work)
    await tell_ended(parts.bus, ended)
    return answer


@api.post("/{pool_id}/machines", response_model=PoolWithMachines, openapi_extra=WRITES)
async def add_machines_to_pool(
    request: Request, pool_id: UUID, body: MachinePoolAssignment, caller: Caller, parts: PartsOf
) -> Response:
    """Put machines into a pool; those that are in it stay."""

    async def work(conn: AsyncConnection) -> Response:
        pool = await pools.add_machines(
            conn, caller.organization_id, PoolId(pool_id), [MachineId(one) for one in body.machine_ids]
        )
        return JsonAnswer({**pool_view(pool), "machines": await _machine_views(conn, [pool.id])})

    answer = await write(request, work)
    await parts.bus.publish(MACHINES_FREE)
    return answer


@api.delete("/{pool_id}/machines", status_code=204, response_class=Response, openapi_extra=WRITES)
async def remove_machines_from_pool(
    request: Request, pool_id: UUID, body: MachinePoolAssignment, caller: Caller, parts: PartsOf
) -> Response:
    """Take machines out of a pool; those that are not in it stay out."""

    async def work(conn: AsyncConnection) -> Response:
        await pools.remove_machines(
            conn, caller.organization_id, PoolId(pool_id), [MachineId(one) for one in body.machine_ids]
        )
        return no_content()

    return await write(request, work)


async def _machine_views(conn: AsyncConnection, pool_ids: Collection[PoolId]) -> list[View]:
    """The machines of these pools, each once."""
    of_pools = await store.machines_of(conn, pool_ids)
    its_pools = await store.of_members(conn, pool_ids)
    machines = {machine.id: machine for members in of_pools.values() for machine in members}
    return [machine_view(machine, its_pools.get(machine.id, ())) for machine in machines.values()]
