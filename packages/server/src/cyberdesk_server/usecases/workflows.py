"""Creating, changing and deleting workflows."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, WorkflowId
from cyberdesk_server.domain.limits import LIMITS, RunLimits, ServerLimits
from cyberdesk_server.domain.post_run_checks import WrittenCheck
from cyberdesk_server.domain.prompts import variables
from cyberdesk_server.domain.refusals import (
    InvalidFields,
    Problem,
    Unknown,
    WorkflowHasUnfinishedRuns,
)
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.json_schemas import schema_problem
from cyberdesk_server.store import post_run_checks, runs, tags, workflows
from cyberdesk_server.usecases import trajectories
from cyberdesk_server.usecases.model_configurations import unusable_models
from cyberdesk_server.usecases.post_run_checks import refuse_unusable, refuse_unusable_models, rewritten
from cyberdesk_server.usecases.run_limits import limits_too_large


async def create(
    conn: AsyncConnection,
    fields: Mapping[str, Any],
    *,
    checks: Sequence[WrittenCheck] | None = None,
    organization_id: OrganizationId,
    allowed: ServerLimits,
    now: datetime,
) -> Workflow:
    """A new workflow with these post-run checks. `fields` are members of `Workflow`.

    Raises `InvalidFields` for a schema that is none, a check that could never pass, a model that is not
    there or archived, and a limit beyond what the server allows.
    """
    _check_schemas(fields)
    workflow = _with_facts(
        Workflow(
            id=WorkflowId(uuid4()),
            organization_id=organization_id,
            created_at=now,
            updated_at=now,
            **fields,
        )
    )
    _refuse_too_large(workflow, LIMITS, allowed)
    made = rewritten(workflow, (), checks or (), now=now)
    refuse_unusable(workflow, made)
    await refuse_unusable_models(conn, (), made)
    await _refuse_unusable_models(conn, None, workflow)
    await workflows.add(conn, workflow)
    await post_run_checks.replace(conn, workflow.id, made)
    return workflow


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    workflow_id: WorkflowId,
    changes: Mapping[str, Any],
    *,
    checks: Sequence[WrittenCheck] | None = None,
    allowed: ServerLimits,
    now: datetime,
) -> Workflow:
    """The workflow with these fields changed and, when `checks` are given, these in the place of its checks.

    What an author wrote before goes to its history. Raises `Unknown` for it and for a check it does not
    have, and `InvalidFields` for a schema that is none, a check that could never pass, a model that is
    not there or archived, and a limit beyond what the server allows.
    """
    _check_schemas(changes)
    before = await locked(conn, organization_id, workflow_id)
    after = _with_facts(replace(before, **changes, updated_at=now))
    _refuse_too_large(after, changes, allowed)
    checks_before = await post_run_checks.of_workflow(conn, workflow_id)
    checks_after = checks_before if checks is None else rewritten(after, checks_before, checks, now=now)
    refuse_unusable(after, checks_after)
    await refuse_unusable_models(conn, checks_before, checks_after)
    await _refuse_unusable_models(conn, before, after)
    version = None
    if before.is_rewritten_as(after) or checks_before != checks_after:
        version = before.version(checks_before, await tags.of_workflow(conn, workflow_id))
    await workflows.replace(conn, after, version=version)
    if checks_after != checks_before:
        await post_run_checks.replace(conn, workflow_id, checks_after)
    return after


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, workflow_id: WorkflowId, *, now: datetime
) -> tuple[str, ...]:
    """Remove the workflow and its trajectories; its ended runs stay.

    Returns the keys of the pictures that nobody shows any more; the caller deletes them after the commit.
    Raises `Unknown`, `WorkflowHasUnfinishedRuns`.
    """
    await locked(conn, organization_id, workflow_id)
    unfinished = await runs.unfinished_of_workflow(conn, workflow_id)
    if unfinished:
        raise WorkflowHasUnfinishedRuns(workflow_id, unfinished)
    await workflows.delete(conn, workflow_id, now=now)
    return await trajectories.delete_of_workflow(conn, workflow_id)


async def locked(conn: AsyncConnection, organization_id: OrganizationId, workflow_id: WorkflowId) -> Workflow:
    """The workflow, which nobody else changes until the transaction ends. Raises `Unknown`."""
    workflow = await workflows.get(conn, organization_id, workflow_id, for_update=True)
    if workflow is None:
        raise Unknown("workflow", workflow_id)
    return workflow


async def _refuse_unusable_models(conn: AsyncConnection, before: Workflow | None, after: Workflow) -> None:
    # One that was named before and is archived now stays: what is left alone is not refused.
    named_before = (before and before.model_metadata) or {}
    named = after.model_metadata or {}
    new = {role: model for role, model in named.items() if model != named_before.get(role)}
    problems = await unusable_models(conn, after.organization_id, new)
    if problems:
        raise InvalidFields(problems)


def _refuse_too_large(workflow: Workflow, changed: Container[str], allowed: ServerLimits) -> None:
    # One that was allowed before stays: what is left alone is not refused.
    asked = RunLimits(**{name: getattr(workflow, name) for name in LIMITS if name in changed})
    problems = tuple(limits_too_large(asked, allowed))
    if problems:
        raise InvalidFields(problems)


def _with_facts(workflow: Workflow) -> Workflow:
    return replace(workflow, includes_input_variables=bool(variables(workflow.main_prompt).inputs_to_give))


def _check_schemas(fields: Mapping[str, Any]) -> None:
    problems = [
        Problem(("body", name), problem, "json_schema")
        for name in ("input_schema", "output_schema")
        if fields.get(name) is not None and (problem := schema_problem(fields[name])) is not None
    ]
    if problems:
        raise InvalidFields(tuple(problems))
