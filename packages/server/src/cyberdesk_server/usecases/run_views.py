"""The members of a run as callers and webhooks see it: the record, and what is kept beside it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.attachments import AttachmentType
from cyberdesk_server.domain.check_verdicts import after_the_end
from cyberdesk_server.domain.history import Message, message_history
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.runs import RunField, RunStatus
from cyberdesk_server.store import attachments, run_records, steps
from cyberdesk_server.store.run_records import FACTS, Record

View = dict[str, Any]

TOLD = {
    "run_message_history": "told_message_history",
    "output_attachment_ids": "told_output_attachment_ids",
}
"""Members that are views of journal and files until a caller writes them, and the columns it writes."""

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
