"""Files that belong to runs.

What removes files answers the keys of the contents nobody has any more; the caller deletes those blobs after
the commit. A content gets all its files in the transaction that first names it, so nobody can come to use it
between the two.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.domain.attachments import Attachment, AttachmentType, StoredFile
from cyberdesk_server.domain.ids import AttachmentId, OrganizationId, RunId, is_uuid
from cyberdesk_server.store.tables import attachments, runs


async def add(conn: AsyncConnection, attachment: Attachment) -> None:
    """Write a new file. Its content is in the blob store already."""
    values = {column.name: getattr(attachment, column.name) for column in attachments.c}
    await conn.execute(attachments.insert().values(values | {"type": attachment.type.value}))


async def add_inputs(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    run_ids: Sequence[RunId],
    files: Sequence[StoredFile],
    *,
    now: datetime,
) -> None:
    """Give every one of the runs these input files; the runs share the contents."""
    if run_ids and files:
        await conn.execute(
            attachments.insert(),
            [
                {
                    "id": AttachmentId(uuid4()),
                    "organization_id": organization_id,
                    "run_id": run_id,
                    "type": AttachmentType.INPUT.value,
                    "filename": file.filename,
                    "content_type": file.content_type,
                    "size_bytes": file.size_bytes,
                    "blob_key": file.blob_key,
                    "target_path": file.target_path,
                    "cleanup_imports_after_run": file.cleanup_imports_after_run,
                    "created_at": now,
                }
                for run_id in run_ids
                for file in files
            ],
        )


async def replace_inputs(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    run_id: RunId,
    files: Sequence[StoredFile],
    *,
    now: datetime,
) -> tuple[str, ...]:
    """Give the run these input files instead of those it had; which contents nobody has any more."""
    orphans = await _remove(
        conn, attachments.c.run_id == run_id, attachments.c.type == AttachmentType.INPUT.value
    )
    await add_inputs(conn, organization_id, [run_id], files, now=now)
    return orphans


async def forget_outputs(conn: AsyncConnection, run_id: RunId) -> tuple[str, ...]:
    """Remove what the run made; which contents nobody has any more."""
    return await _remove(
        conn, attachments.c.run_id == run_id, attachments.c.type == AttachmentType.OUTPUT.value
    )


async def forget_all(conn: AsyncConnection, run_id: RunId) -> tuple[str, ...]:
    """Remove every file of the run; which contents nobody has any more."""
    return await _remove(conn, attachments.c.run_id == run_id)


async def remove(
    conn: AsyncConnection, organization_id: OrganizationId, attachment_id: AttachmentId
) -> tuple[str, ...]:
    """Remove one file; which contents nobody has any more."""
    return await _remove(
        conn, attachments.c.id == attachment_id, attachments.c.organization_id == organization_id
    )


async def remove_expired(conn: AsyncConnection, *, now: datetime) -> tuple[str, ...]:
    """Remove the files whose time is up; which contents nobody has any more."""
    return await _remove(conn, attachments.c.expires_at <= now)


async def in_use(conn: AsyncConnection, blob_keys: Collection[str]) -> frozenset[str]:
    """Those of the contents that files have."""
    rows = await conn.execute(
        select(attachments.c.blob_key).where(attachments.c.blob_key.in_(blob_keys)).distinct()
    )
    return frozenset(rows.scalars())


async def get(
    conn: AsyncConnection, organization_id: OrganizationId, attachment_id: AttachmentId, *, now: datetime
) -> Attachment | None:
    """The file; None when the organization has no such file, or its time is up."""
    row = (
        await conn.execute(
            select(attachments).where(
                attachments.c.id == attachment_id,
                attachments.c.organization_id == organization_id,
                _is_there(now),
            )
        )
    ).one_or_none()
    return None if row is None else _attachment(row)


async def find(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    *,
    run_id: RunId | None = None,
    type_: AttachmentType | None = None,
    now: datetime,
    skip: int = 0,
    limit: int = 100,
) -> tuple[Sequence[Attachment], int]:
    """One page, oldest first, and how many there are in all; without those whose time is up."""
    conditions = [attachments.c.organization_id == organization_id, _is_there(now)]
    if run_id is not None:
        conditions.append(attachments.c.run_id == run_id)
    if type_ is not None:
        conditions.append(attachments.c.type == type_.value)
    total = (
        await conn.execute(select(func.count()).select_from(attachments).where(*conditions))
    ).scalar_one()
    rows = await conn.execute(
        select(attachments)
        .where(*conditions)
        .order_by(attachments.c.created_at, attachments.c.id)
        .offset(skip)
        .limit(limit)
    )
    return [_attachment(row) for row in rows], total


async def inputs_of(conn: AsyncConnection, run_id: RunId, *, now: datetime) -> tuple[Attachment, ...]:
    """The run's input files, oldest first; without those whose time is up."""
    return await _of_run(conn, run_id, AttachmentType.INPUT, now)


