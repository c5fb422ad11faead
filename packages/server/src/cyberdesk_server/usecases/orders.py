"""From what callers want done to runs that wait for it: checked, sealed, written."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.attachments import StoredFile
from cyberdesk_server.domain.ids import OrganizationId, RunId, WorkflowId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.limits import NO_LIMITS, RunLimits, ServerLimits
from cyberdesk_server.domain.post_run_checks import snapshots
from cyberdesk_server.domain.refusals import Problem, Unknown
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.workflows import Terms
from cyberdesk_server.json_schemas import IN_BODY, Places
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import attachments, post_run_checks, runs, secrets, workflows
from cyberdesk_server.usecases.model_configurations import unusable_models
from cyberdesk_server.usecases.placement import Placement
from cyberdesk_server.usecases.run_inputs import Given, problems_of
from cyberdesk_server.usecases.run_limits import limits_too_large, start_by, start_within_seconds
from cyberdesk_server.usecases.sealing import aliases, seal

APART = timedelta(microseconds=1)
"""Runs that are made together follow each other by so much, so that their order is told by their age."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller wants done, wherever it is done."""

    workflow_id: WorkflowId
    input_values: JsonObject | None = None
    sensitive_input_values: Mapping[str, JsonValue] | None = field(default=None, repr=False)
    is_priority: bool = False
    main_prompt: str | None = None
    """In place of the workflow's prompt."""

    model_metadata: JsonObject | None = None
    session_alias: str | None = None
    release_session_after: bool | None = None
    chain_id: UUID | None = None
    limits: RunLimits = NO_LIMITS
    """Of its own, over those of the workflow."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order, and where it goes."""

    order: Order
    workflow: Terms
    placement: Placement
    files: tuple[StoredFile, ...] = ()
    """Input files, their contents in the blob store already."""


async def check(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    order: Order,
    placement: Placement,
    *,
    allowed: ServerLimits,
    refers_to: Collection[str] = (),
    at: tuple[str | int, ...] = ("body",),
    places: Places = IN_BODY,
) -> tuple[Terms, tuple[Problem, ...]]:
    """The workflow of the order, and what is wrong with the order's values and limits.

    `refers_to` are the aliases of earlier runs that references may name, `at` is where in the request the
    order stands. Raises `Unknown`.
    """
    workflow = await workflows.terms(conn, organization_id, order.workflow_id)
    if workflow is None:
        raise Unknown("workflow", order.workflow_id)
    models = await unusable_models(conn, organization_id, order.model_metadata or {})
    given = Given(
        order.input_values or {}, order.sensitive_input_values or {}, aliases=refers_to, places=places
    )
    prompt = order.main_prompt or workflow.main_prompt
    values = await problems_of(
        conn, prompt, workflow, given, machine=placement.machine, pool_ids=placement.pool_ids
    )
    return workflow, (*models, *values, *limits_too_large(order.limits, allowed, at))


async def write(
    conn: AsyncConnection, placed: Sequence[Placed], *, allowed: ServerLimits, vault: Vault, now: datetime
) -> tuple[Run, ...]:
    """The runs of these orders, written with their secrets, each a little younger than the one before."""
    before = placed[0].placement.is_after
    first_at = now if before is None else max(now, before + APART)
    with_checks = list({one.workflow.id for one in placed if one.workflow.has_post_run_checks})
    checks = await post_run_checks.of_workflows(conn, with_checks) if with_checks else {}
    made: list[Run] = []
    sealed: dict[RunId, secrets.Sealed] = {}
    for number, one in enumerate(placed):
        order, organization_id = one.order, one.workflow.organization_id
        run_id = RunId(uuid4())
        within = start_within_seconds(order.limits, one.workflow, allowed)
        sealed[run_id] = await seal(vault, organization_id, order.sensitive_input_values or {})
        made.append(
            Run(
                id=run_id,
                organization_id=organization_id,
                workflow_id=order.workflow_id,
                status=RunStatus.SCHEDULING,
                created_at=first_at + number * APART,
                is_priority=order.is_priority,
                main_prompt=order.main_prompt,
                model_metadata=order.model_metadata,
                input_values=order.input_values,
                sensitive_input_aliases=aliases(sealed[run_id]) or None,
                session_alias=order.session_alias,
                release_session_after=order.release_session_after,
                chain_id=order.chain_id,
                post_run_checks=snapshots(checks.get(order.workflow_id, ()), uuid4) or None,
                start_within_seconds=within,
                start_by=start_by(within, now) if one.placement.is_next else None,
                **order.limits.fields(),
                **one.placement.fields(),
            )
        )
    await runs.add_all(conn, made)
    organization_id = placed[0].workflow.organization_id
    await secrets.add_for_runs(conn, organization_id, sealed)
    with_files: dict[tuple[StoredFile, ...], list[RunId]] = defaultdict(list)
    for run, one in zip(made, placed, strict=True):
        with_files[one.files].append(run.id)
    for files, run_ids in with_files.items():
        await attachments.add_inputs(conn, organization_id, run_ids, files, now=now)
    return tuple(made)
