"""Runs as callers read them: pages of records with only the columns that were asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, bindparam, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.ids import MachineId, OrganizationId, RunId, WorkflowId
from cyberdesk_server.domain.limits import LIMITS
from cyberdesk_server.domain.runs import Run, RunListOrder, RunStatus
from cyberdesk_server.store.lists import among
from cyberdesk_server.store.search import contains
from cyberdesk_server.store.tables import attachments, machines, runs, steps, workflows

Record = dict[str, Any]
"""Columns of a run by name, as values that JSON can hold, ids and times."""

BASE_COLUMNS = ("id", "workflow_id", "machine_id", "status", "created_at")
"""What every record holds."""

COLUMNS = (
    *BASE_COLUMNS,
    "user_id",
    "organization_id",
    "is_priority",
    "error",
    "output_data",
    "input_values",
    "main_prompt",
    "model_metadata",
    "sensitive_input_aliases",
    "usage_metadata",
    "session_id",
    "session_alias",
    "release_session_after",
    "pool_ids",
    "post_run_checks",
    *LIMITS,
    "started_at",
    "ended_at",
)
"""What a full record holds."""


FACTS: Mapping[str, ColumnElement[Any]] = {
    "demand": runs.c.demand,
    "told_message_history": runs.c.told_message_history,
    "told_output_attachment_ids": runs.c.told_output_attachment_ids,
    "has_steps": select(steps.c.id)
    .where(steps.c.run_id == runs.c.id, steps.c.retry == runs.c.retries)
    .correlate(runs)
    .exists(),
    "has_files": select(attachments.c.id).where(attachments.c.run_id == runs.c.id).correlate(runs).exists(),
}
"""What a record tells besides its columns, for who shows it: what kind of machine the run waits for, what a
caller wrote beside the run, and whether there is anything."""

NEEDED_BY: Mapping[str, Sequence[str]] = {
    "run_message_history": ("told_message_history", "has_steps"),
    "output_attachment_ids": ("told_output_attachment_ids", "has_files"),
    "input_attachment_ids": ("has_files",),
}
"""The facts that members need which are no columns."""

_columns_of = attrgetter(*COLUMNS)
EVERYTHING = (*COLUMNS, *NEEDED_BY)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs are asked for; None leaves a condition out. The dates are inclusive."""

    ids: Collection[RunId] | None = None
    workflow_id: WorkflowId | None = None
    machine_id: MachineId | None = None
    session_id: UUID | None = None
    status: RunStatus | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    search: str | None = None
    """Part of the run's id or session alias, or of its workflow's or machine's name, in any case."""

    is_deep_search: bool = False
    """Search inputs, outputs, errors and prompt as well."""


def record_of(run: Run) -> Record:
    """The record of a run that was just made: nothing is beside it yet."""
    columns = dict(zip(COLUMNS, _columns_of(run), strict=True))
    return columns | dict.fromkeys(FACTS) | {"demand": run.demand}


async def get(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> Record | None:
    """The full record, or None when the organization has no such run."""
    asked = {"run_id": run_id, "organization_id": organization_id}
    row = (await conn.execute(_BY_ID, asked)).one_or_none()
    return None if row is None else dict(zip((*COLUMNS, *FACTS), row, strict=True))


async def of_ids(conn: AsyncConnection, ids: Collection[RunId | None]) -> Sequence[Record]:
    """The full records of these runs, of whatever organization; those that are gone are left out."""
    rows = await conn.execute(_BY_IDS, {"run_ids": list(ids)})
    return [dict(zip((*COLUMNS, *FACTS), row, strict=True)) for row in rows]


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    wanted: Wanted,
    *,
    order: RunListOrder = RunListOrder.ACTIVITY,
    members: Collection[str] = EVERYTHING,
    skip: int = 0,
    limit: int = 100,
) -> tuple[Sequence[Record], int]:
    """One page, newest first, and how many there are in all. Records hold `BASE_COLUMNS`, those
    of `members` that are columns, and the `FACTS` that the others need."""
    conditions = _conditions(organization_id, wanted)
    total = (await conn.execute(select(func.count()).select_from(runs).where(*conditions))).scalar_one()
    by = runs.c.moved_at if order is RunListOrder.ACTIVITY else runs.c.created_at
    chosen = [name for name in COLUMNS if name in BASE_COLUMNS or name in members]
    facts = dict.fromkeys(fact for member in members for fact in NEEDED_BY.get(member, ()))
    rows = await conn.execute(
        select(*(runs.c[name] for name in chosen), *(FACTS[name].label(name) for name in facts))
        .where(*conditions)
        .order_by(by.desc(), runs.c.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return [dict(zip((*chosen, *facts), row, strict=True)) for row in rows], total


async def prompts(conn: AsyncConnection, workflow_ids: Collection[WorkflowId]) -> Mapping[WorkflowId, str]:
    """The prompts of the workflows, deleted ones included."""
    rows = await conn.execute(
        select(workflows.c.id, workflows.c.main_prompt).where(workflows.c.id.in_(workflow_ids))
    )
    return {row.id: row.main_prompt for row in rows}


async def own_prompts(conn: AsyncConnection, run_ids: Collection[RunId]) -> Mapping[RunId, str]:
    """The prompts that runs have in place of their workflow's; runs without one are left out."""
    rows = await conn.execute(
        select(runs.c.id, runs.c.main_prompt).where(runs.c.id.in_(run_ids), runs.c.main_prompt.is_not(None))
    )
    return {row.id: row.main_prompt for row in rows}


def _conditions(organization_id: OrganizationId, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [runs.c.organization_id == organization_id]
    if wanted.ids is not None:
        conditions.append(runs.c.id.in_(wanted.ids))
    if wanted.workflow_id is not None:
        conditions.append(runs.c.workflow_id == wanted.workflow_id)
    if wanted.machine_id is not None:
        conditions.append(runs.c.machine_id == wanted.machine_id)
    if wanted.session_id is not None:
        conditions.append(runs.c.session_id == wanted.session_id)
    if wanted.status is not None:
        conditions.append(runs.c.status == wanted.status.value)
    if wanted.created_from is not None:
        conditions.append(runs.c.created_at >= wanted.created_from)
    if wanted.created_to is not None:
        conditions.append(runs.c.created_at <= wanted.created_to)
    if wanted.search is not None:
        conditions.append(_found(organization_id, wanted.search, is_deep=wanted.is_deep_search))
    return conditions


def _found(organization_id: OrganizationId, part: str, *, is_deep: bool) -> ColumnElement[bool]:
    places: list[ColumnElement[Any]] = [cast(runs.c.id, Text), runs.c.session_alias]
    if is_deep:
        contents = (runs.c.input_values, runs.c.output_data, runs.c.error)
        places += [runs.c.main_prompt, *(cast(content, Text) for content in contents)]
    of_workflow = select(workflows.c.id).where(
        workflows.c.organization_id == organization_id, contains(part, workflows.c.name)
    )
    on_machine = select(machines.c.id).where(
        machines.c.organization_id == organization_id, contains(part, machines.c.name)
    )
    return contains(part, *places) | runs.c.workflow_id.in_(of_workflow) | runs.c.machine_id.in_(on_machine)


# Built once: putting thirty columns together takes longer than asking for them.
_FULL = select(*(runs.c[name] for name in COLUMNS), *(fact.label(name) for name, fact in FACTS.items()))
_BY_ID = _FULL.where(runs.c.id == bindparam("run_id"), runs.c.organization_id == bindparam("organization_id"))
_BY_IDS = _FULL.where(among(runs.c.id, "run_ids"))
