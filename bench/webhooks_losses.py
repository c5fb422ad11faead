"""Nothing is lost, and no id changes, though a sender is killed again and again while messages are under way.

On SQLite it is the only one, on PostgreSQL another goes on beside it.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import perf_counter

from cyberdesk_server.store.database import Database

from bench.goals import Goal, tell
from bench.webhooks_load import Health, Receivers, end_runs, more_than, receivers, told_workflow

KILLS = 10
ENDPOINTS = {Health.WELL: 14, Health.FAILING: 2, Health.TIMING_OUT: 2, Health.SLOW: 2}
"""Three of ten are ill."""

RUNS_AT_ONCE = 100
SILENCE_SECONDS = 60.0
"""When nothing came for so long, nothing comes any more."""


async def measure(name: str, database: Database, *, events: int) -> None:
    """As many events as asked for."""
    async with receivers() as these, AsyncExitStack() as senders:
        workflows = [
            await told_workflow(database, these.url(health))
            for health, count in ENDPOINTS.items()
            for _ in range(count)
        ]
        start = perf_counter()
        if name != "sqlite":
            await senders.enter_async_context(_a_sender(database.url, folder="spared"))
        killer = asyncio.create_task(_kill_again_and_again(database.url, these, events))
        ended: set[str] = set()
        for first in range(0, events, RUNS_AT_ONCE):
            numbers = range(first, min(first + RUNS_AT_ONCE, events))
            ended |= (await end_runs(database, *(workflows[one % len(workflows)] for one in numbers))).keys()
            await asyncio.sleep(0)
        await killer
        await senders.enter_async_context(_a_sender(database.url))
        await these.until(ended.issubset, silence_seconds=SILENCE_SECONDS)
        seconds = perf_counter() - start
    tell(f"webhooks_{name}_events", len(ended))
    tell(f"webhooks_{name}_events_per_second", len(ended) / seconds)
    tell(f"webhooks_{name}_requests_per_event", these.requests / len(ended))
    Goal(f"webhooks_{name}_lost_events", at_most=0).tell(len(ended - these.taken))
    Goal(f"webhooks_{name}_changed_ids", at_most=0).tell(sum(len(ids) != 1 for ids in these.ids.values()))


async def _kill_again_and_again(url: str, these: Receivers, events: int) -> None:
    """Kill so many senders, from the first events to the last, each while messages are under way."""
    for number in range(1, KILLS + 1):
        share = more_than(events * number // (KILLS + 1))
        async with _a_sender(url):
            await these.until(share, silence_seconds=SILENCE_SECONDS)


@asynccontextmanager
async def _a_sender(url: str, folder: str = "killed") -> AsyncIterator[None]:
    """A process that sends webhooks; it is killed at the end of the block.

    It takes over at once what the last one with this folder had under way.
    """
    command = (sys.executable, "-m", "bench.webhooks_sender", url, folder)
    sender = await asyncio.create_subprocess_exec(*command)
    try:
        yield
    finally:
        sender.kill()
        await sender.wait()
