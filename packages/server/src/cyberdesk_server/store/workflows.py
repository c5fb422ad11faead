"""Workflows and their history."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Text, bindparam, cast, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import OrganizationId, TagId, WorkflowId
from cyberdesk_server.domain.json import JsonObject
from cyberdesk_server.domain.limits import LIMITS
from cyberdesk_server.domain.workflows import Terms, Workflow
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.search import contains
from cyberdesk_server.store.tables import post_run_checks, tagged_workflows, workflow_versions, workflows

COLUMNS = [column for column in workflows.c if column.name != "deleted_at"]


async def get(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    workflow_id: WorkflowId,
    *,
    for_update: bool = False,
) -> Workflow | None:
    """The workflow, or None when the organization has no such workflow (any more).

    With `for_update` nobody else changes or deletes it until the transaction ends.
    """
    query = _BY_ID.with_for_update() if for_update else _BY_ID
    asked = {"workflow_id": workflow_id, "organization_id": organization_id}
    row = (await conn.execute(query, asked)).one_or_none()
    return None if row is None else _workflow(row)


async def terms(
    conn: AsyncConnection, organization_id: OrganizationId, workflow_id: WorkflowId
) -> Terms | None:
    """What the workflow says of new runs, or None when the organization has no such workflow (any more)."""
    asked = {"workflow_id": workflow_id, "organization_id": organization_id}
    found: Terms | None = (await conn.execute(_TERMS, asked)).one_or_none()
    return found


async def even_deleted(conn: AsyncConnection, ids: Collection[WorkflowId]) -> Mapping[WorkflowId, Workflow]:
    """The workflows of runs, which may have been deleted since."""
    return {row.id: _workflow(row) for row in await conn.execute(_EVEN_DELETED, {"ids": list(ids)})}


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    search: str | None = None,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    updated_from: datetime | None = None,
    updated_to: datetime | None = None,
    ids: Sequence[WorkflowId] | None = None,
    tag_ids: Collection[TagId] = (),
    skip: int = 0,
    limit: int = 100,
) -> tuple[tuple[Workflow, ...], int]:
    """One page, last updated first, and how many there are in all.

    `search` is a part of id or name in any case; the dates are inclusive. A workflow must have every tag
    of `tag_ids`.
    """
    wanted: list[ColumnElement[bool]] = [
        workflows.c.organization_id == organization_id,
        workflows.c.deleted_at.is_(None),
    ]
    if search is not None:
        wanted.append(contains(search, cast(workflows.c.id, Text), workflows.c.name))
    if created_from is not None:
        wanted.append(workflows.c.created_at >= created_from)
    if created_to is not None:
        wanted.append(workflows.c.created_at <= created_to)
    if updated_from is not None:
        wanted.append(workflows.c.updated_at >= updated_from)
    if updated_to is not None:
        wanted.append(workflows.c.updated_at <= updated_to)
    if ids is not None:
        wanted.append(workflows.c.id.in_(ids))
    if tag_ids:
        wanted.append(workflows.c.id.in_(_having_all(tag_ids)))
    total = (await conn.execute(select(func.count()).select_from(workflows).where(*wanted))).scalar_one()
    rows = await conn.execute(
        select(*COLUMNS)
        .where(*wanted)
        .order_by(workflows.c.updated_at.desc(), workflows.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return tuple(_workflow(row) for row in rows), total


async def add(conn: AsyncConnection, workflow: Workflow) -> None:
    """Write a new workflow."""
    await conn.execute(
        workflows.insert(), {column.name: getattr(workflow, column.name) for column in COLUMNS}
    )


async def replace(conn: AsyncConnection, after: Workflow, *, version: JsonObject | None) -> None:
    """Put `after` in the place of the workflow with its id; `version`, the state before, goes to the
    history when it is worth keeping."""
    if version is not None:
        last = select(func.coalesce(func.max(workflow_versions.c.number), 0)).where(
            workflow_versions.c.workflow_id == after.id
        )
        number = (await conn.execute(last)).scalar_one() + 1
        await conn.execute(
            workflow_versions.insert().values(workflow_id=after.id, number=number, content=version)
        )
    await conn.execute(
        update(workflows)
        .where(workflows.c.id == after.id)
        .values({column.name: getattr(after, column.name) for column in COLUMNS})
    )


async def versions(
    conn: AsyncConnection, workflow_ids: Sequence[WorkflowId]
) -> Mapping[WorkflowId, tuple[JsonObject, ...]]:
    """Earlier states of the workflows, oldest first; workflows without any are left out."""
    rows = await conn.execute(
        select(workflow_versions)
        .where(workflow_versions.c.workflow_id.in_(workflow_ids))
        .order_by(workflow_versions.c.workflow_id, workflow_versions.c.number)
    )
    found: dict[WorkflowId, list[JsonObject]] = defaultdict(list)
    for row in rows:
        found[row.workflow_id].append({"version": row.number, **row.content})
    return {workflow_id: tuple(contents) for workflow_id, contents in found.items()}


async def delete(conn: AsyncConnection, workflow_id: WorkflowId, *, now: datetime) -> None:
    """Nobody finds the workflow any more; its runs keep naming it."""
    await conn.execute(update(workflows).where(workflows.c.id == workflow_id).values(deleted_at=now))


def _having_all(tag_ids: Collection[TagId]) -> Select[tuple[UUID]]:
    wanted = frozenset(tag_ids)
    return (
        select(tagged_workflows.c.workflow_id)
        .where(tagged_workflows.c.tag_id.in_(wanted))
        .group_by(tagged_workflows.c.workflow_id)
        .having(func.count() == len(wanted))
    )


# Built once: putting twenty columns together takes longer than asking for them.
_HAS_CHECKS = select(post_run_checks.c.id).where(post_run_checks.c.workflow_id == workflows.c.id).exists()
_NAMED = (
    workflows.c.id == bindparam("workflow_id"),
    workflows.c.organization_id == bindparam("organization_id"),
    workflows.c.deleted_at.is_(None),
)
_BY_ID = select(*COLUMNS, _HAS_CHECKS.label("has_post_run_checks")).where(*_NAMED)
_TERMS = select(
    *(workflows.c[name] for name in ("id", "organization_id", "main_prompt", "input_schema", *LIMITS)),
    _HAS_CHECKS.label("has_post_run_checks"),
).where(*_NAMED)


def _workflow(row: Row[*tuple[Any, ...]]) -> Workflow:
    fields = {name: value for name, value in row._mapping.items() if name in _FIELDS}
    allowlist = fields["terminal_command_allowlist"]
    fields["terminal_command_allowlist"] = None if allowlist is None else tuple(allowlist)
    return Workflow(**fields)


_EVEN_DELETED = select(*COLUMNS).where(among(workflows.c.id, "ids"))
_FIELDS = frozenset(column.name for column in COLUMNS) | {"has_post_run_checks"}
