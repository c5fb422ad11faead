"""`/v1/runs/bulk`, `/v1/runs/chain` and `/v1/runs/{run_id}/retry`."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from cyberdesk_server.api.answers import JsonAnswer
from cyberdesk_server.api.auth import Caller
from cyberdesk_server.api.routes import PartsOf, router
from cyberdesk_server.api.run_requests import sent_files, wish_of
from cyberdesk_server.api.run_views import new_run_views, run_view
from cyberdesk_server.api.schemas.common import WRITES
from cyberdesk_server.api.schemas.runs import (
    ChainStep,
    RunBulkCreate,
    RunBulkCreateResponse,
    RunResponse,
    RunRetry,
    WorkflowChainCreate,
    WorkflowChainResponse,
)
from cyberdesk_server.api.secrets import sealing
from cyberdesk_server.api.writes import write
from cyberdesk_server.domain.ids import RunId, WorkflowId
from cyberdesk_server.domain.limits import RunLimits
from cyberdesk_server.topics import RUNS_WAITING
from cyberdesk_server.usecases import chains, retries, runs
from cyberdesk_server.usecases.attachments import delete_contents, uploading
from cyberdesk_server.usecases.orders import Order

api = router(prefix="/v1/runs", tags=["runs"])


@api.post("/bulk", status_code=201, response_model=RunBulkCreateResponse, openapi_extra=WRITES)
async def bulk_create_runs(request: Request, body: RunBulkCreate, caller: Caller, parts: PartsOf) -> Response:
    """Create many runs with the same inputs: all of them, or none and the reason."""
    order = Order(
        workflow_id=WorkflowId(body.workflow_id),
        input_values=body.input_values,
        sensitive_input_values=body.sensitive_input_values,
        is_priority=body.is_priority,
        limits=RunLimits.of(body),
    )

    async def work(conn: AsyncConnection) -> Response:
        made = await runs.create(
            conn,
            order,
            wish_of(body),
            organization_id=caller.organization_id,
            allowed=parts.limits,
            vault=vault,
            now=parts.clock.now(),
            files=files,
            count=body.count,
        )
        views = await new_run_views(conn, made, have_files=bool(files))
        return JsonAnswer({"created_runs": views, "failed_count": 0, "errors": []}, 201)

    sent = sent_files(body.file_inputs)
    secrets = [*(body.sensitive_input_values or {}).values()] * body.count
    async with (
        sealing(parts, caller, secrets) as vault,
        uploading(parts.database, parts.blobs, caller.organization_id, sent) as files,
    ):
        answer = await write(request, work)
    await parts.bus.publish(RUNS_WAITING)
    return answer


@api.post("/chain", status_code=201, response_model=WorkflowChainResponse, openapi_extra=WRITES)
async def create_run_chain(
    request: Request, body: WorkflowChainCreate, caller: Caller, parts: PartsOf
) -> Response:
    """Create runs that follow each other on one machine, in one session."""
    chain = chains.Chain(
        steps=tuple(map(_step, body.steps)),
        shared_inputs=body.shared_inputs or {},
        shared_sensitive_inputs=body.shared_sensitive_inputs or {},
        is_priority=body.is_priority,
        keeps_session=bool(body.keep_session_after_completion),
    )

    async def work(conn: AsyncConnection) -> Response:
        session_id, made = await chains.create(
            conn,
            chain,
            wish_of(body),
            organization_id=caller.organization_id,
            allowed=parts.limits,
            vault=vault,
            now=parts.clock.now(),
            files=files,
        )
        return JsonAnswer({"session_id": session_id, "run_ids": [run.id for run in made]}, 201)

    sent = sent_files(body.shared_file_inputs, "shared_file_inputs")
    secrets = [secret for step in chain.steps for secret in chain.secrets_of(step).values()]
    async with (
        sealing(parts, caller, secrets) as vault,
        uploading(parts.database, parts.blobs, caller.organization_id, sent) as files,
    ):
        answer = await write(request, work)
    await parts.bus.publish(RUNS_WAITING)
    return answer


@api.post("/{run_id}/retry", response_model=RunResponse, openapi_extra=WRITES)
async def retry_run(
    request: Request, run_id: UUID, body: RunRetry, caller: Caller, parts: PartsOf
) -> Response:
    """Start an ended run over, under the same id and without anything that came of it before."""
    retry = retries.Retry(
        wish=wish_of(body),
        reuses_session=body.reuse_session is not False,
        input_values=body.input_values,
        sensitive_input_values=body.sensitive_input_values or {},
        session_alias=body.session_alias,
        release_session_after=body.release_session_after,
        is_priority=body.is_priority,
        limits=RunLimits.of(body),
    )

    orphans: tuple[str, ...] = ()

    async def work(conn: AsyncConnection) -> Response:
        nonlocal orphans
        orphans = await retries.start_over(
            conn,
            caller.organization_id,
            RunId(run_id),
            retry,
            allowed=parts.limits,
            vault=vault,
            now=parts.clock.now(),
            files=files,
        )
        return JsonAnswer(await run_view(conn, caller.organization_id, RunId(run_id)))

    sent = sent_files(body.file_inputs)
    secrets = retry.sensitive_input_values.values()
    async with (
        sealing(parts, caller, secrets) as vault,
        uploading(parts.database, parts.blobs, caller.organization_id, sent) as files,
    ):
        answer = await write(request, work)
    await delete_contents(parts.blobs, orphans)
    await parts.bus.publish(RUNS_WAITING)
    return answer


def _step(step: ChainStep) -> chains.ChainStep:
    return chains.ChainStep(
        workflow_id=WorkflowId(step.workflow_id),
        session_alias=step.session_alias,
        inputs=step.inputs or {},
        sensitive_inputs=step.sensitive_inputs or {},
        limits=RunLimits.of(step),
    )
