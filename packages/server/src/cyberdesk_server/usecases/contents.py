"""Contents in the blob store are written before the transaction that names them, so that nothing names what
is not there. Those that no transaction came to name are deleted again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from cyberdesk_server.ports import Blobs
from cyberdesk_server.store.database import Database

AT_ONCE = 500
"""How many keys one question to the database names."""

Named = Callable[[AsyncConnection, Sequence[str]], Awaitable[Collection[str]]]
"""Which of these blob keys the database names."""


@asynccontextmanager
async def kept_if_named(database: Database, blobs: Blobs, named: Named) -> AsyncIterator[list[str]]:
    """A list for the keys of contents, each noted before it is written; the transaction lies inside.

    At the end the contents that are not named are deleted: the write was refused or failed, or had been
    done before under its idempotency key.
    """
    written: list[str] = []
    try:
        yield written
    finally:
        for start in range(0, len(written), AT_ONCE):
            keys = written[start : start + AT_ONCE]
            async with database.read() as conn:
                kept = frozenset(await named(conn, keys))
            for key in keys:
                if key not in kept:
                    await blobs.delete(key)
