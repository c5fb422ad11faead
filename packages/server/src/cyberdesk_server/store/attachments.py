"""Files that belong to runs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.attachments import AttachmentType
from cyberdesk_server.domain.ids import AttachmentId, RunId
from cyberdesk_server.store.tables import attachments, runs


async def add_output(
    conn: AsyncConnection,
    *,
    run_id: RunId,
    attempt: int,
    filename: str,
    content_type: str,
    size_bytes: int,
    blob_key: str,
    now: datetime,
) -> AttachmentId:
    """A file the run made. The content is under `blob_key` already.

    Raises `LookupError` when the run is gone or another worker has it.
    """
    organization_id = (
        await conn.execute(
            select(runs.c.organization_id).where(runs.c.id == run_id, runs.c.attempt == attempt)
        )
    ).scalar_one_or_none()
    if organization_id is None:
        raise LookupError(f"run {run_id} is not in attempt {attempt}")
    attachment_id = AttachmentId(uuid4())
    await conn.execute(
        attachments.insert().values(
            id=attachment_id,
            organization_id=organization_id,
            run_id=run_id,
            type=AttachmentType.OUTPUT.value,
            filename=filename,
            content_type=content_type,
            size_bytes=size_bytes,
            blob_key=blob_key,
            created_at=now,
        )
    )
    return attachment_id


async def ids_of(
    conn: AsyncConnection, run_ids: Sequence[RunId]
) -> Mapping[RunId, Mapping[AttachmentType, tuple[AttachmentId, ...]]]:
    """Ids of the runs' files by type, oldest first; runs without files are left out."""
    rows = await conn.execute(
        select(attachments.c.run_id, attachments.c.type, attachments.c.id)
        .where(attachments.c.run_id.in_(run_ids))
        .order_by(attachments.c.created_at, attachments.c.id)
    )
    found: dict[RunId, dict[AttachmentType, tuple[AttachmentId, ...]]] = defaultdict(dict)
    for run_id, type_, attachment_id in rows:
        of_type = AttachmentType(type_)
        found[run_id][of_type] = (*found[run_id].get(of_type, ()), attachment_id)
    return found


async def blob_keys(conn: AsyncConnection, run_id: RunId) -> tuple[str, ...]:
    """Where the contents of the run's files are."""
    rows = await conn.execute(select(attachments.c.blob_key).where(attachments.c.run_id == run_id))
    return tuple(rows.scalars())
