"""Endings of runs, written together: while some are being committed, those that come gather for the next.

So many runs that end at once cost a few commits, and one that ends alone waits for nobody.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cyberdesk_server.domain.endings import Ending
from cyberdesk_server.domain.ids import RunId
from cyberdesk_server.domain.runs import RunStatus
from cyberdesk_server.ports import Clock
from cyberdesk_server.store import leases
from cyberdesk_server.store.claims import CheckClaim
from cyberdesk_server.store.database import Database, is_away
from cyberdesk_server.store.leases import Held
from cyberdesk_server.usecases import trajectories
from cyberdesk_server.usecases.endings import finish

ENDINGS_AT_ONCE = 32
"""How many share a transaction."""


@dataclass(eq=False, frozen=True, slots=True)
class _Entry:
    claim: CheckClaim
    ending: Ending
    ended: asyncio.Future[tuple[RunId, ...]]


class Endings:
    """Writes how claimed runs ended. One for all the jobs of a worker."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[_Entry] = []
        self._has_come = asyncio.Event()
        self._are_all_written = asyncio.Event()
        self._are_all_written.set()

    async def write(self, claim: CheckClaim, ending: Ending) -> tuple[RunId, ...]:
        """Which runs have ended by it, the claim's own first; none when the worker lost the run or it had
        ended already. It is committed then, and the run holds its machine no more.

        Raises what the database raises, and nothing is written then. To do it twice does no harm: it names
        the attempt. While nobody is at `keep_writing`, it waits.
        """
        entry = _Entry(claim, ending, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self._has_come.set()
        self._are_all_written.clear()
        return await entry.ended

    async def all_written(self) -> None:
        """Return when no ending waits or is being written."""
        await self._are_all_written.wait()

    async def keep_writing(self) -> None:
        """Write what comes, until cancelled."""
        while True:
            await self._has_come.wait()
            together = [entry for entry in self._waiting[:ENDINGS_AT_ONCE] if not entry.ended.done()]
            del self._waiting[:ENDINGS_AT_ONCE]
            if not self._waiting:
                self._has_come.clear()
            if together:
                await self._settle(together)
            if not self._waiting:
                self._are_all_written.set()

    async def _settle(self, together: Sequence[_Entry]) -> None:
        error = await self._try(together)
        if error is None:
            return
        if len(together) == 1:
            _fail(together, error)
            return
        # It may be the fault of one of them, which is none of the others' business.
        for number, entry in enumerate(together):
            error = await self._try([entry])
            if error is not None and is_away(error):
                _fail(together[number:], error)
                return
            if error is not None:
                _fail([entry], error)

    async def _try(self, together: Sequence[_Entry]) -> Exception | None:
        """Write these and answer them; or none of them, and why not."""
        try:
            ended = await self._write(together)
        except Exception as error:  # whoever waits for it decides what to do
            return error
        for entry in together:
            if not entry.ended.done():
                entry.ended.set_result(ended.get(entry.claim.held, ()))
        return None

    async def _write(self, together: Sequence[_Entry]) -> Mapping[Held, tuple[RunId, ...]]:
        now = self._clock.now()
        endings = {
            entry.claim.held: entry.ending
            for entry in together
            if entry.ending.status is not RunStatus.CANCELLED
        }
        async with self._database.transaction() as conn:
            ended = await finish(conn, endings, now=now) if endings else {}
            for entry in together:
                claim, ending = entry.claim, entry.ending
                if claim.held not in ended:
                    await leases.release(conn, claim.held, now=now)
                    continue
                await trajectories.end_trials(conn, claim.run.id, ending.status, ending.trials, now=now)
                if ending.status is RunStatus.SUCCESS and ending.display is not None:
                    await trajectories.record(conn, claim.run, claim.prompt, ending.display, now=now)
        return ended


def _fail(entries: Sequence[_Entry], error: Exception) -> None:
    for entry in entries:
        if not entry.ended.done():
            entry.ended.set_exception(error)
