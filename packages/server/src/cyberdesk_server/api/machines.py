"""`/v1/machines`."""

from collections.abc import Collection
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
from cyberdesk_server.api.views import machine_view, page, sent
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import MachineId, RunId
from cyberdesk_server.domain.machines import MachineStatus
from cyberdesk_server.domain.refusals import InvalidFields, Problem, Unknown
from cyberdesk_server.store import machines as store
from cyberdesk_server.topics import MACHINES_FREE, run_topic
from cyberdesk_server.usecases import machines

api = router(prefix="/v1/machines", tags=["machines"])

Included = Annotated[Collection[str], Depends(inclusion("pools"))]

Page = PaginatedResponseWithIncludes[MachineResponse]

NEVER_NULL = frozenset({"is_available", "alerts_enabled"})
FOLLOWS_THE_TUNNEL = frozenset({"status", "last_seen"})
SECRETS = "machine_sensitive_parameters"


@api.post("", status_code=201, response_model=MachineResponse, dependencies=WRITES)
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
            vault=parts.vault,
            now=parts.clock.now(),
        )
        return JsonAnswer(machine_view(machine), 201)

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
    items = [machine_view(machine) for machine in found]
    return JsonAnswer({**page(items, total, skip=skip, limit=limit), "included": [] if include else None})


@api.get("/{machine_id}", response_model=MachineResponseWithIncludes)
async def get_machine(machine_id: UUID, caller: Caller, parts: PartsOf, include: Included) -> Response:
    """The machine."""
    async with parts.database.read() as conn:
        machine = await store.get(conn, caller.organization_id, MachineId(machine_id))
    if machine is None:
        raise Unknown("machine", MachineId(machine_id))
    return JsonAnswer({**machine_view(machine), "included": [] if include else None})


@api.patch("/{machine_id}", response_model=MachineResponse, dependencies=WRITES)
async def update_machine(
    request: Request, machine_id: UUID, body: MachineUpdate, caller: Caller, parts: PartsOf
) -> Response:
    """Change the fields that are sent. A null `reserved_session_id` ends the machine's reservation."""
    _refuse_what_follows_the_tunnel(body)
    changes = sent(
        body.model_dump(exclude_unset=True, exclude={SECRETS, *FOLLOWS_THE_TUNNEL}), not_null=NEVER_NULL
    )
    if changes.get("machine_parameters") == {}:
        changes["machine_parameters"] = None
    secrets = body.machine_sensitive_parameters
    if secrets is None and SECRETS in body.model_fields_set:
        secrets = {}

    async def work(conn: AsyncConnection) -> Response:
        machine = await machines.update(
            conn,
            caller.organization_id,
            MachineId(machine_id),
            changes,
            sensitive_parameters=secrets,
            vault=parts.vault,
        )
        return JsonAnswer(machine_view(machine))

    answer = await write(request, work)
    if body.is_available or "reserved_session_id" in changes:
        await parts.bus.publish(MACHINES_FREE)
    return answer


@api.delete("/{machine_id}", status_code=204, response_class=Response, dependencies=WRITES)
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
    for run_id in ended:
        await parts.bus.publish(run_topic(run_id))
    return answer


def _refuse_what_follows_the_tunnel(body: MachineUpdate) -> None:
    problems = [
        Problem(("body", name), "follows the machine's connection and cannot be set")
        for name in sorted(FOLLOWS_THE_TUNNEL)
        if getattr(body, name) is not None
    ]
    if body.reserved_session_id is not None:
        problems.append(Problem(("body", "reserved_session_id"), "there is no such session"))
    if problems:
        raise InvalidFields(tuple(problems))
