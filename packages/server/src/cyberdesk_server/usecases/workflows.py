"""Creating, changing and deleting workflows."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, WorkflowId
from cyberdesk_server.domain.prompts import variables
from cyberdesk_server.domain.refusals import (
    InvalidFields,
    Problem,
    Unknown,
    WorkflowHasUnfinishedRuns,
)
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store import runs, workflows
from cyberdesk_server.usecases.schemas import schema_problem


async def create(
    conn: AsyncConnection, fields: Mapping[str, Any], *, organization_id: OrganizationId, now: datetime
) -> Workflow:
    """A new workflow. `fields` are members of `Workflow`; `InvalidFields` for a schema that is none."""
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
    await workflows.add(conn, workflow)
    return workflow


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    workflow_id: WorkflowId,
    changes: Mapping[str, Any],
    *,
    now: datetime,
) -> Workflow:
    """The workflow with these fields changed; what an author wrote before goes to its history.

    Raises `Unknown`, and `InvalidFields` for a schema that is none.
    """
    _check_schemas(changes)
    before = await workflows.get(conn, organization_id, workflow_id, for_update=True)
    if before is None:
        raise Unknown("workflow", workflow_id)
    after = _with_facts(replace(before, **changes, updated_at=now))
    is_rewritten = before.version() != replace(after, updated_at=before.updated_at).version()
    await workflows.replace(conn, before, after, keep_version=is_rewritten)
    return after


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, workflow_id: WorkflowId, *, now: datetime
) -> None:
    """Remove the workflow; its ended runs stay. Raises `Unknown`, `WorkflowHasUnfinishedRuns`."""
    if await workflows.get(conn, organization_id, workflow_id, for_update=True) is None:
        raise Unknown("workflow", workflow_id)
    unfinished = await runs.unfinished_of_workflow(conn, workflow_id)
    if unfinished:
        raise WorkflowHasUnfinishedRuns(workflow_id, unfinished)
    await workflows.delete(conn, workflow_id, now=now)


def _with_facts(workflow: Workflow) -> Workflow:
    return replace(workflow, includes_input_variables=bool(variables(workflow.main_prompt).inputs))


def _check_schemas(fields: Mapping[str, Any]) -> None:
    problems = [
        Problem(("body", name), problem, "json_schema")
        for name in ("input_schema", "output_schema")
        if fields.get(name) is not None and (problem := schema_problem(fields[name])) is not None
    ]
    if problems:
        raise InvalidFields(tuple(problems))
