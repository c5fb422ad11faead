"""What the server does again and again, by the clock: each chore at its own pace, for ever."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from cyberdesk_server.ports import Clock
from cyberdesk_server.store.database import is_away

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done now and then; done twice it does no harm, for every process does it."""

    name: str
    every_seconds: float
    """Between the end of one time and the next."""

    do: Callable[[], Awaitable[None]]


async def keep_doing(clock: Clock, chores: Sequence[Chore]) -> None:
    """Do each of the chores at once and then at its pace, until cancelled. One that fails is tried again."""
    async with asyncio.TaskGroup() as group:
        for chore in chores:
            group.create_task(_keep_doing(clock, chore))


async def _keep_doing(clock: Clock, chore: Chore) -> None:
    while True:
        try:
            await chore.do()
        except Exception as error:  # the edge: one chore's trouble must not end the server
            if is_away(error):
                log.warning("the database is away, the chore waits for it", chore=chore.name)
            else:
                log.exception("chore failed, trying again", chore=chore.name)
        await clock.sleep(chore.every_seconds)
