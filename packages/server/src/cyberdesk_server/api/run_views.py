"""How callers see runs: the record, and what is kept beside it, read only when it was asked for."""

from collections.abc import Collection, Sequence
from dataclasses import fields as fields_of

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.api.views import View, included, included_once, machine_view
from cyberdesk_server.api.workflow_views import workflow_views
from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.refusals import Unknown
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.domain.waiting import Waiter
from cyberdesk_server.store import machines, pools, run_records, workflows
from cyberdesk_server.store.run_records import Record, record_of
from cyberdesk_server.usecases import waiting
from cyberdesk_server.usecases.run_views import run_views


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
