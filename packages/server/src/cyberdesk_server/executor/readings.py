"""Readings that go on in the background while the run does.

A look whose reading is not over is `done` in the journal and says so in its result. That is all there is to
know: a worker that takes the run over reads the stored picture again.
"""

import asyncio
import hashlib
from collections.abc import Sequence

from cyberdesk_server.domain.addresses import blob_key_of
from cyberdesk_server.domain.ids import StepId
from cyberdesk_server.domain.screens import Screenshot, png_size
from cyberdesk_server.domain.steps import Step, StepState, is_being_read, read_later_at
from cyberdesk_server.domain.tasks import Task
from cyberdesk_server.executor.journal import RunJournal
from cyberdesk_server.executor.parts import ExecutorParts
from cyberdesk_server.executor.signals import ToolFailed
from cyberdesk_server.executor.tools.base import Outcome
from cyberdesk_server.executor.tools.reading import ProcessAsync, reading_of
from cyberdesk_server.executor.watch import Watch
from cyberdesk_server.ports import BlobMissing


class Readings:
    """Those of one claim."""

    def __init__(self, parts: ExecutorParts, watch: Watch, journal: RunJournal, task: Task) -> None:
        self._parts = parts
        self._watch = watch
        self._journal = journal
        self._task = task
        self._going_on: dict[StepId, asyncio.Task[None]] = {}

    def begin(self, step: Step) -> None:
        """Read what this look has shown. The result is written into the journal as soon as it is there."""
        if step.id not in self._going_on:
            self._going_on[step.id] = asyncio.create_task(self._read(step))

    async def of_turns(self) -> None:
        """Wait for the readings that the next turn needs: those of a batch of calls."""
        await self._over([step for step in self._journal.history if not _is_for_the_end(step)])

    async def all(self) -> None:
        """Wait for every reading: for before the output is built."""
        await self._over(self._journal.history)

    async def stop(self) -> None:
        """Read no more: for a run that ends without an output."""
        for task in self._going_on.values():
            task.cancel()
        await asyncio.gather(*self._going_on.values(), return_exceptions=True)

    @property
    def complaints(self) -> tuple[str, ...]:
        """Why nothing came of readings that nobody but the caller can be told of."""
        return tuple(
            f"step {step.number} could not be read: {step.error}"
            for step in self._journal.history
            if step.state is StepState.FAILED and read_later_at(step) and _is_for_the_end(step)
        )

    async def _over(self, steps: Sequence[Step]) -> None:
        waited_for = [step for step in steps if is_being_read(step)]
        for step in waited_for:
            self.begin(step)
        await asyncio.gather(*(self._going_on[step.id] for step in waited_for))

    async def _read(self, step: Step) -> None:
        try:
            outcome = await self._outcome(step)
        except (ToolFailed, BlobMissing) as failure:
            await self._journal.fail_reading(step, str(failure))
        else:
            await self._journal.complete_reading(step, outcome)

    async def _outcome(self, step: Step) -> Outcome:
        png = await self._parts.blobs.get(blob_key_of(step.images[0]))
        size = png_size(png)
        assert size is not None, "a stored screen is a PNG"
        picture = Screenshot(png, size, hashlib.sha256(png).hexdigest())
        prompt = str(step.call.arguments["extract_prompt"])
        return await reading_of(prompt, self._task, picture, self._parts, self._watch)


def _is_for_the_end(step: Step) -> bool:
    return step.call.arguments.get("process_async") == ProcessAsync.RUN
