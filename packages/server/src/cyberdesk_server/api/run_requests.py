"""What the requests that make, change or end runs have in common."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from cyberdesk_server.api.schemas.runs import FileInput
from cyberdesk_server.domain.ids import MachineId, PoolId, SessionId
from cyberdesk_server.usecases.attachments import SentFile
from cyberdesk_server.usecases.placement import Wish


def sent_files(files: Sequence[FileInput] | None, member: str = "file_inputs") -> tuple[SentFile, ...]:
    """The files of the body's `member`."""
    return tuple(
        SentFile(
            location=("body", member, index, "content"),
            filename=file.filename,
            content=file.content,
            target_path=file.target_path,
            cleanup_imports_after_run=file.cleanup_imports_after_run,
        )
        for index, file in enumerate(files or ())
    )


class Destined(Protocol):
    """A body that says where its runs are to go."""

    machine_id: UUID | None
    pool_ids: list[UUID] | None
    session_id: UUID | None


def wish_of(body: Destined) -> Wish:
    return Wish(
        machine_id=None if body.machine_id is None else MachineId(body.machine_id),
        pool_ids=tuple(map(PoolId, body.pool_ids or ())),
        session_id=None if body.session_id is None else SessionId(body.session_id),
        start_session=bool(getattr(body, "start_session", False)),
    )
