"""The post-run checks of workflows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import PostRunCheckId, WorkflowId
from cyberdesk_server.domain.post_run_checks import (
    CheckSpec,
    PostRunCheck,
    PostRunCheckFileTargetMode,
    PostRunCheckType,
)
from cyberdesk_server.store.tables import post_run_checks


async def of_workflow(conn: AsyncConnection, workflow_id: WorkflowId) -> tuple[PostRunCheck, ...]:
    """The checks of one workflow, in its author's order."""
    return (await of_workflows(conn, [workflow_id])).get(workflow_id, ())


async def of_workflows(
    conn: AsyncConnection, workflow_ids: Sequence[WorkflowId]
) -> Mapping[WorkflowId, tuple[PostRunCheck, ...]]:
    """The checks of each workflow, in its author's order; workflows without any are left out."""
    rows = await conn.execute(
        select(post_run_checks)
        .where(post_run_checks.c.workflow_id.in_(workflow_ids))
        .order_by(post_run_checks.c.workflow_id, post_run_checks.c.order)
    )
    found: dict[WorkflowId, list[PostRunCheck]] = defaultdict(list)
    for row in rows:
        found[row.workflow_id].append(_check(row))
    return {workflow_id: tuple(checks) for workflow_id, checks in found.items()}


async def replace(conn: AsyncConnection, workflow_id: WorkflowId, checks: Sequence[PostRunCheck]) -> None:
    """From now on these are the checks of the workflow."""
    await conn.execute(post_run_checks.delete().where(post_run_checks.c.workflow_id == workflow_id))
    if checks:
        await conn.execute(post_run_checks.insert(), [_values(check) for check in checks])


_COLUMNS = frozenset({"name", "type"})
_SETTINGS = tuple(member.name for member in fields(CheckSpec) if member.name not in _COLUMNS)


def _values(check: PostRunCheck) -> dict[str, Any]:
    told = check.spec.as_json()
    return {
        "id": check.id,
        "organization_id": check.organization_id,
        "workflow_id": check.workflow_id,
        "user_id": check.user_id,
        "name": check.spec.name,
        "type": check.spec.type.value,
        "settings": {name: told[name] for name in _SETTINGS},
        "order": check.order,
        "created_at": check.created_at,
        "updated_at": check.updated_at,
    }


def _check(row: Row[Any]) -> PostRunCheck:
    return PostRunCheck(
        id=PostRunCheckId(row.id),
        organization_id=row.organization_id,
        workflow_id=row.workflow_id,
        spec=_spec(row.name, row.type, row.settings),
        order=row.order,
        created_at=row.created_at,
        updated_at=row.updated_at,
        user_id=row.user_id,
    )


def _spec(name: str, type_: str, settings: Mapping[str, Any]) -> CheckSpec:
    mode, names, model = (settings[member] for member in ("file_target_mode", "file_names", "model"))
    return CheckSpec(
        **{
            **settings,
            "name": name,
            "type": PostRunCheckType(type_),
            "file_target_mode": None if mode is None else PostRunCheckFileTargetMode(mode),
            "file_names": None if names is None else tuple(names),
            "model": None if model is None else UUID(model),
        }
    )
