"""How callers see runs: the record, and what is kept beside it, read only when it was asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields as fields_of
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.api.schemas.runs import RunField
from cyberdesk_server.api.views import View, included, included_once, machine_view
from cyberdesk_server.api.workflow_views import workflow_views
from cyberdesk_server.domain.attachments import AttachmentType
from cyberdesk_server.domain.check_verdicts import after_the_end
from cyberdesk_server.domain.history import Message, message_history
from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.waiting import Waiter
from cyberdesk_server.store import attachments, machines, pools, run_records, steps, workflows
from cyberdesk_server.store.run_records import FACTS, Record, record_of
from cyberdesk_server.usecases import waiting
from cyberdesk_server.usecases.runs import TOLD

ALL_FIELDS = frozenset(RunField)
ATTACHMENTS = {
    RunField.INPUT_ATTACHMENT_IDS: AttachmentType.INPUT,
    RunField.OUTPUT_ATTACHMENT_IDS: AttachmentType.OUTPUT,
}


async def run_views(
    conn: AsyncConnection, records: Sequence[Record], fields: Collection[RunField] = ALL_FIELDS
) -> list[View]:
    """The records with these members; what is not asked for, or not there, is not read."""
    views = [{name: value for name, value in record.items() if name not in FACTS} for record in records]
    for view in views:
        if view.get("post_run_checks") and RunStatus(view["status"]).is_terminal:
            view["post_run_checks"] = after_the_end(view["post_run_checks"])
    beside: dict[RunField, Mapping[RunId, Sequence[Any]]] = {}
    wanted_files = ATTACHMENTS.keys() & set(fields)
    if wanted_files:
        files = await attachments.ids_of(conn, [one["id"] for one in records if one["has_files"]])
        for field in wanted_files:
            beside[field] = {id_: of_run.get(ATTACHMENTS[field], ()) for id_, of_run in files.items()}
    if RunField.RUN_MESSAGE_HISTORY in fields:
        unsaid = [one for one in records if one["has_steps"] and one["told_message_history"] is None]
        beside[RunField.RUN_MESSAGE_HISTORY] = await _histories(conn, unsaid)
    for field, values in beside.items():
        told = TOLD.get(field)
        for record, view in zip(records, views, strict=True):
            own = None if told is None else record[told]
            view[field.value] = values.get(view["id"], ()) if own is None else own
    return views


async def run_view(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> View:
    """The run with all members. Raises `Unknown` when the organization has no such run."""
    [view] = await run_views(conn, [await _record(conn, organization_id, run_id)])
    return view


async def explained_run_view(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> View:
    """As `run_view`, with the reason why the run waits, if it does."""
    record = await _record(conn, organization_id, run_id)
    [view] = await run_views(conn, [record])
    does_wait = record["status"] == RunStatus.SCHEDULING
    view["waiting_reason"] = await waiting.reason(conn, _waiter(record)) if does_wait else None
    return view


async def new_run_views(conn: AsyncConnection, made: Sequence[Run], *, have_files: bool) -> list[View]:
    """The views of runs that were just made: nothing is beside them yet but their files."""
    return await run_views(conn, [record_of(run) | {"has_files": have_files} for run in made])


async def related(
    conn: AsyncConnection, organization_id: OrganizationId, views: Sequence[View], include: Collection[str]
) -> list[View]:
    """The workflows, machines and machines' pools of these runs, each once, as `include` asks for."""
    found: list[View] = []
    if "workflow" in include:
        ids = list({view["workflow_id"] for view in views})
        page, _ = await workflows.find(conn, organization_id, ids=ids, limit=len(ids))
        found += [included("workflow", view) for view in await workflow_views(conn, page)]
    if "machine" in include or "machine.pools" in include:
        ids = list({view["machine_id"] for view in views if view["machine_id"] is not None})
        machines_found, _ = await machines.find(conn, organization_id, ids=ids, limit=len(ids))
        its_pools = await pools.of_machines(conn, ids)
        shown = [machine_view(one, its_pools.get(one.id, ())) for one in machines_found]
        found += included_once("machine", shown)
        if "machine.pools" in include:
            found += included_once("pool", (pool for machine in shown for pool in machine["pools"]))
    return found


async def _record(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> Record:
    record = await run_records.get(conn, organization_id, run_id)
    if record is None:
        raise Unknown("run", run_id)
    return record


def _waiter(record: Record) -> Waiter:
    return Waiter(**{member.name: record[member.name] for member in fields_of(Waiter)})


async def _histories(conn: AsyncConnection, records: Sequence[Record]) -> Mapping[RunId, list[Message]]:
    if not records:
        return {}
    ids = [record["id"] for record in records]
    journals = await steps.histories(conn, ids)
    of_workflow = await run_records.prompts(conn, {record["workflow_id"] for record in records})
    own = await run_records.own_prompts(conn, ids)
    return {
        record["id"]: message_history(
            own.get(record["id"]) or of_workflow.get(record["workflow_id"], ""),
            journals.get(record["id"], ()),
        )
        for record in records
    }
