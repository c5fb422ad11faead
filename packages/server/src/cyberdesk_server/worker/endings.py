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
from cyberdesk_server.store.database import Database
from cyberdesk_server.store.leases import Held
from cyberdesk_server.usecases import trajectories
from cyberdesk_server.usecases.endings import finish

ENDINGS_AT_ONCE = 32
"""How many share a transaction."""


@dataclass(eq=False, slots=True)
class _Entry:
    claim: CheckClaim
    ending: Ending
    ended: tuple[RunId, ...] | None = None
    """What `Endings.write` answers; None until it is committed."""

    is_alone: bool = False
    """It was in a transaction that failed, perhaps by its fault."""


class Endings:
    """Writes how claimed runs ended. One for all the jobs of a worker."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[_Entry] = []
        self._turn = asyncio.Lock()

    async def write(self, claim: CheckClaim, ending: Ending) -> tuple[RunId, ...]:
        """Which runs have ended by it, the claim's own first; none when the worker lost the run or it had
        ended already. It is committed then, and the run holds its machine no more.

        Raises what the database raises, and nothing is written then. To do it twice does no harm: it names
        the attempt.
        """
        entry = _Entry(claim, ending)
        self._waiting.append(entry)
        try:
            async with self._turn:
                while entry.ended is None:
                    await self._write_together(entry)
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
        return entry.ended

    async def _write_together(self, first: _Entry) -> None:
        """This one and others that wait, or only this one after it has failed among others."""
        others = [] if first.is_alone else [one for one in self._waiting if one is not first]
        together = [first, *(one for one in others if not one.is_alone)][:ENDINGS_AT_ONCE]
        try:
            ended = await self._write(together)
        except Exception:
            if len(together) == 1:
                raise
            for entry in together:
                entry.is_alone = True
            return
        for entry in together:
            entry.ended = ended.get(entry.claim.held, ())
            self._waiting.remove(entry)

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
                elif ending.status is RunStatus.SUCCESS and ending.display is not None:
                    await trajectories.record(conn, claim.run, claim.prompt, ending.display, now=now)
        return ended
