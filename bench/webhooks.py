"""Webhooks: nothing lost though the sender is killed, how soon a message leaves, what a dead endpoint costs.

EVENTS=5000 makes the first with so many events instead of 100000.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop
from cyberdesk_server.adapters.bus import InProcessBus
from cyberdesk_server.domain.ids import ServerId
from cyberdesk_server.domain.workflows import Workflow
from cyberdesk_server.store.database import Database
from cyberdesk_server.testing.rows import a_database
from cyberdesk_server.topics import WEBHOOKS_WAITING

from bench.goals import Goal, tell, tell_distribution
from bench.webhooks_load import Health, Receivers, end_runs, receivers, told_workflow
from bench.webhooks_sender import a_sender

EVENTS = int(os.environ.get("EVENTS", "100000"))
KILLS = 10
ENDPOINTS = {Health.WELL: 14, Health.FAILING: 2, Health.TIMING_OUT: 2, Health.SLOW: 2}
"""Three of ten are ill."""

RUNS_AT_ONCE = 100
DRAIN_SECONDS = 600.0
"""How long the last messages may take once no sender is killed any more."""

SAMPLES = 200
PAUSE_SECONDS = 0.01
ROUNDS = 3
ALIVE = 5

LOST = Goal("webhooks_lost_events", at_most=0)
CHANGED_IDS = Goal("webhooks_changed_ids", at_most=0)
FIRST_ATTEMPT = Goal("webhooks_first_attempt_p50_ms", at_most=100)
DEAD_ENDPOINT = Goal("webhooks_dead_endpoint_moves_p99_percent", at_most=20)


def measure() -> None:
    with TemporaryDirectory() as folder:
        uvloop.run(_measure(Path(folder)))


async def _measure(folder: Path) -> None:
    async with a_database(folder) as database:
        await _measure_delays(database)
    async with a_database(folder) as database:
        await _measure_losses(database)


async def _measure_losses(database: Database) -> None:
    """As many events as asked for while the sender is killed with -9 again and again."""
    async with receivers() as these:
        workflows = [
            await told_workflow(database, these.url(health))
            for health, count in ENDPOINTS.items()
            for _ in range(count)
        ]
        start = perf_counter()
        killer = asyncio.create_task(_kill_again_and_again(database.url, these))
        ended: set[str] = set()
        for first in range(0, EVENTS, RUNS_AT_ONCE):
            numbers = range(first, min(first + RUNS_AT_ONCE, EVENTS))
            ended |= (await end_runs(database, *(workflows[one % len(workflows)] for one in numbers))).keys()
            await asyncio.sleep(0)
        last = await killer
        await these.until_taken(ended, timeout_seconds=DRAIN_SECONDS)
        seconds = perf_counter() - start
        last.kill()
        await last.wait()
    tell("webhooks_events", len(ended))
    tell("webhooks_events_per_second", len(ended) / seconds)
    tell("webhooks_requests_per_event", these.requests / len(ended))
    LOST.tell(len(ended - these.taken))
    CHANGED_IDS.tell(sum(len(ids) != 1 for ids in these.ids.values()))


async def _kill_again_and_again(url: str, these: Receivers) -> asyncio.subprocess.Process:
    """The sender that is left alive, after so many were killed, each while messages were under way."""
    for _ in range(KILLS):
        sender = await _a_process(url)
        before = these.requests
        while these.requests < before + 20:
            these.changed.clear()
            try:
                async with asyncio.timeout(1):
                    await these.changed.wait()
            except TimeoutError:
                if len(these.taken) >= EVENTS:
                    break
        await asyncio.sleep(random.uniform(0.1, 1.5))
        sender.kill()
        await sender.wait()
    return await _a_process(url)


async def _a_process(url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.webhooks_sender", url)


async def _measure_delays(database: Database) -> None:
    """From the commit of the state to the request, with all endpoints well and with a dead one beside."""
    async with receivers() as these:
        alive = [await told_workflow(database, these.url(Health.WELL)) for _ in range(ALIVE)]
        well = await told_workflow(database, these.url(Health.WELL))
        dead = await told_workflow(database, these.url(Health.DEAD))
        bus = InProcessBus()
        async with _sending(database, bus):
            await _delays(database, bus, these, alive, well)  # the first connections are made
            usual, beside = [], []
            for _ in range(ROUNDS):
                usual.append(await _delays(database, bus, these, alive, well))
                beside.append(await _delays(database, bus, these, alive, dead))
    all_usual = [delay for delays in usual for delay in delays]
    tell_distribution("webhooks_first_attempt", all_usual)
    FIRST_ATTEMPT.tell(median(all_usual))
    before, after = (median(map(_p99, delays)) for delays in (usual, beside))
    tell("webhooks_p99_ms", before)
    tell("webhooks_p99_beside_a_dead_endpoint_ms", after)
    DEAD_ENDPOINT.tell(100 * (after / before - 1))


async def _delays(
    database: Database, bus: InProcessBus, these: Receivers, counted: list[Workflow], beside: Workflow
) -> list[float]:
    """Milliseconds from state to first attempt for runs that end one after the other.

    As many runs of `beside` end in between; those do not count.
    """
    ended: dict[str, float] = {}
    for number in range(SAMPLES):
        for workflow in (counted[number % len(counted)], beside):
            moments = await end_runs(database, workflow)
            await bus.publish(WEBHOOKS_WAITING)
            ended |= {} if workflow is beside else moments
            await asyncio.sleep(PAUSE_SECONDS)
    await these.until_taken(set(ended), timeout_seconds=DRAIN_SECONDS)
    return [1000 * (these.arrived[run_id] - committed) for run_id, committed in ended.items()]


@asynccontextmanager
async def _sending(database: Database, bus: InProcessBus) -> AsyncIterator[None]:
    sender = a_sender(database, bus, ServerId("bench"))
    running = asyncio.create_task(sender.run())
    try:
        yield
    finally:
        await sender.stop()
        await running


def _p99(delays: list[float]) -> float:
    return quantiles(delays, n=100)[-1]


if __name__ == "__main__":
    measure()
