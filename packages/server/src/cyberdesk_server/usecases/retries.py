"""Starting an ended run over, under the same id."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.attachments import StoredFile
from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.limits import NO_LIMITS, RunLimits, ServerLimits
from cyberdesk_server.domain.machines import Machine
from cyberdesk_server.domain.post_run_checks import snapshots
from cyberdesk_server.domain.refusals import InvalidFields, RunNotEnded, RunStillHoldsMachine, Unknown
from cyberdesk_server.domain.runs import ANY_MACHINE, Run, RunStatus, demand_of_machine
from cyberdesk_server.domain.workflows import Terms
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import attachments, pool_sets, post_run_checks, runs, secrets, sessions, workflows
from cyberdesk_server.usecases.placement import Placement, Wish, place
from cyberdesk_server.usecases.run_inputs import Given, problems_of
from cyberdesk_server.usecases.run_limits import limits_too_large, start_by, start_within_seconds
from cyberdesk_server.usecases.sealing import aliases, seal
from cyberdesk_server.usecases.webhook_messages import spread


@dataclass(frozen=True, slots=True)
class Retry:
    """What is to be different from the try before; None keeps what was."""

    wish: Wish = field(default_factory=Wish)
    """Pools decide before a machine here, unlike for a new run."""

    reuses_session: bool = True
    input_values: JsonObject | None = None
    sensitive_input_values: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
    """All secrets of the new try: those of the last one are gone."""

    session_alias: str | None = None
    release_session_after: bool | None = None
    is_priority: bool | None = None
    limits: RunLimits = NO_LIMITS


async def start_over(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    run_id: RunId,
    retry: Retry,
    *,
    allowed: ServerLimits,
    vault: Vault,
    now: datetime,
    files: tuple[StoredFile, ...] = (),
) -> tuple[str, ...]:
    """Let the run wait again: outputs, history and secrets of the last try are gone, inputs are kept.

    New `files` take the place of the input files. A session that goes on is kept, one that has ended is left.
    Answers the contents nobody has any more, to be deleted after the commit. Raises `Unknown`,
    `SessionEnded`, `RunNotEnded`, `RunStillHoldsMachine`, and `InvalidFields` for values that do not suffice
    and limits beyond what the server allows.
    """
    run = await runs.get(conn, organization_id, run_id)
    if run is None:
        raise Unknown("run", run_id)
    if not run.status.is_terminal:
        raise RunNotEnded(run.id, run.status)
    await spread(conn, now=now, run_id=run.id)
    placement = await _place(conn, run, retry, now)
    sealed = await seal(vault, organization_id, retry.sensitive_input_values)
    checks = await post_run_checks.of_workflow(conn, run.workflow_id)
    again = replace(
        run,
        status=RunStatus.SCHEDULING,
        input_values=run.input_values if retry.input_values is None else retry.input_values,
        sensitive_input_aliases=aliases(sealed) or None,
        session_alias=retry.session_alias or run.session_alias,
        release_session_after=_first(retry.release_session_after, run.release_session_after),
        is_priority=bool(_first(retry.is_priority, run.is_priority)),
        post_run_checks=snapshots(checks, uuid4) or None,
        **retry.limits.or_else(RunLimits.of(run)).fields(),
        **placement.fields(),
    )
    workflow = await _check(conn, again, retry, placement.machine, allowed)
    within = start_within_seconds(RunLimits.of(again), workflow, allowed)
    due = start_by(within, now) if placement.is_next else None
    again = replace(again, start_within_seconds=within, start_by=due)
    if await runs.start_over(conn, again, now=now) is None:
        raise RunStillHoldsMachine(run.id)
    await secrets.forget_runs(conn, [run.id])
    await secrets.add_for_run(conn, organization_id, run.id, sealed)
    orphans = await attachments.forget_outputs(conn, run.id)
    if files:
        orphans += await attachments.replace_inputs(conn, organization_id, run.id, files, now=now)
    return orphans


async def _place(conn: AsyncConnection, run: Run, retry: Retry, now: datetime) -> Placement:
    wish = retry.wish
    if wish.pool_ids:
        wish = replace(wish, machine_id=None)
    if wish.session_id is None and not wish.start_session and retry.reuses_session and run.session_id:
        session = await sessions.get(conn, run.organization_id, run.session_id)
        if session is not None and session.ended_at is None:
            wish = Wish(session_id=session.id)
    if wish.session_id is None and wish.machine_id is None and not wish.pool_ids:
        wanted = await _wanted_before(conn, run)
        wish = replace(wish, machine_id=wanted.machine_id, pool_ids=wanted.pool_ids)
    return await place(conn, run.organization_id, wish, now=now)


async def _wanted_before(conn: AsyncConnection, run: Run) -> Wish:
    """The machine or the pools that were asked for; what the scheduler chose by itself is open again."""
    demand = run.demand
    if run.session_id is not None:
        session = await sessions.get(conn, run.organization_id, run.session_id)
        demand = ANY_MACHINE if session is None else session.demand
    if run.machine_id is not None and demand == demand_of_machine(run.machine_id):
        return Wish(machine_id=run.machine_id)
    return Wish(pool_ids=run.pool_ids or await pool_sets.pools_of(conn, demand))


async def _check(
    conn: AsyncConnection, again: Run, retry: Retry, machine: Machine | None, allowed: ServerLimits
) -> Terms:
    workflow = await workflows.terms(conn, again.organization_id, again.workflow_id)
    if workflow is None:
        raise Unknown("workflow", again.workflow_id)
    given = Given(
        again.input_values or {},
        retry.sensitive_input_values,
        aliases=(await sessions.outcomes(conn, [again]))[again.id],
    )
    prompt = again.main_prompt or workflow.main_prompt
    values = await problems_of(conn, prompt, workflow, given, machine=machine, pool_ids=again.pool_ids)
    problems = (*values, *limits_too_large(retry.limits, allowed))
    if problems:
        raise InvalidFields(problems)
    return workflow


def _first(sent: bool | None, kept: bool | None) -> bool | None:
    return kept if sent is None else sent
