"""A run's files on their way: inputs to the machine before the first step and away after the last one,
outputs from the machine into the blob store."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import partial
from uuid import uuid5

import structlog

from cyberdesk_server.domain.actions import RunCommand
from cyberdesk_server.domain.attachments import TRANSFER_FOLDER, Attachment, inside, names_a_folder
from cyberdesk_server.domain.ids import AttachmentId, StepId
from cyberdesk_server.executor.eyes import reaching
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.signals import RunFails, RunStopped
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import BlobMissing, DesktopRefused, PortError
from cyberdesk_server.store import attachments, leases
from cyberdesk_server.store.claims import Claim

log = structlog.get_logger(__name__)

WRITE_BYTES = 1024 * 1024
"""Of a file in one question to a driver. One of the published drivers takes no more than 1.5 MB."""

REMOVE_SECONDS = 15
"""For the command that removes a file."""


class InputFiles:
    """The files a caller gave the run. `bring` and `take_away` may both happen twice."""

    def __init__(self, claim: Claim, parts: ExecutorParts, watch: Watch) -> None:
        self._claim = claim
        self._parts = parts
        self._watch = watch
        self._brought: dict[AttachmentId, tuple[Attachment, str]] = {}
        self._has_none = False
        """Known once they were to be brought: for most runs there is nothing to take away."""

    async def bring(self) -> None:
        """Put every input file where it belongs on the machine. Raises `RunFails` when one cannot be.

        It happens before the first step is begun, so a worker that takes the run over then does it once more:
        nobody has changed the files since. What is there already under the same name is overwritten.
        """
        inputs = await self._inputs()
        self._has_none = not inputs
        for file in inputs:
            try:
                written_path = await reaching(partial(self._write, file), self._parts, self._watch)
            except DesktopRefused as error:
                raise RunFails(
                    f"the input file {file.filename} cannot be put on the machine: {error}"
                ) from error
            except BlobMissing as error:
                raise RunFails(f"the content of the input file {file.filename} is gone") from error
            async with self._parts.database.transaction() as conn:
                await attachments.set_written(conn, file.id, self._claim.attempt, written_path)

    async def take_away(self) -> None:
        """Remove the files that are not to stay, whatever became of the run: as far as that is possible.

        Nothing happens when another worker has the run now. What goes wrong is logged and changes nothing.
        """
        with suppress(TimeoutError, RunStopped):
            async with asyncio.timeout(self._parts.limits.cleanup_seconds):
                for file, path in await self._on_the_machine():
                    if file.cleanup_imports_after_run and await self._holds_machine():
                        await self._remove(file, path)

    async def _inputs(self) -> Sequence[Attachment]:
        async with self._parts.database.read() as conn:
            return await attachments.inputs_of(conn, self._claim.run.id, now=self._parts.clock.now())

    async def _on_the_machine(self) -> Sequence[tuple[Attachment, str]]:
        if self._brought or self._has_none:
            return tuple(self._brought.values())
        # A worker before this one may have brought them.
        return [(file, file.written_path) for file in await self._inputs() if file.written_path]

    async def _holds_machine(self) -> bool:
        async with self._parts.database.read() as conn:
            return await leases.holds_machine(conn, self._claim.held)

    async def _write(self, file: Attachment) -> str:
        """The path it was written to. From the first byte each time: whatever was there is overwritten."""
        path = await self._place(file)
        written_path, is_more = path, False
        async for piece in _pieces(self._parts.blobs.read(file.blob_key)):
            await self._watch.confirm()
            written_path = await self._parts.desktop.write_file(path, piece, is_more=is_more)
            # From its first piece on, for half a file is to be taken away as well.
            self._brought[file.id] = file, written_path
            is_more = True
        return written_path

    async def _place(self, file: Attachment) -> str:
        target = file.target_path or TRANSFER_FOLDER
        if names_a_folder(target) or await self._parts.desktop.is_folder(target):
            return inside(target, file.filename)
        return target

    async def _remove(self, file: Attachment, path: str) -> None:
        # An id of its own for each worker, so that no journal answers one with what another did.
        action_id = StepId(uuid5(file.id, f"take away {self._claim.attempt}"))
        try:
            result = await self._parts.desktop.perform(
                RunCommand(removal_of(path), timeout_seconds=REMOVE_SECONDS), action_id
            )
        except PortError as error:
            log.warning("input file not removed from the machine", path=path, reason=str(error))
            return
        if result.exit_code:
            reason = result.error_text or f"exit code {result.exit_code}"
            log.warning("input file not removed from the machine", path=path, reason=reason)


def removal_of(path: str) -> str:
    """The command that removes a file, for the shell of the system the path is of.

    A file that is not there is no error.
    """
    if path.startswith("/"):
        quoted = path.replace("'", "'\\''")
        return f"rm -f -- '{quoted}'"
    quoted = path.replace("'", "''")
    return f"if (Test-Path -LiteralPath '{quoted}') {{ Remove-Item -Force -LiteralPath '{quoted}' }}"


async def _pieces(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The content in pieces of `WRITE_BYTES`, the last one shorter; one empty piece for an empty content."""
    waiting = bytearray()
    async for part in content:
        waiting += part
        while len(waiting) > WRITE_BYTES:
            yield bytes(waiting[:WRITE_BYTES])
            del waiting[:WRITE_BYTES]
    yield bytes(waiting)
