"""Creating, changing, ending and deleting runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.addresses import blob_key_of, is_history_image
from cyberdesk_server.domain.attachments import StoredFile
from cyberdesk_server.domain.ids import OrganizationId, RunId
from cyberdesk_server.domain.json import JsonObject, JsonValue
from cyberdesk_server.domain.limits import ServerLimits
from cyberdesk_server.domain.refusals import (
    InvalidFields,
    Problem,
    RunAlreadyEnded,
    RunAlreadyStarted,
    RunNotEnded,
    RunStillHoldsMachine,
    Unknown,
    UnknownRunImage,
    invalid,
)
from cyberdesk_server.domain.runs import Run, RunStatus
from cyberdesk_server.ports import Vault
from cyberdesk_server.store import (
    attachments,
    machines,
    pictures,
    runs,
    sessions,
    webhook_messages,
    workflows,
)
from cyberdesk_server.usecases.endings import settle
from cyberdesk_server.usecases.orders import Order, Placed, check, write
from cyberdesk_server.usecases.placement import Wish, place
from cyberdesk_server.usecases.run_inputs import Given, problems_of
from cyberdesk_server.usecases.run_views import TOLD
from cyberdesk_server.usecases.webhook_messages import spread


async def create(
    conn: AsyncConnection,
    order: Order,
    wish: Wish,
    *,
    organization_id: OrganizationId,
    allowed: ServerLimits,
    vault: Vault,
    now: datetime,
    files: tuple[StoredFile, ...] = (),
    count: int = 1,
) -> tuple[Run, ...]:
    """`count` runs that wait for their machine; those of one session follow each other in it.

    Raises `Unknown`, `SessionEnded`, and `InvalidFields` when a variable of the prompt has no value, the
    inputs do not fit the workflow's schema or refer to a run that is not there, and when a limit is beyond
    what the server allows.
    """
    placement = await place(conn, organization_id, wish, now=now)
    session_id = placement.session_id
    known = await sessions.aliases(conn, session_id) if session_id is not None else ()
    workflow, problems = await check(
        conn, organization_id, order, placement, allowed=allowed, refers_to=known
    )
    if problems:
        raise InvalidFields(problems)
    first = Placed(order, workflow, placement, files)
    others = replace(first, placement=placement.following())
    return await write(conn, [first, *[others] * (count - 1)], allowed=allowed, vault=vault, now=now)


async def update(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    run_id: RunId,
    *,
    status: RunStatus | None,
    changes: Mapping[str, Any],
    now: datetime,
) -> tuple[RunId, ...]:
    """Change these fields of the run; a terminal `status` ends it. Answers which other runs ended with it.

    Raises `Unknown`, `RunAlreadyEnded`, `RunAlreadyStarted` for new inputs of a run under way, and
    `InvalidFields` for a status that only a worker can give.
    """
    run = await _get(conn, organization_id, run_id)
    if run.status.is_terminal:
        raise RunAlreadyEnded(run.id, run.status)
    if status is not None and not status.is_terminal and status is not run.status:
        raise invalid(
            ("body", "status"), "a caller can only end a run: success, task_failed, error, cancelled"
        )
    if "input_values" in changes:
        await _check_new_inputs(conn, run, changes["input_values"])
    await _check_what_is_told(conn, run, changes)
    columns = {TOLD.get(name, name): value for name, value in changes.items()}
    others: tuple[RunId, ...] = ()
    if status is not None and status.is_terminal:
        updated = await runs.end(conn, run.id, status=status, changes=columns, now=now)
        others = await settle(conn, [updated], now=now) if updated else ()
    else:
        updated = await runs.update_fields(conn, run.id, columns) if columns else run
    if updated is None:
        raise RunAlreadyEnded(run.id, (await _get(conn, organization_id, run_id)).status)
    return others


async def delete(
    conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId, *, now: datetime
) -> tuple[str, ...]:
    """Remove a run that has ended, with its journal and files, and the webhooks that told of it; those that
    are still on their way arrive.

    Returns the keys of the blobs that belonged to nobody else; the caller deletes them after the commit.
    Raises `Unknown`, `RunNotEnded`, `RunStillHoldsMachine`.
    """
    run = await _get(conn, organization_id, run_id)
    if not run.status.is_terminal:
        raise RunNotEnded(run.id, run.status)
    await spread(conn, now=now, run_id=run.id)
    await webhook_messages.forget_run(conn, run.id)
    files = await attachments.forget_all(conn, run.id)
    shown = await pictures.only_shown_by(conn, run.id)
    if not await runs.delete(conn, run.id):
        raise RunStillHoldsMachine(run.id)
    return (*files, *map(blob_key_of, shown))


async def image_blob_key(
    conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId, address: str
) -> str:
    """Where the content of a picture in the run's history is. Raises `Unknown`, `UnknownRunImage`."""
    run = await _get(conn, organization_id, run_id)
    if not await pictures.is_shown(conn, run.id, address):
        raise UnknownRunImage(run.id)
    return blob_key_of(address)


async def _get(conn: AsyncConnection, organization_id: OrganizationId, run_id: RunId) -> Run:
    run = await runs.get(conn, organization_id, run_id)
    if run is None:
        raise Unknown("run", run_id)
    return run


async def _check_new_inputs(conn: AsyncConnection, run: Run, input_values: JsonObject | None) -> None:
    if run.status is not RunStatus.SCHEDULING:
        raise RunAlreadyStarted(run.id)
    workflow = (await workflows.even_deleted(conn, [run.workflow_id]))[run.workflow_id]
    given = Given(
        inputs=input_values or {},
        secrets=dict.fromkeys(run.sensitive_input_aliases or ()),
        knows_secrets=False,
        aliases=(await sessions.outcomes(conn, [run]))[run.id],
    )
    machine = None
    if run.machine_id is not None:
        machine = await machines.get(conn, run.organization_id, run.machine_id)
    prompt = run.main_prompt or workflow.main_prompt
    problems = await problems_of(conn, prompt, workflow, given, machine=machine, pool_ids=run.pool_ids)
    if problems:
        raise InvalidFields(problems)


async def _check_what_is_told(conn: AsyncConnection, run: Run, changes: Mapping[str, Any]) -> None:
    ids: Sequence[str] = changes.get("output_attachment_ids") or ()
    known = {str(id_) for id_ in await attachments.of_organization(conn, run.organization_id, ids)}
    problems = tuple(
        Problem(("body", "output_attachment_ids", index), "there is no such attachment")
        for index, id_ in enumerate(ids)
        if id_ not in known
    )
    if problems:
        raise InvalidFields(problems)
    history = changes.get("run_message_history")
    shown = [text for text in _texts(history) if is_history_image(text, run.organization_id)]
    await pictures.show(conn, run.id, shown)


def _texts(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