async def outputs_of(conn: AsyncConnection, run_id: RunId, *, now: datetime) -> tuple[Attachment, ...]:
    """The run's output files, oldest first; without those whose time is up."""
    return await _of_run(conn, run_id, AttachmentType.OUTPUT, now)


async def _of_run(
    conn: AsyncConnection, run_id: RunId, type_: AttachmentType, now: datetime
) -> tuple[Attachment, ...]:
    rows = await conn.execute(
        select(attachments)
        .where(attachments.c.run_id == run_id, attachments.c.type == type_.value, _is_there(now))
        .order_by(attachments.c.created_at, attachments.c.id)
    )
    return tuple(_attachment(row) for row in rows)


async def set_expiry(
    conn: AsyncConnection,
    organization_id: OrganizationId,
    attachment_id: AttachmentId,
    expires_at: datetime | None,
) -> None:
    """Let the file's time be up then, or never."""
    await conn.execute(
        update(attachments)
        .where(attachments.c.id == attachment_id, attachments.c.organization_id == organization_id)
        .values(expires_at=expires_at)
    )


async def set_written(
    conn: AsyncConnection, attachment_id: AttachmentId, attempt: int, written_path: str
) -> None:
    """Remember where on the machine the file was put; by the worker that has the run, and no other."""
    claimed = select(runs.c.id).where(runs.c.id == attachments.c.run_id, runs.c.attempt == attempt)
    await conn.execute(
        update(attachments)
        .where(attachments.c.id == attachment_id, claimed.exists())
        .values(written_path=written_path)
    )


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
    made = Attachment(
        id=AttachmentId(uuid4()),
        organization_id=organization_id,
        run_id=run_id,
        type=AttachmentType.OUTPUT,
        filename=filename,
        content_type=content_type,
        size_bytes=size_bytes,
        blob_key=blob_key,
        created_at=now,
    )
    await add(conn, made)
    return made.id


async def ids_of(
    conn: AsyncConnection, run_ids: Sequence[RunId]
) -> Mapping[RunId, Mapping[AttachmentType, tuple[AttachmentId, ...]]]:
    """Ids of the runs' files by type, oldest first; runs without files are left out."""
    if not run_ids:
        return {}
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


async def of_organization(
    conn: AsyncConnection, organization_id: OrganizationId, ids: Collection[str]
) -> tuple[AttachmentId, ...]:
    """Those of `ids` that are files of the organization's runs; a text that is no id is none."""
    wanted = [UUID(id_) for id_ in ids if is_uuid(id_)]
    if not wanted:
        return ()
    rows = await conn.execute(
        select(attachments.c.id).where(
            attachments.c.organization_id == organization_id, attachments.c.id.in_(wanted)
        )
    )
    return tuple(rows.scalars())


def _is_there(now: datetime) -> ColumnElement[bool]:
    return or_(attachments.c.expires_at.is_(None), attachments.c.expires_at > now)


async def _remove(conn: AsyncConnection, *which: ColumnElement[bool]) -> tuple[str, ...]:
    rows = await conn.execute(attachments.delete().where(*which).returning(attachments.c.blob_key))
    keys = dict.fromkeys(rows.scalars())
    still_used = await in_use(conn, keys) if keys else frozenset()
    return tuple(key for key in keys if key not in still_used)


def _attachment(row: Row[Any]) -> Attachment:
    fields = dict(row._mapping)
    return Attachment(**fields | {"type": AttachmentType(fields["type"])})
