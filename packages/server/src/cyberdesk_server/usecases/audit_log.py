"""The audit log, written down in the background: no write waits for it.

What is noted is in the database within about a second, chained there. A server that is killed loses what it
noted since; one that ends in good order writes all of it.
"""

import asyncio
from collections import deque
from contextlib import suppress
from itertools import islice

import structlog
from sqlalchemy.exc import SQLAlchemyError

from cyberdesk_server.domain.audit import Broken, Entry, Head, verify
from cyberdesk_server.domain.ids import OrganizationId
from cyberdesk_server.store import audit_log
from cyberdesk_server.store.database import Database

log = structlog.get_logger(__name__)

WRITE_SECONDS = 1.0
"""Between two writings, so that many entries are one transaction."""

MAX_WAITING = 100_000
"""What comes when so many wait to be written, because the database is away, is lost, and counted."""

BATCH = 250
"""Entries of one transaction: few, because others may wait while they are put together."""

VERIFY_BATCH = 1000


class Trail:
    """Takes the entries of this process and writes them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Entry] = deque()
        self._lost = 0
        self._is_over = asyncio.Event()

    def note(self, entry: Entry) -> None:
        """Takes an entry; takes microseconds."""
        if len(self._waiting) >= MAX_WAITING:
            self._lost += 1
        else:
            self._waiting.append(entry)

    async def keep_written(self) -> None:
        """Write what was noted, until the end; then write what is left."""
        is_over = False
        while not is_over:
            with suppress(TimeoutError):
                async with asyncio.timeout(WRITE_SECONDS):
                    await self._is_over.wait()
            is_over = self._is_over.is_set()
            await self.write()

    def end(self) -> None:
        """Nothing more comes."""
        self._is_over.set()

    async def write(self) -> None:
        """Write all that waits; what the database does not take now waits for the next time.

        By one task at a time.
        """
        try:
            while self._waiting:
                batch = list(islice(self._waiting, BATCH))
                async with self._database.transaction() as conn:
                    await audit_log.append(conn, batch)
                for _ in batch:
                    self._waiting.popleft()
        except SQLAlchemyError:
            log.warning("audit log not written, trying again", exc_info=True)
        if self._lost:
            log.error("entries of the audit log were lost: more came than could be written", lost=self._lost)
            self._lost = 0


async def verify_chain(
    database: Database, organization_id: OrganizationId, expected: Head | None = None
) -> Head | Broken:
    """The head of the organization's chain when all of it holds, else the first entry that does not.

    With `expected`, a head noted earlier, that entry must still be there.
    """
    head = Head()
    is_met = expected is None
    while True:
        async with database.read() as conn:
            part = await audit_log.after(conn, organization_id, head.number, at_most=VERIFY_BATCH)
        if not part:
            break
        is_met = is_met or any(Head(link.number, link.hash) == expected for link in part)
        found = verify(part, head)
        if isinstance(found, Broken):
            return found
        head = found
    if not is_met and expected is not None:
        return Broken(expected.number, "it is not the one that was noted")
    return head
